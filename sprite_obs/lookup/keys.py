"""Keys of pixels: equal for equal shapes in equal colours, wherever they are."""

import numba
import numpy as np

EMPTY = np.uint64(0xCBF29CE484222325)
"""Key of no pixels."""
FACTOR = np.uint64(0x9FB21C651E98DF25)
"""Odd multiplier that spreads what is mixed into a key over its upper half."""


@numba.njit(cache=True)
def drawing_key(colors: np.ndarray, opaque: np.ndarray) -> np.int64:
    """Returns the key of a component that looks like a drawing.

    Args:
        colors: `(h, w)` uint8 palette indices.
        opaque: `(h, w)` bool, its pixels, some of them in each outer row and column.
    """
    height, width = colors.shape
    key, first = EMPTY, -1
    for y in range(height):
        x = 0
        while x < width:
            left = x
            while x < width and opaque[y, x]:
                x += 1
            if x > left:
                first = left if first < 0 else first
                key = add_run(key, colors, y, left, x, y, first)
            x += 1
    return end_key(key, first, width, height)


@numba.njit(cache=True, inline="always")
def add_run(key, colors, y, left, right, row, origin):
    """Adds the pixels of a row to a key, one stretch of a colour after the other.

    Args:
        key: uint64, `EMPTY` at first.
        colors: `(H, W)` uint8.
        y: the row in `colors`.
        left: where the pixels begin.
        right: where they end.
        row: number of the row, counted from the first one.
        origin: where the pixels of the first row begin.
    """
    begin = left
    for x in range(left + 1, right + 1):
        if x == right or colors[y, x] != colors[y, begin]:
            key = _mixed(key, colors[y, begin], row, begin - origin, x - begin)
            begin = x
    return key


@numba.njit(cache=True, inline="always")
def end_key(key, origin, width, height):
    """Adds the size of the box around all pixels, and where in it the first one is."""
    return np.int64(_mixed(key, 0, width, origin, height))


@numba.njit(cache=True, inline="always")
def _mixed(key, first, second, third, fourth):
    """Mixes four numbers of 16 bits into a key; the third one may be negative."""
    value = np.uint64(first) | (np.uint64(second) << np.uint64(16))
    value |= np.uint64(third + (1 << 15)) << np.uint64(32)
    key = (key ^ (value | (np.uint64(fourth) << np.uint64(48)))) * FACTOR
    return key ^ (key >> np.uint64(32))
