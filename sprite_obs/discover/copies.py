"""Sprites that lie still in the background, found as exact copies and taken out."""

import numba
import numpy as np

from sprite_obs.lookup.bank import SpriteBank

MIN_AREA = 6
"""Smaller drawings match by accident."""
SURE_AREA = 12
"""Smaller drawings are taken out only where a single colour surrounds them."""
UNIFORM = 0.75
"""Share of the surrounding pixels that must have one colour."""


@numba.njit(cache=True)
def _matches(background, drawing, top, left):
    for y in range(drawing.shape[0]):
        for x in range(drawing.shape[1]):
            if drawing[y, x] != 255 and background[top + y, left + x] != drawing[y, x]:
                return False
    return True


@numba.njit(cache=True)
def _near(drawing, y, x):
    """Whether a pixel around a drawing touches one of its opaque pixels."""
    for v in range(max(y - 1, 0), min(y + 2, drawing.shape[0])):
        for u in range(max(x - 1, 0), min(x + 2, drawing.shape[1])):
            if drawing[v, u] != 255:
                return True
    return False


@numba.njit(cache=True)
def _ring(background, drawing, top, left):
    """Counts the colours of the pixels that touch a drawing from outside."""
    counts = np.zeros(256, np.int64)
    height, width = drawing.shape
    for y in range(-1, height + 1):
        for x in range(-1, width + 1):
            inside = 0 <= y < height and 0 <= x < width
            if (inside and drawing[y, x] != 255) or not _near(drawing, y, x):
                continue
            row, column = top + y, left + x
            if 0 <= row < background.shape[0] and 0 <= column < background.shape[1]:
                counts[background[row, column]] += 1
    return counts


@numba.njit(cache=True)
def _goes_on(background, drawing, top, left):
    """Whether a colour of the drawing continues beyond it: then it is part of something larger."""
    height, width = drawing.shape
    for y in range(height):
        for x in range(width):
            if drawing[y, x] == 255:
                continue
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < height and 0 <= u < width and drawing[v, u] != 255:
                    continue
                row, column = top + v, left + u
                if 0 <= row < background.shape[0] and 0 <= column < background.shape[1]:
                    if background[row, column] == drawing[y, x]:
                        return True
    return False


@numba.njit(cache=True)
def _cut(background, drawing, uniform):
    """Replaces each copy by the colour around it; returns how many there were."""
    height, width = drawing.shape
    count = 0
    for top in range(background.shape[0] - height + 1):
        for left in range(background.shape[1] - width + 1):
            if not _matches(background, drawing, top, left):
                continue
            around = _ring(background, drawing, top, left)
            color = around.argmax()
            if around[color] < uniform * max(around.sum(), 4):
                continue
            if (drawing == color).any() or _goes_on(background, drawing, top, left):
                continue
            for y in range(height):
                for x in range(width):
                    if drawing[y, x] != 255:
                        background[top + y, left + x] = color
            count += 1
    return count


def cut_copies(background: np.ndarray, bank: SpriteBank) -> np.ndarray:
    """Takes exact copies of known sprites out of a background.

    Args:
        background: `(H, W)` uint8 palette indices.
        bank: the sprites found so far, largest first.

    Returns:
        `(H, W)` uint8; the places of the copies have the colour around them.
    """
    background = background.copy()
    for sprite in np.flatnonzero(bank.areas >= MIN_AREA):
        uniform = UNIFORM if bank.areas[sprite] >= SURE_AREA else 1.0
        _cut(background, bank.drawing(sprite), uniform)
    return background
