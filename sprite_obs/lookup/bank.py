"""Known sprites as flat arrays that compiled loops can walk."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sprite_obs.lookup import keys
from sprite_obs.lookup.palette import Palette

TRANSPARENT = 255
"""Palette index of pixels that do not belong to a sprite."""


class BankArrays(NamedTuple):
    """A `SpriteBank` for compiled loops.

    Attributes:
        pixels: as there, like all but the last two.
        starts: `(K,)` int64.
        sizes: `(K, 2)` int32.
        areas: `(K,)` int32.
        tones: `(n, 4)` int32, palette index, number of pixels, and y and x of the first of them,
            one row for each colour of each drawing.
        first_tone: `(K + 1,)` int64, where the rows of each drawing begin in `tones`.
    """

    pixels: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    areas: np.ndarray
    tones: np.ndarray
    first_tone: np.ndarray


@dataclass(frozen=True)
class SpriteBank:
    """K sprites of different sizes, in palette indices.

    Attributes:
        pixels: `(P,)` uint8, the drawings row by row, one after the other; 255 is transparent.
        starts: `(K,)` int64, where each drawing starts in `pixels`.
        sizes: `(K, 2)` int32, width and height.
        areas: `(K,)` int32, opaque pixels.
    """

    pixels: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    areas: np.ndarray

    def __len__(self) -> int:
        return len(self.areas)

    def drawing(self, sprite: int | np.integer) -> np.ndarray:
        """Returns `(height, width)` uint8 palette indices of one sprite."""
        width, height = self.sizes[sprite]
        start = self.starts[sprite]
        return self.pixels[start : start + width * height].reshape(height, width)

    @cached_property
    def arrays(self) -> BankArrays:
        """The same for compiled loops."""
        tones = [_tones(self.drawing(i)) for i in range(len(self))]
        first = np.cumsum([0, *map(len, tones)])
        rows = np.concatenate([np.zeros((0, 4), np.int32), *tones])
        return BankArrays(self.pixels, self.starts, self.sizes, self.areas, rows, first)

    def first(self, count: int) -> "SpriteBank":
        """Returns a bank of the first sprites alone."""
        return SpriteBank(self.pixels, self.starts[:count], self.sizes[:count], self.areas[:count])

    def keys(self) -> np.ndarray:
        """Returns `(K,)` int64, the keys that components with exactly these pixels have."""
        drawings = (self.drawing(i) for i in range(len(self)))
        return np.array([drawing_key(drawing) for drawing in drawings], np.int64)


def _tones(drawing: np.ndarray) -> np.ndarray:
    """Returns `(n, 4)` int32, the colours of a drawing, see `BankArrays`."""
    colors, first, counts = np.unique(drawing, return_index=True, return_counts=True)
    tones = np.column_stack([colors, counts, *np.divmod(first, drawing.shape[1])])
    return tones[colors != TRANSPARENT].astype(np.int32)


def drawing_key(drawing: np.ndarray) -> int:
    """Returns the key of a component that looks like `(h, w)` palette indices, 255 transparent."""
    return int(keys.drawing_key(drawing, drawing != TRANSPARENT))


def make_bank(drawings: Sequence[np.ndarray]) -> SpriteBank:
    """Packs `(h, w)` uint8 drawings, 255 transparent, into a bank."""
    lengths = np.array([drawing.size for drawing in drawings], np.int64)
    return SpriteBank(
        np.concatenate([np.zeros(0, np.uint8), *(drawing.ravel() for drawing in drawings)]),
        np.cumsum(lengths) - lengths,
        np.array([drawing.shape[::-1] for drawing in drawings], np.int32).reshape(-1, 2),
        np.array([(drawing != TRANSPARENT).sum() for drawing in drawings], np.int32),
    )


def canvas_offset(canvas_size: int, sizes: np.ndarray) -> np.ndarray:
    """Returns where a drawing of the given width and height starts on its square canvas."""
    return (canvas_size - sizes) // 2


def to_canvases(bank: SpriteBank, palette: Palette, canvas_size: int) -> np.ndarray:
    """Draws the sprites in the middle of square canvases.

    Returns:
        `(K, S, S, 4)` uint8 RGBA; transparent pixels are 0 throughout.
    """
    canvases = np.zeros((len(bank), canvas_size, canvas_size, 4), np.uint8)
    for i, (width, height) in enumerate(bank.sizes.tolist()):
        left, top = canvas_offset(canvas_size, bank.sizes[i])
        drawing = bank.drawing(i)
        opaque = drawing != TRANSPARENT
        window = canvases[i, top : top + height, left : left + width]
        window[opaque, :3] = palette.rgb(drawing[opaque])
        window[opaque, 3] = 255
    return canvases


def from_canvases(canvases: np.ndarray, palette: Palette) -> SpriteBank:
    """Cuts the visible part out of `(K, S, S, 4)` uint8 canvases; the inverse of `to_canvases`."""
    opaque = canvases[..., 3] >= 128  # (K, S, S)
    drawings = np.full(opaque.shape, TRANSPARENT, np.uint8)
    drawings[opaque] = palette.nearest(canvases[opaque, :3])
    return make_bank([_crop(drawing) for drawing in drawings])


def _crop(drawing: np.ndarray) -> np.ndarray:
    """Cuts off the transparent border; an empty drawing keeps one transparent pixel."""
    opaque = drawing != TRANSPARENT
    if not opaque.any():
        return drawing[:1, :1]
    rows, columns = np.flatnonzero(opaque.any(1)), np.flatnonzero(opaque.any(0))
    return drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
