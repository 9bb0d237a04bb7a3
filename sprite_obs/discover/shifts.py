"""By how much a part of the screen moved from one frame to the next, told by exact patches."""

from typing import NamedTuple

import numba
import numpy as np

PATCH = 8
"""Pixels of a patch's side."""
MAX_SHIFT = 24
"""Pixels that the camera moves between two frames at most, along each axis."""


class Shift(NamedTuple):
    """What the patches of an area say about its motion.

    Attributes:
        x: pixels to the right.
        y: pixels down.
        moved: patches that this shift explains.
        still: patches that standing still explains.
        textured: patches with any structure; the others say nothing.
        told: patches that changed and are explained: they tell the shift.
    """

    x: int
    y: int
    moved: int
    still: int
    textured: int
    told: int


def find_shift(
    before: np.ndarray, after: np.ndarray, area: np.ndarray, likely: tuple[int, int] = (0, 0)
) -> Shift:
    """Finds the shift that explains most patches of an area.

    Args:
        before: `(H, W)` uint8 palette indices.
        after: `(H, W)` uint8 palette indices, the next frame.
        area: `(4,)` left, top, right, bottom (exclusive), in pixels.
        likely: of shifts that explain equally many patches, the one nearest to this (x, y).
    """
    return Shift(*_find_shift(before, after, area, likely[0], likely[1]))


@numba.njit(cache=True)
def _is_flat(image, y, x):
    for v in range(y, y + PATCH):
        for u in range(x, x + PATCH):
            if image[v, u] != image[y, x]:
                return False
    return True


@numba.njit(cache=True)
def _same(after, y, x, before, v, u):
    if v < 0 or u < 0 or v + PATCH > before.shape[0] or u + PATCH > before.shape[1]:
        return False
    for i in range(PATCH):
        for j in range(PATCH):
            if after[y + i, x + j] != before[v + i, u + j]:
                return False
    return True


@numba.njit(cache=True)
def _find_shift(before, after, area, likely_x, likely_y):
    left, top, right, bottom = area
    votes = np.zeros((2 * MAX_SHIFT + 1, 2 * MAX_SHIFT + 1), np.int32)
    resting = np.empty(((bottom - top) * (right - left) // PATCH**2 + 1, 2), np.int32)
    textured, still = 0, 0
    for y in range(top, bottom - PATCH + 1, PATCH):
        for x in range(left, right - PATCH + 1, PATCH):
            if _is_flat(after, y, x):
                continue
            textured += 1
            if _same(after, y, x, before, y, x):
                resting[still] = y, x
                still += 1
    if textured - still < 2:  # most of the time
        return 0, 0, still, still, textured, 0
    for y in range(top, bottom - PATCH + 1, PATCH):
        for x in range(left, right - PATCH + 1, PATCH):
            if not _is_flat(after, y, x) and not _same(after, y, x, before, y, x):
                _vote(before, after, y, x, votes)
    x, y, moved = _best(before, after, resting[:still], votes, likely_x, likely_y)
    if moved <= still:
        x, y, moved = 0, 0, still
    return x, y, moved, still, textured, votes[y + MAX_SHIFT, x + MAX_SHIFT]


@numba.njit(cache=True)
def _vote(before, after, y, x, votes):
    """Adds the shifts that explain a patch."""
    for dy in range(-MAX_SHIFT, MAX_SHIFT + 1):
        for dx in range(-MAX_SHIFT, MAX_SHIFT + 1):
            if _same(after, y, x, before, y - dy, x - dx):
                votes[dy + MAX_SHIFT, dx + MAX_SHIFT] += 1


@numba.njit(cache=True)
def _best(before, after, resting, votes, likely_x, likely_y):
    """Returns x, y and the patches explained, of those that changed and of those that rest."""
    best, best_x, best_y, nearest = 0, 0, 0, 1 << 30
    most = votes.max()
    for i in range(len(votes)):
        for j in range(len(votes)):
            if votes[i, j] < 2 or 2 * votes[i, j] < most:
                continue
            dy, dx, total = i - MAX_SHIFT, j - MAX_SHIFT, votes[i, j]
            for n in range(len(resting)):
                y, x = resting[n]
                total += _same(after, y, x, before, y - dy, x - dx)
            distance = (dx - likely_x) ** 2 + (dy - likely_y) ** 2
            if total > best or (total == best and distance < nearest):
                best, best_x, best_y, nearest = total, dx, dy, distance
    return best_x, best_y, best
