"""The still background as frames show it: palettes are swapped, rows and regions recoloured."""

import dataclasses
from collections.abc import Callable
from functools import cached_property

import numpy as np

from sprite_obs.lookup.components import padded_mask
from sprite_obs.lookup.shown import BackgroundTables, make_tables, paint_shown


@dataclasses.dataclass(frozen=True, eq=False)
class Background:
    """What lies behind all sprites.

    Attributes:
        image: `(H, W)` uint8 palette indices.
        bands: `(n, 4)` int32, one row for each further colour that a part of a pixel row takes on:
            y, left, right (exclusive), palette index.
        regions: `(n, 3)` int32, one row for each further colour that a connected region of one
            colour takes on: y and x of one of its pixels, palette index; a region's rows together.
        window: `(4,)` int32, left, top, right, bottom (exclusive) of the playing field: beyond it,
            nothing ever happens, and sprites are cut off.
    """

    image: np.ndarray
    bands: np.ndarray
    regions: np.ndarray
    window: np.ndarray

    @classmethod
    def still(cls, image: np.ndarray) -> "Background":
        """Returns a background that is always the same."""
        height, width = image.shape
        window = np.array([0, 0, width, height], np.int32)
        return cls(image, np.zeros((0, 4), np.int32), np.zeros((0, 3), np.int32), window)

    @property
    def images(self) -> np.ndarray:
        """`(1, H, W)` uint8, the image as that of a single room."""
        return self.image[None]

    @cached_property
    def tables(self) -> BackgroundTables:
        """The same for compiled loops."""
        return make_tables(self.image, self.bands, self.regions)

    def with_window(self, window: np.ndarray) -> "Background":
        """Returns the same background with another playing field."""
        return dataclasses.replace(self, window=window)

    def with_images(self, change: Callable[[np.ndarray], np.ndarray]) -> "Background":
        """Returns the background with a changed image."""
        return dataclasses.replace(self, image=change(self.image))

    def shown(self, index: np.ndarray, max_foreground: float) -> np.ndarray:
        """Returns the background in the colours in which a frame shows it.

        Args:
            index: `(H, W)` uint8 palette indices of the frame.
            max_foreground: share of differing pixels up to which the usual palette holds.

        Returns:
            `(H, W)` uint8; the very `image`, unless the frame changed its colours.
        """
        painted, (mask, words) = np.empty_like(self.image), padded_mask(index.shape)
        index = np.ascontiguousarray(index)
        changed = paint_shown(index, self.tables, max_foreground, mask, words, painted)
        return painted if changed else self.image
