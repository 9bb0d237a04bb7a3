"""The still background as frames show it: palettes are swapped, rows and regions recoloured."""

from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT
from sprite_obs.lookup.components import WORD, as_words

COMMON = 0.01
"""Colours that fill a smaller share of the background keep their value."""
AGREEMENT = 0.6
"""Share of an area's pixels that must change into one and the same other colour."""
CLEAR_AGREEMENT = 0.9
"""The same share where the frame as a whole looks as usual."""
MAX_REGION = 0.05
"""Share of the frame that a region has at most which changes its colour on its own."""


class Background(NamedTuple):
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

    def with_window(self, window: np.ndarray) -> "Background":
        """Returns the same background with another playing field."""
        return self._replace(window=window)

    def with_images(self, change: Callable[[np.ndarray], np.ndarray]) -> "Background":
        """Returns the background with a changed image."""
        return self._replace(image=change(self.image))

    def shown(self, index: np.ndarray, max_foreground: float) -> np.ndarray:
        """Returns the background in the colours in which a frame shows it.

        Args:
            index: `(H, W)` uint8 palette indices of the frame.
            max_foreground: share of differing pixels up to which the usual palette holds.

        Returns:
            `(H, W)` uint8; the very `image`, unless the frame changed its colours.
        """
        image = _recolored(index, self.image, max_foreground)
        if not len(self.bands) and not len(self.regions):
            return image
        changed = image.copy()
        count = _change_regions(index, self.image, changed, self.regions)
        count += _change_bands(index, changed, self.bands)
        return changed if count else image


def _recolored(index: np.ndarray, image: np.ndarray, max_foreground: float) -> np.ndarray:
    """Swaps colours of an image, where a frame shows the whole of it in other colours."""
    shown = _shown_colors(index, image, as_words(index), as_words(image), max_foreground)
    return shown[image] if len(shown) else image


@numba.njit(cache=True)
def _shown_colors(index, image, index_words, image_words, max_foreground):
    """Returns for each colour of the image the one that a frame shows instead; empty if none."""
    index, image = index.ravel(), image.ravel()
    differs, changed = _count_changed(index, image, index_words, image_words)
    agreement = AGREEMENT if differs > max_foreground * len(image) else CLEAR_AGREEMENT
    shown = np.zeros(0, np.uint8)
    for color in range(256):
        if changed[color] < agreement * COMMON * len(image):
            continue
        area = 0
        for i in range(len(image)):
            area += image[i] == color
        if area < COMMON * len(image) or changed[color] < agreement * area:
            continue
        counts = np.zeros(256, np.int64)
        for i in range(len(image)):
            if image[i] == color:
                counts[index[i]] += 1
        if len(shown) == 0:
            shown = np.arange(256).astype(np.uint8)
        now = counts[:TRANSPARENT]
        if now.max() >= agreement * area:
            shown[color] = now.argmax()
    return shown


@numba.njit(cache=True)
def _count_changed(index, image, index_words, image_words):
    """Counts the pixels that differ, all of them and by the image's colour."""
    changed = np.zeros(256, np.int64)
    differs = 0
    for word in range(len(image_words)):
        if index_words[word] != image_words[word]:
            for i in range(WORD * word, min(WORD * (word + 1), len(image))):
                if index[i] != image[i]:
                    changed[image[i]] += 1
                    differs += 1
    return differs, changed


@numba.njit(cache=True)
def _change_bands(index, image, bands):
    """Gives each band of `image` that a frame mostly shows in another colour this colour."""
    changed = 0
    for y, left, right, color in bands:
        same = 0
        for x in range(left, right):
            same += index[y, x] == color
        if same < AGREEMENT * (right - left):
            continue
        usual = image[y, left]
        for x in range(left, right):
            if image[y, x] == usual:
                image[y, x] = color
        changed += 1
    return changed


@numba.njit(cache=True)
def _change_regions(index, image, changed, regions):
    """Gives each region of `image` that a frame mostly shows in another colour this colour."""
    height, width = image.shape
    pixels = np.empty((int(MAX_REGION * height * width) + 1, 2), np.int32)
    visited = np.zeros((height, width), np.bool_)
    size, painted = 0, 0
    for row in range(len(regions)):
        y, x, color = regions[row]
        if row == 0 or y != regions[row - 1, 0] or x != regions[row - 1, 1]:
            size = _region_pixels(image, y, x, visited, pixels)
        same = 0
        for i in range(size):
            same += index[pixels[i, 0], pixels[i, 1]] == color
        if size == 0 or same < AGREEMENT * size:
            continue
        for i in range(size):
            changed[pixels[i, 0], pixels[i, 1]] = color
        painted += 1
    return painted


@numba.njit(cache=True)
def _region_pixels(image, y, x, visited, pixels):
    """Lists the region of one colour around a pixel; returns its size, 0 if it is too large."""
    height, width = image.shape
    pixels[0] = y, x
    visited[y, x] = True
    done, size = 0, 1
    while done < size:
        y, x = pixels[done, 0], pixels[done, 1]
        done += 1
        for v in range(max(y - 1, 0), min(y + 2, height)):
            for u in range(max(x - 1, 0), min(x + 2, width)):
                if visited[v, u] or image[v, u] != image[y, x]:
                    continue
                if size == len(pixels):
                    return 0
                visited[v, u] = True
                pixels[size] = v, u
                size += 1
    return size
