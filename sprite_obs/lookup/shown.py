"""In which colours frames show a still background: tables and compiled loops."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT
from sprite_obs.lookup.components import WORD, mark_different

COMMON = 0.01
"""Colours that fill a smaller share of the background keep their value."""
AGREEMENT = 0.6
"""Share of an area's pixels that must change into one and the same other colour."""
CLEAR_AGREEMENT = 0.9
"""The same share where the frame as a whole looks as usual."""
MAX_REGION = 0.05
"""Share of the frame that a region has at most which changes its colour on its own."""


class BackgroundTables(NamedTuple):
    """A background as compiled loops need it.

    Attributes:
        image: `(H, W)` uint8, as in `Background`.
        areas: `(256,)` int64, pixels of each colour.
        bands: `(n, 5)` int32, as in `Background`, and 1 where the image itself shows the colour.
        regions: `(n, 3)` int32, one row for each further colour of a region: palette index, and
            where its pixels begin and end in `pixels`.
        pixels: `(p, 2)` int32, y and x of the pixels of regions.
    """

    image: np.ndarray
    areas: np.ndarray
    bands: np.ndarray
    regions: np.ndarray
    pixels: np.ndarray


def make_tables(image: np.ndarray, bands: np.ndarray, regions: np.ndarray) -> BackgroundTables:
    """Prepares a background for `paint_shown`; arguments as in `Background`."""
    image = np.ascontiguousarray(image).copy()
    areas, listed = np.zeros(256, np.int64), np.zeros((len(bands), 5), np.int32)
    _count_areas(image, areas)
    _list_bands(image, bands, listed)
    colors, pixels = np.zeros((len(regions), 3), np.int32), np.zeros((0, 2), np.int32)
    if len(regions):
        pixels = np.empty((2 * image.size + len(regions), 2), np.int32)
        pixels = pixels[: _list_regions(image, regions, colors, pixels)].copy()
    return BackgroundTables(image, areas, listed, colors, pixels)


@numba.njit(cache=True, nogil=True)
def paint_shown(
    index: np.ndarray,
    behind: BackgroundTables,
    max_foreground: float,
    mask: np.ndarray,
    words: np.ndarray,
    painted: np.ndarray,
) -> bool:
    """Paints the background in the colours in which a frame shows it, if they are not the usual.

    Args:
        index: `(H, W)` uint8 palette indices of the frame.
        behind: the background.
        max_foreground: share of differing pixels up to which the usual palette holds.
        mask: as in `padded_mask`; written: where the frame differs from the usual image.
        words: the same memory.
        painted: `(H, W)` uint8, written if the colours are others.

    Returns:
        Whether they are.
    """
    mark_different(index, behind.image, mask)
    colors = np.arange(256).astype(np.uint8)
    swaps = _find_swaps(index, behind, max_foreground, mask, words, colors)
    if not (swaps or _has_changed_part(index, behind, words)):
        return False
    image = behind.image
    for y in range(painted.shape[0]):
        for x in range(painted.shape[1]):
            painted[y, x] = colors[image[y, x]]
    _change_regions(index, behind, painted)
    _change_bands(index, painted, behind.bands)
    return True


@numba.njit(cache=True)
def _find_swaps(index, behind, max_foreground, mask, words, colors):
    """Writes for each colour of the image the one that a frame shows instead; whether any does."""
    image, areas, size = behind.image, behind.areas, behind.image.size
    changed = np.zeros(256, np.int64)
    differs = _count_changed(image, mask, words, changed)
    agreement = AGREEMENT if differs > max_foreground * size else CLEAR_AGREEMENT
    swaps = False
    for color in range(256):
        area = areas[color]
        if area < COMMON * size or changed[color] < agreement * area:
            continue
        counts = np.zeros(256, np.int64)
        _count_instead(index, image, color, mask, words, counts)
        now = counts[:TRANSPARENT]
        if now.max() >= agreement * area:
            colors[color], swaps = now.argmax(), True
    return swaps


@numba.njit(cache=True)
def _count_changed(image, mask, words, changed):
    """Counts the pixels that differ by the image's colour; returns how many there are in all."""
    differs, color, count = 0, image[0, 0], 0
    for y in range(words.shape[0]):
        for word in range(words.shape[1]):
            if words[y, word]:
                for x in range(WORD * word, min(WORD * (word + 1), image.shape[1])):
                    if mask[y, x]:
                        if image[y, x] != color:  # neighbours are alike: counted together
                            changed[color] += count
                            color, count = image[y, x], 0
                        count += 1
                        differs += 1
    changed[color] += count
    return differs


@numba.njit(cache=True)
def _count_instead(index, image, color, mask, words, counts):
    """Counts the colours that a frame shows instead of one of the image's."""
    for y in range(words.shape[0]):
        for word in range(words.shape[1]):
            if words[y, word]:
                for x in range(WORD * word, min(WORD * (word + 1), image.shape[1])):
                    if mask[y, x] and image[y, x] == color:
                        counts[index[y, x]] += 1


@numba.njit(cache=True)
def _has_changed_part(index, behind, words):
    """Returns whether a frame shows any band or region in another colour."""
    bands, regions, pixels = behind.bands, behind.regions, behind.pixels
    for band in range(len(bands)):
        y, as_usual = bands[band, 0], bands[band, 4]
        different = np.uint64(as_usual)
        for word in range(words.shape[1]):
            different |= words[y, word]
        if different and _shows_band(index, y, bands[band, 1], bands[band, 2], bands[band, 3]):
            return True
    for row in range(len(regions)):
        if _shows_region(index, pixels, regions[row, 0], regions[row, 1], regions[row, 2]):
            return True
    return False


@numba.njit(cache=True)
def _shows_band(index: np.ndarray, y: int, left: int, right: int, color: int) -> bool:
    """Returns whether a frame mostly shows a part of a row in one colour."""
    left_over, needed = right - left, AGREEMENT * (right - left)
    for x in range(left, right):
        left_over -= index[y, x] != color
        if left_over < needed:  # most of the time, and soon
            return False
    return True


@numba.njit(cache=True)
def _shows_region(index, pixels, color, start, end):
    """Returns whether a frame mostly shows a region in one colour."""
    left_over = end - start
    for i in range(start, end):
        left_over -= index[pixels[i, 0], pixels[i, 1]] != color
        if left_over < AGREEMENT * (end - start):
            return False
    return end > start


@numba.njit(cache=True)
def _change_bands(index, image, bands):
    """Gives each band of `image` that a frame mostly shows in another colour this colour."""
    for y, left, right, color, _ in bands:
        if _shows_band(index, y, left, right, color):
            usual = image[y, left]
            for x in range(left, right):
                if image[y, x] == usual:
                    image[y, x] = color


@numba.njit(cache=True)
def _change_regions(index, behind, painted):
    """Gives each region that a frame mostly shows in another colour this colour."""
    for color, start, end in behind.regions:
        if _shows_region(index, behind.pixels, color, start, end):
            for i in range(start, end):
                painted[behind.pixels[i, 0], behind.pixels[i, 1]] = color


@numba.njit(cache=True)
def _count_areas(image, areas):
    """Counts the pixels of each colour."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            areas[image[y, x]] += 1


@numba.njit(cache=True)
def _list_bands(image, bands, listed):
    """Writes the table of bands."""
    for row in range(len(bands)):
        y, left, right, color = bands[row]
        listed[row, 0], listed[row, 1], listed[row, 2], listed[row, 3] = y, left, right, color
        listed[row, 4] = _shows_band(image, y, left, right, color)


@numba.njit(cache=True)
def _list_regions(image, rows, regions, pixels):
    """Writes the tables of regions; returns the number of their pixels."""
    visited = np.zeros(image.shape, np.bool_)
    limit, start, end = int(MAX_REGION * image.size) + 1, 0, 0
    for row in range(len(rows)):
        y, x, color = rows[row]
        if row == 0 or y != rows[row - 1, 0] or x != rows[row - 1, 1]:
            start = end
            end += _region_pixels(image, y, x, visited, pixels[end : end + limit])
        regions[row, 0], regions[row, 1], regions[row, 2] = color, start, end
    return end


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
