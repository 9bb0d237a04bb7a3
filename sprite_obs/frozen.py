"""FrozenEncoder: frames in, sprites out; NumPy on both sides, deterministic, no gradient."""

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from sprite_obs.checkpoint import Checkpoint, load_checkpoint
from sprite_obs.detections import Detections, from_rows
from sprite_obs.errors import CheckpointError, DeviceError
from sprite_obs.lookup.bank import TRANSPARENT, from_canvases
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.palette import Palette
from sprite_obs.network_decoder import NetworkDecoder

DecoderName = Literal["lookup", "network"]


class FrozenEncoder:
    """Finds the sprites of a pretrained model in frames.

    Two decoders answer: `lookup` compares exact pixels with the learned dictionary, `network`
    trusts the learned encoder alone. The checkpoint says which one rebuilt frames better.

    Args:
        checkpoint: what `load_checkpoint` returned.
        device: where the network runs: `cpu`, `cuda` or `auto`.
        decoder: `lookup` or `network`; None for the checkpoint's choice.

    Raises:
        CheckpointError: when the decoder is not one for this model.

    Attributes:
        frame_shape: (H, W, 3) of the frames it reads.
        env_id: the environment that the frames came from, or None.
        num_sprites: K; sprite ids are 1..K.
        num_types: T; type ids are 1..T, the most important first.
        type_capacity: `(T + 1,)` int32, instances of a type seen at once; index 0 is unused.
        sprites: `(K, S, S, 4)` uint8 RGBA, each drawing centred on its canvas.
        background: `(H, W, 3)` uint8.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: str = "cpu", decoder: DecoderName | None = None
    ) -> None:
        self.env_id = checkpoint.env_id
        self.sprites = checkpoint.sprites
        self.background = checkpoint.background
        self.frame_shape: tuple[int, ...] = checkpoint.background.shape
        self.sprite_type = checkpoint.sprite_type
        self.type_capacity = checkpoint.type_capacity
        self.num_sprites = len(checkpoint.sprites)
        self.num_types = len(checkpoint.type_capacity) - 1
        self.decoder = decoder or checkpoint.decoder
        self._scrolls = checkpoint.config.background == "scroll"
        if self._scrolls and self.decoder == "lookup":
            raise CheckpointError(
                "expected decoder network for a model whose background scrolls, got lookup, which "
                "compares frames with a still background"
            )
        self.palette = Palette(checkpoint.palette, checkpoint.exact_palette)
        self.bank = from_canvases(checkpoint.sprites, self.palette)
        thresholds = checkpoint.settings["discover"]
        self._lookup = LookupDecoder(
            self.bank,
            self.palette.nearest(self.background.reshape(-1, 3)).reshape(self.frame_shape[:2]),
            thresholds["min_visible"],
            thresholds["min_explained"],
            thresholds["max_foreground"],
        )
        self._model, self._device = checkpoint.model, choose_device(device)

    @classmethod
    def load(
        cls, path: str | Path, device: str = "cpu", decoder: DecoderName | None = None
    ) -> "FrozenEncoder":
        """Loads a checkpoint folder.

        Raises:
            CheckpointError: when it is missing, truncated or of another format.
            DeviceError: when the device does not exist.
        """
        return cls(load_checkpoint(path), device, decoder)

    @cached_property
    def network(self) -> NetworkDecoder:
        """The network's decoder, built when it is first used: the look-up does without it."""
        return NetworkDecoder(self._model, self.bank, self._device)

    def encode(self, frames: np.ndarray) -> Detections:
        """Finds the sprites of frames.

        Args:
            frames: `(B, H, W, 3)` uint8 RGB, or one frame `(H, W, 3)`.

        Raises:
            CheckpointError: when the frames are not those of this model.
        """
        frames = self._checked(frames)
        if self.decoder == "network":
            rows = self.network.decode(frames)
        else:
            rows = self._lookup.decode(self.palette.index(frames))
        return from_rows(rows, self.sprite_type)

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

    def reconstruct(self, detections: Detections, backgrounds: np.ndarray) -> np.ndarray:
        """Draws found sprites over backgrounds: `(B, H, W, 3)` uint8, a copy."""
        frames = backgrounds.copy()
        for n, sprite, box in zip(
            detections.frame, detections.sprite, detections.box.tolist(), strict=True
        ):
            if sprite:
                self._draw(frames[n], sprite - 1, box[0], box[1])
        return frames

    def rebuild(self, frames: np.ndarray) -> np.ndarray:
        """Encodes `(B, H, W, 3)` frames and draws what was found: the hard reconstruction."""
        return self.reconstruct(self.encode(frames), self.backgrounds(frames))

    def _draw(self, frame: np.ndarray, sprite: int, left: int, top: int) -> None:
        drawing = self.bank.drawing(sprite)
        y, x = np.nonzero(drawing != TRANSPARENT)
        color = self.palette.rgb(drawing[y, x])
        y, x = y + top, x + left
        inside = (y >= 0) & (x >= 0) & (y < frame.shape[0]) & (x < frame.shape[1])
        frame[y[inside], x[inside]] = color[inside]

    def _checked(self, frames: np.ndarray) -> np.ndarray:
        frames = frames[None] if frames.ndim == 3 else frames
        if frames.dtype != np.uint8 or frames.shape[1:] != self.frame_shape:
            raise CheckpointError(
                f"expected uint8 RGB frames of shape {self.frame_shape}, got {frames.dtype} "
                f"{frames.shape[1:]}; use a model pretrained on frames of this size"
            )
        return frames


def choose_device(name: str) -> torch.device:
    """Turns `cpu`, `cuda` or `auto` into a device.

    Raises:
        DeviceError: when the device does not exist on this machine.
    """
    if name not in ("cpu", "cuda", "auto"):
        raise DeviceError(f"unknown device {name!r}; expected cpu, cuda or auto")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError("device cuda was asked for, but this machine has none; use cpu or auto")
    return torch.device("cuda" if available and name != "cpu" else "cpu")
