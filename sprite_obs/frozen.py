"""FrozenEncoder: frames in, sprites out; NumPy on both sides, deterministic, no gradient."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from sprite_obs.both_decoder import BothDecoder
from sprite_obs.checkpoint import Checkpoint, Tables, load_checkpoint
from sprite_obs.compiling import tell_of_first_compilation
from sprite_obs.decoders import DecoderName, check_decoder
from sprite_obs.detections import Detections, Found, Sight, from_table
from sprite_obs.devices import choose_device
from sprite_obs.errors import CheckpointError
from sprite_obs.lookup.bank import TRANSPARENT, from_canvases
from sprite_obs.lookup.decoder import LookupDecoder, MemoryUse
from sprite_obs.lookup.display import DisplayRows
from sprite_obs.lookup.links import Links
from sprite_obs.lookup.meaning import Meaning
from sprite_obs.lookup.palette import UNKNOWN, Palette
from sprite_obs.lookup.panorama import Panorama, restore_layers
from sprite_obs.lookup.rooms import Behind, restore
from sprite_obs.lookup.screen import Screens
from sprite_obs.lookup.view import cut_at_view, view_of
from sprite_obs.network_decoder import NetworkDecoder
from sprite_obs.type_names import NamedTypes, add_up, merged_types, names_by_id, read_named_types
from sprite_obs.zoo.find import find_model


class FrozenEncoder:
    """Finds the sprites of a pretrained model in frames.

    Three decoders answer: `lookup` compares exact pixels with the learned dictionary, `network`
    trusts the learned encoder alone, `both` asks the network for what the look-up leaves and keeps
    what the frame confirms. The checkpoint says which one rebuilt frames better.

    Args:
        checkpoint: what `load_checkpoint` returned.
        device: where the network runs: `cpu`, `cuda` or, with `auto`, on a GPU if there is one and
            this is no worker process, else on the CPU. The look-up needs no GPU and starts none.
        decoder: `lookup`, `network` or `both`; None for the checkpoint's choice.
        named_types: what `sprite_obs.type_names.read_named_types` returned; None for the types as
            they were learned.

    Raises:
        CheckpointError: when the decoder is not one for this model.
        DeviceError: when the device does not exist.

    Attributes:
        frame_shape: (H, W, 3) of the frames it reads.
        env_id: the environment that the frames came from, or None.
        num_sprites: K; sprite ids are 1..K.
        num_types: T; type ids are 1..T, the most important first.
        sprite_type: `(K,)` int32, type id of each sprite.
        type_capacity: `(T + 1,)` int32, instances of a type seen at once, 0 for one that was merged
            into another; index 0 is unused.
        object_capacity: the same for objects, see `merge_objects`.
        type_counts: `(2, T + 1)` int32, how often each type was seen in pretraining, outside the
            display and in it.
        object_counts: the same for objects.
        former_types: number of types before each extension of the model, rising.
        type_names: names of the types that a user named, by type id.
        sprites: `(K, S, S, 4)` uint8 RGBA, each drawing centred on its canvas.
        background: `(H, W, 3)` uint8.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "cpu",
        decoder: DecoderName | None = None,
        named_types: NamedTypes | None = None,
    ) -> None:
        tell_of_first_compilation()
        self.env_id = checkpoint.env_id
        self.sprites = checkpoint.sprites
        self.background = checkpoint.background
        self.frame_shape: tuple[int, ...] = checkpoint.background.shape
        types, tables = checkpoint.sprite_type, checkpoint.tables
        merged = merged_types(len(checkpoint.type_capacity) - 1, named_types or {})
        self.sprite_type = merged[types]
        self.type_capacity = add_up(checkpoint.type_capacity, merged)
        self.object_capacity = add_up(tables.object_capacity, merged)
        self.type_counts = add_up(tables.type_counts, merged)
        self.object_counts = add_up(tables.object_counts, merged)
        self.former_types: Sequence[int] = checkpoint.former_types
        self._type_of_id = np.concatenate([[0], self.sprite_type]).astype(np.int32)
        self.type_names = names_by_id(named_types or {})
        self.num_sprites = len(checkpoint.sprites)
        self.num_types = len(checkpoint.type_capacity) - 1
        self.decoder = decoder or checkpoint.decoder
        self._scrolls = checkpoint.config.background == "scroll"
        check_decoder(self.decoder, checkpoint)
        usual = tables.usual if tables.usual.size else None
        self.palette = Palette(checkpoint.palette, checkpoint.exact_palette, usual)
        self._screens = Screens(self.palette)
        self.bank = from_canvases(checkpoint.sprites, self.palette)
        self._thresholds = thresholds = checkpoint.settings["discover"]
        image = self.palette.nearest(self.background.reshape(-1, 3)).reshape(self.frame_shape[:2])
        self._window = tables.window.tolist()
        self._view = view_of(self.background, tables.window)
        self._display = DisplayRows(
            tables.display, tables.moves, types, tables.tiles[:, 5], image.shape
        )
        self._links = Links(tables.links)
        self._lookup = LookupDecoder(
            self.bank,
            tables.counts,
            _restore_background(image, tables, checkpoint.reading_window),
            tables.tiles,
            thresholds["min_visible"],
            thresholds["min_explained"],
            thresholds["max_foreground"],
            checkpoint.former_sizes,
        )
        self._checkpoint, self._device = checkpoint, device
        if device != "auto":  # looking for a GPU starts it, and it may not be needed
            choose_device(device)

    @classmethod
    def load(
        cls, path: str | Path, device: str = "cpu", decoder: DecoderName | None = None
    ) -> "FrozenEncoder":
        """Loads a checkpoint folder, and the names of types where the folder has a `types.yaml`.

        A path that is no folder is the name of a model of the zoo, such as ``pong``.

        Raises:
            CheckpointError: when it is missing, truncated or of another format.
            ConfigError: when `types.yaml` is wrong.
            DeviceError: when the device does not exist.
        """
        path = find_model(path)
        checkpoint = load_checkpoint(path)
        named_types = read_named_types(path, len(checkpoint.type_capacity) - 1)
        return cls(checkpoint, device, decoder, named_types)

    @cached_property
    def network(self) -> NetworkDecoder:
        """The network's decoder, built when it is first used: the look-up does without it.

        Raises:
            CheckpointError: when the model is compact.
        """
        return NetworkDecoder(self._checkpoint.network, self.bank, choose_device(self._device))

    @property
    def meaning(self) -> Meaning:
        """What the sprites are, for compiled loops."""
        return Meaning(self._type_of_id, self._links.arrays, self._display.arrays)

    @property
    def memory_use(self) -> MemoryUse:
        """How often exact look-up knew what it saw; it remembers what it had to work out."""
        return self._lookup.memory_use

    def forget(self) -> None:
        """Forgets the last frames and what exact look-up worked out; answers stay the same."""
        self._lookup.forget()
        if isinstance(self._exact, BothDecoder):
            self._exact.forget()
        self._screens = Screens(self.palette)

    @cached_property
    def _exact(self) -> LookupDecoder | BothDecoder:
        """What answers with exact pixels."""
        if self.decoder != "both":
            return self._lookup
        shares = self._thresholds["min_visible"], self._thresholds["min_explained"]
        return BothDecoder(self._lookup, self.network, self.bank, self.palette, *shares)

    def encode(self, frames: np.ndarray) -> Detections:
        """Finds the sprites of frames.

        Args:
            frames: `(B, H, W, 3)` uint8 RGB, or one frame `(H, W, 3)`.

        Raises:
            CheckpointError: when the frames are not those of this model.
        """
        frames = self._checked(frames)
        if self.decoder == "network":
            table, score = self.network.decode(frames)
            return self._links.joined(from_table(table, score, self.sprite_type))
        return self.explain(frames)[0]

    def explain(self, frames: np.ndarray) -> tuple[Detections, np.ndarray]:
        """Finds the sprites of frames and says how much of each frame they do not explain.

        Args:
            frames: as `encode` takes them.

        Returns:
            What `encode` returns, and `(B,)` float32 in [0, 1], the share of pixels that the found
            sprites over the background do not show in their colour.
        """
        frames = self._checked(frames)
        if self.decoder == "network":
            return self._explained_by_network(frames)
        found = self._exact.read(self._screens.index(frames))
        return self._links.joined(found.typed(self._type_of_id)), self._share(found)

    def look(self, frames: np.ndarray) -> Sight:
        """Finds what `explain` finds, with nothing more than what follows from it at once needs.

        Args:
            frames: as `encode` takes them.

        Returns:
            The sprites, overwritten by the next call.
        """
        frames = self._checked(frames)
        if self.decoder == "lookup":
            return self._lookup.look(self._screens.index(frames))
        if self.decoder == "both":
            read = self._exact.read(self._screens.index(frames))
            return Sight(read.frame, read.table, self._share(read))
        found, share = self.explain(frames)
        table = np.column_stack([found.sprite, found.layer, found.box])
        return Sight(np.ascontiguousarray(found.frame), table, share)

    def _share(self, found: Found) -> np.ndarray:
        """Returns `(B,)` float32, the share of each frame's pixels that nothing explains."""
        return (found.unexplained / self._lookup.background.image.size).astype(np.float32)

    def _explained_by_network(self, frames: np.ndarray) -> tuple[Detections, np.ndarray]:
        found = self.encode(frames)
        rebuilt = self.palette.index(self.reconstruct(found, self.backgrounds(frames)))
        # By palette, so that video counts as explained when it is right but for its noise.
        right = (rebuilt == self.palette.index(frames)) & (rebuilt != UNKNOWN)  # (B, H, W)
        return found, 1 - right.mean((1, 2), dtype=np.float32)

    def is_display(self, found: Detections) -> np.ndarray:
        """Tells which sprites belong to the display: score, lives, logos.

        Returns:
            `(N,)` bool, whether the centre lies where such things were seen to rest and, while
            they were shown, nothing moved beyond them; tiles of a wall are never display.
        """
        return self._display.show(found)

    def in_view(self, found: Detections) -> Detections:
        """Cuts the boxes of found sprites where walls beside the playing field hide the rest.

        `encode` gives the whole of what is behind a wall, so that its centre says where it is.
        """
        return cut_at_view(found, self._view)

    def backgrounds(self, frames: np.ndarray) -> np.ndarray:
        """Returns what lies behind the sprites of frames, in the colours that each one shows.

        Args:
            frames: `(B, H, W, 3)` uint8 RGB.

        Returns:
            `(B, H, W, 3)` uint8.
        """
        frames = self._checked(frames)
        if self._scrolls:
            return self.network.backgrounds(frames)
        shown = self.palette.index(frames)  # (B, H, W)
        for index in shown:
            index[:] = self._lookup.shown_background(index)
        return self.palette.rgb(shown)

    @property
    def has_camera(self) -> bool:
        """Whether counting found scenery over which a camera moves."""
        return isinstance(self._lookup.background, Panorama)

    def cameras(self, frames: np.ndarray) -> np.ndarray:
        """Returns which part of the scenery frames show; the camera is at (0, 0) if it never moves.

        Args:
            frames: `(B, H, W, 3)` uint8 RGB, or one frame `(H, W, 3)`.

        Returns:
            `(B, 2)` int32 (x, y) in pixels, to the right and down; (-1, -1) where a frame shows
            nothing that is known. Positions on the screen plus the camera's are positions in the
            scenery.
        """
        behind, frames = self._lookup.background, self._checked(frames)
        if not isinstance(behind, Panorama):
            return np.zeros((len(frames), 2), np.int32)
        places = [behind.camera(index) for index in self.palette.index(frames)]
        return np.array(places, np.int32).reshape(-1, 2)

    def reconstruct(self, detections: Detections, backgrounds: np.ndarray) -> np.ndarray:
        """Draws found sprites over backgrounds: `(B, H, W, 3)` uint8, a copy."""
        frames, (height, width, _) = backgrounds.copy(), self.frame_shape
        boxes, scores = detections.box.tolist(), detections.score
        columns = detections.frame, detections.sprite, boxes, scores, detections.shown
        for n, sprite, (left, top, *_), score, shown in zip(*columns, strict=True):
            if sprite:
                # Beyond the playing field, sprites are cut off; a whole one shows that it goes on.
                window = (0, 0, width, height) if score == 1 else self._window
                self._draw(frames[n], sprite - 1, left, top, window, shown)
        return frames

    def rebuild(self, frames: np.ndarray) -> np.ndarray:
        """Encodes `(B, H, W, 3)` frames and draws what was found: the hard reconstruction."""
        return self.reconstruct(self.encode(frames), self.backgrounds(frames))

    def _draw(
        self,
        frame: np.ndarray,
        sprite: int,
        left: int,
        top: int,
        window: Sequence[int],
        shown: np.ndarray | None,
    ) -> None:
        drawing = self.bank.drawing(sprite)
        y, x = np.nonzero(drawing != TRANSPARENT if shown is None else shown)
        color = self.palette.rgb(drawing[y, x])
        y, x = y + top, x + left
        first_x, first_y, end_x, end_y = window
        inside = (y >= first_y) & (x >= first_x) & (y < end_y) & (x < end_x)
        frame[y[inside], x[inside]] = color[inside]

    def _checked(self, frames: np.ndarray) -> np.ndarray:
        frames = frames[None] if frames.ndim == 3 else frames
        if frames.dtype != np.uint8 or frames.shape[1:] != self.frame_shape:
            raise CheckpointError(
                f"expected uint8 RGB frames of shape {self.frame_shape}, got {frames.dtype} "
                f"{frames.shape[1:]}; use a model pretrained on frames of this size"
            )
        return frames


def _restore_background(image: np.ndarray, tables: Tables, window: np.ndarray) -> Behind:
    layers = restore_layers(tables.layers, tables.scenery)
    return restore(image, tables.rooms, tables.bands, tables.regions, window, layers)
