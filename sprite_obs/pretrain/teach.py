"""Teaching the encoder what counting found: classification on distinct windows."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sprite_obs.lookup.palette import Palette
from sprite_obs.pretrain.parallel import share_of
from sprite_obs.pretrain.windows import Windows


class WindowBatch(NamedTuple):
    """Windows with what their middle anchor shows.

    Attributes:
        pixels: `(B, 3, 3 * stride, 3 * stride)` float32 in [0, 1].
        sprite: `(B, L, 1, 1)` int64, sprite id at the middle anchor, 0 for none.
        shift: `(B, L, 1, 1, 2)` int64, classes of the shift in x and y.
    """

    pixels: Tensor
    sprite: Tensor
    shift: Tensor


class WindowSampler:
    """Draws batches in which every sprite is equally likely and half of the windows have none.

    Windows without a sprite are drawn by the root of their frequency: plain background must stay
    common, or the encoder sees sprites everywhere.
    """

    def __init__(
        self,
        windows: Windows,
        palette: Palette,
        device: torch.device,
        weights: np.ndarray | None = None,
    ) -> None:
        self._pixels = torch.from_numpy(windows.pixels).to(device)
        self._sprite = torch.from_numpy(windows.sprite).to(device)
        self._shift = torch.from_numpy(windows.shift).to(device)
        self._colors = _color_table(palette).to(device)
        self._weights = torch.from_numpy(window_weights(windows) if weights is None else weights)

    def sample(self, size: int, generator: torch.Generator) -> WindowBatch:
        """Draws this process's part of `size` windows, with replacement."""
        rows = torch.multinomial(self._weights, size, replacement=True, generator=generator)
        rows = share_of(rows).to(self._pixels.device)
        pixels = self._colors[self._pixels[rows].int()].permute(0, 3, 1, 2)  # (B, 3, h, w)
        sprite, shift = self._sprite[rows], self._shift[rows]
        return WindowBatch(pixels, sprite[..., None, None], shift[:, :, None, None])


def _color_table(palette: Palette) -> Tensor:
    """Returns `(256, 3)` float32 colours; what the palette lacks is black, as beyond the border."""
    return torch.from_numpy(palette.rgb(np.arange(256, dtype=np.uint8))).float() / 255


def window_weights(windows: Windows) -> np.ndarray:
    """Returns `(U,)` float64, how likely each window is to be drawn, not normalised."""
    seen = np.bincount(windows.sprite.ravel())
    rarity = 1 / np.maximum(seen, 1)
    rarity[0] = 0
    with_sprite = rarity[windows.sprite].sum(1)
    without = np.where(with_sprite == 0, np.sqrt(windows.frequency), 0)
    return with_sprite / max(with_sprite.sum(), 1e-9) + without / max(without.sum(), 1e-9)
