"""Checkpoints: one safetensors file with weights, tables and settings; nothing is unpickled."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save

from sprite_obs.config import ModelConfig, from_dict, to_dict
from sprite_obs.errors import CheckpointError
from sprite_obs.files import write_atomically
from sprite_obs.model.build import build_model
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.zoo.find import MODEL_FILE, find_model

FORMAT_VERSION = 4
"""Raised when checkpoints or the observations made from them change."""
COMPACT_VERSION = f"{FORMAT_VERSION} compact"
"""Of models without their network; programs that cannot read them say so."""
COMPACT = "compact"
"""The one tensor of such a file: all others, compressed."""
SETTINGS_FILE = "model.json"
METADATA = "sprite_obs"


class Tables(NamedTuple):
    """What counting knows beside the drawings; colours are indices of the checkpoint's palette.

    Attributes:
        counts: `(K,)` int32, how often each sprite was seen in the recording.
        links: `(L, 4)` int32, which sprites are fragments of one object (`lookup.links`).
        rooms: `(R, H, W)` uint8 palette indices, backgrounds of further rooms.
        bands: `(n, 5)` int32, rows of the background that change their colour, each after its
            room, 0 for the first (`lookup.background`).
        regions: `(n, 4)` int32, regions of the background that do, likewise.
        window: `(4,)` int32, left, top, right, bottom (exclusive) of the playing field.
        display: `(n, 5)` int32, type id, left, top, right, bottom (exclusive) of where things of
            this type are display: score, lives, logos; 0 is all types that do not move, -1 all.
        moves: `(T + 1,)` bool, which types move about; index 0 is unused.
        tiles: `(n, 6)` int32, tiles of walls (`lookup.tiles`).
        object_capacity: `(T + 1,)` int32, objects of each type seen at once; index 0 is unused.
        type_counts: `(2, T + 1)` int32, how often the recording showed sprites of each type outside
            the display, and in it; index 0 is unused.
        object_counts: the same of objects.
        layers: `(L, 8)` int32, parts of the screen that scroll (`lookup.panorama`).
        scenery: `(P,)` uint8 palette indices, what is seen through them.
        usual: `(H, W, 3)` uint8 RGB, what frames usually show, if they were scaled or compressed
            (`lookup.blur`); `(0, 0, 3)` if not.
    """

    counts: np.ndarray
    links: np.ndarray
    rooms: np.ndarray
    bands: np.ndarray
    regions: np.ndarray
    window: np.ndarray
    display: np.ndarray
    moves: np.ndarray
    tiles: np.ndarray
    object_capacity: np.ndarray
    type_counts: np.ndarray
    object_counts: np.ndarray
    layers: np.ndarray
    scenery: np.ndarray
    usual: np.ndarray

    @classmethod
    def unknown(cls, num_sprites: int, num_types: int, frame_size: tuple[int, int]) -> "Tables":
        """Returns the tables of a model whose sprites were not counted."""
        height, width = frame_size
        return cls(
            counts=np.ones(num_sprites, np.int32),
            links=np.zeros((0, 4), np.int32),
            rooms=np.zeros((0, height, width), np.uint8),
            bands=np.zeros((0, 5), np.int32),
            regions=np.zeros((0, 4), np.int32),
            window=np.array([0, 0, width, height], np.int32),
            display=np.zeros((0, 5), np.int32),
            moves=np.zeros(num_types + 1, bool),
            tiles=np.zeros((0, 6), np.int32),
            object_capacity=np.ones(num_types + 1, np.int32),
            type_counts=np.ones((2, num_types + 1), np.int32),
            object_counts=np.ones((2, num_types + 1), np.int32),
            layers=np.zeros((0, 8), np.int32),
            scenery=np.zeros(0, np.uint8),
            usual=np.zeros((0, 0, 3), np.uint8),
        )


class Checkpoint(NamedTuple):
    """All that the frozen encoder needs.

    Attributes:
        model: the trained network; None in a compact model, which only the look-up can use.
        config: its sizes.
        sprites: `(K, S, S, 4)` uint8 RGBA, each drawing centred on its canvas.
        background: `(H, W, 3)` uint8.
        palette: `(P, 3)` uint8 RGB, the colours of the game.
        exact_palette: whether frames hold no other colours.
        sprite_type: `(K,)` int32, type id 1..T of each sprite.
        type_capacity: `(T + 1,)` int32, instances of each type seen at once; index 0 is unused.
        tables: what counting knows beside the drawings.
        decoder: `lookup`, `network` or `both`, the one that rebuilds unseen frames better.
        env_id: the environment that the frames came from, if known.
        settings: everything else that is worth knowing, as plain values.
    """

    model: SpriteModel | None
    config: ModelConfig
    sprites: np.ndarray
    background: np.ndarray
    palette: np.ndarray
    exact_palette: bool
    sprite_type: np.ndarray
    type_capacity: np.ndarray
    tables: Tables
    decoder: str
    env_id: str | None
    settings: dict[str, Any]

    @property
    def network(self) -> SpriteModel:
        """The trained network.

        Raises:
            CheckpointError: when the model is compact.
        """
        if self.model is None:
            raise CheckpointError(
                "this model is compact: its network, which is needed here, was left out; use the "
                "model that it was exported from, or pretrain one with `sprite-obs pretrain`"
            )
        return self.model

    @property
    def former_sizes(self) -> list[int]:
        """How many sprites there were each time before the model was extended, rising."""
        return [extension["former_sprites"] for extension in self.settings.get("extended", [])]

    @property
    def former_types(self) -> list[int]:
        """How many types there were each time before the model was extended, rising."""
        return [extension["former_types"] for extension in self.settings.get("extended", [])]

    @property
    def reading_window(self) -> np.ndarray:
        """`(4,)` int32, the playing field at whose border sprites may be cut off.

        It stays when the model is extended, or what old frames show there would be read in another
        way; `tables.window`, beyond which cut sprites are not drawn, grows.
        """
        extended = self.settings.get("extended", [])
        return np.array(extended[0]["former_window"], np.int32) if extended else self.tables.window


TABLES = ("sprites", "background", "palette", "sprite_type", "type_capacity")


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], about: dict[str, Any]) -> None:
    """Writes tensors and plain values to one safetensors file, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    checksum = _checksum(contiguous, json.dumps(about))
    # One entry, for safetensors writes several in random order, and equal files should be equal.
    text = json.dumps({"about": about, "checksum": checksum})
    write_atomically(path, save(contiguous, {METADATA: text}))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Reads what `save_tensors` wrote.

    Raises:
        CheckpointError: when the file is missing, truncated or no safetensors file.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; make one with `sprite-obs pretrain`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()[METADATA])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if _checksum(tensors, json.dumps(metadata["about"])) != metadata["checksum"]:
            raise ValueError("its checksum is wrong")
        return tensors, metadata["about"]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is truncated or no sprite-obs checkpoint ({error}); pretrain again"
        ) from None


def _checksum(tensors: Mapping[str, torch.Tensor], about: str) -> int:
    """Of everything that is loaded; safetensors itself would not notice a flipped bit."""
    total = zlib.crc32(about.encode())
    for name, tensor in sorted(tensors.items()):
        total = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), total)
        total = zlib.crc32(tensor.flatten().view(torch.uint8).numpy().data, total)
    return total


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Writes `model.safetensors`, which holds everything, and a readable copy of its settings.

    Without a network, the arrays are compressed: they are mostly transparent pixels.
    """
    about = {
        "format_version": FORMAT_VERSION if checkpoint.model else COMPACT_VERSION,
        "env_id": checkpoint.env_id,
        "frame_shape": list(checkpoint.background.shape),
        "decoder": checkpoint.decoder,
        "exact_palette": checkpoint.exact_palette,
        "model": to_dict(checkpoint.config),
        **checkpoint.settings,
    }
    tables = {name: torch.from_numpy(getattr(checkpoint, name).copy()) for name in TABLES}
    tables |= {
        f"tables.{name}": torch.from_numpy(table.copy())
        for name, table in checkpoint.tables._asdict().items()
    }
    if checkpoint.model:
        weights = {f"model.{key}": value for key, value in checkpoint.model.state_dict().items()}
        tensors = weights | tables
    else:
        packed = np.frombuffer(zlib.compress(save(tables), 9), np.uint8)
        tensors = {COMPACT: torch.from_numpy(packed.copy())}
    save_tensors(folder / MODEL_FILE, tensors, about)
    write_atomically(folder / SETTINGS_FILE, (json.dumps(about, indent=2) + "\n").encode())


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Reads a checkpoint folder, or a model of the zoo by its name, and rebuilds its network.

    Raises:
        CheckpointError: when it is missing, truncated, or of another format version.
    """
    path = find_model(folder) / MODEL_FILE
    tensors, about = load_tensors(path)
    version = about.pop("format_version", None)
    if version not in (FORMAT_VERSION, COMPACT_VERSION):
        raise CheckpointError(
            f"{path} has format version {version}, this program reads {FORMAT_VERSION}; "
            "pretrain again"
        )
    try:
        if version == COMPACT_VERSION:
            tensors = load(zlib.decompress(tensors[COMPACT].numpy().tobytes()))
        return _assemble(tensors, about, has_network=version == FORMAT_VERSION)
    except (KeyError, RuntimeError, SafetensorError, zlib.error) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{path} is damaged ({reason}); pretrain again") from None


def is_compact(folder: Path) -> bool:
    """Says whether the model of a folder, of any format version, has no network.

    Raises:
        CheckpointError: when its file is missing or truncated.
    """
    _, about = load_tensors(folder / MODEL_FILE)
    return str(about.get("format_version")).endswith("compact")


def _assemble(
    tensors: dict[str, torch.Tensor], about: dict[str, Any], has_network: bool
) -> Checkpoint:
    config = from_dict(ModelConfig, about.pop("model"), "checkpoint")
    tables = {name: tensors.pop(name).numpy() for name in TABLES}
    counted = Tables(*(tensors.pop(f"tables.{name}").numpy() for name in Tables._fields))
    height, width, _ = about.pop("frame_shape")
    size = height, width
    return Checkpoint(
        model=_restored(tensors, config, len(tables["sprites"]), size) if has_network else None,
        config=config,
        exact_palette=about.pop("exact_palette"),
        decoder=about.pop("decoder"),
        env_id=about.pop("env_id"),
        settings=about,
        tables=counted,
        **tables,
    )


def _restored(
    tensors: dict[str, torch.Tensor], config: ModelConfig, num_sprites: int, size: tuple[int, int]
) -> SpriteModel:
    with torch.random.fork_rng(devices=[]):  # loading must not change a user's random numbers
        model = build_model(config, num_sprites, size)
    weights = {key.removeprefix("model."): value for key, value in tensors.items()}
    model.load_state_dict(weights, assign=True)  # not copied: they are most of a model's memory
    return model.eval()
