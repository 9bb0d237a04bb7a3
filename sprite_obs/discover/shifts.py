"""By how much a part of the screen moved from one frame to the next, told by exact patches."""

from typing import NamedTuple

import numba
import numpy as np

PATCH = 8
"""Pixels of a patch's side."""
MAX_SHIFT = 24
"""Pixels that the camera moves between two frames at most, along each axis."""

MAX_VOTERS = 32
"""Patches that are looked for at all shifts; the others only judge what these find."""


class Shift(NamedTuple):
    """What the patches of an area say about its motion.

    Attributes:
        x: pixels to the right.
        y: pixels down.
        moved: patches that this shift explains.
        still: patches that standing still explains.
        textured: patches with any structure; the others say nothing.
        told: patches that changed and are explained: they tell the shift.
        first: left edge of the leftmost of these, in pixels.
        last: right edge (exclusive) of the rightmost.
    """

    x: int
    y: int
    moved: int
    still: int
    textured: int
    told: int
    first: int
    last: int


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
    patches = np.empty(((bottom - top) * (right - left) // PATCH**2 + 1, 2), np.int32)
    textured, still = 0, 0  # those that rest come first
    for y in range(top, bottom - PATCH + 1, PATCH):
        for x in range(left, right - PATCH + 1, PATCH):
            if not _is_flat(after, y, x):
                patches[textured] = y, x
                if _same(after, y, x, before, y, x):
                    patches[textured], patches[still] = patches[still].copy(), (y, x)
                    still += 1
                textured += 1
    if textured - still < 2:  # most of the time
        return 0, 0, still, still, textured, 0, 0, 0
    changed = patches[still:textured]
    votes = np.zeros((2 * MAX_SHIFT + 1, 2 * MAX_SHIFT + 1), np.int32)
    for y, x in changed[:: max(1, len(changed) // MAX_VOTERS)]:
        _vote(before, after, y, x, votes)
    x, y = _best(before, after, patches[:textured], votes, likely_x, likely_y)
    told, first, last = _explained(before, after, changed, x, y)
    moved = told + _explained(before, after, patches[:still], x, y)[0]
    if moved <= still:
        return 0, 0, still, still, textured, 0, 0, 0
    return x, y, moved, still, textured, told, first, last


@numba.njit(cache=True)
def _vote(before, after, y, x, votes):
    """Adds the shifts that explain a patch."""
    for dy in range(-MAX_SHIFT, MAX_SHIFT + 1):
        for dx in range(-MAX_SHIFT, MAX_SHIFT + 1):
            if _same(after, y, x, before, y - dy, x - dx):
                votes[dy + MAX_SHIFT, dx + MAX_SHIFT] += 1


@numba.njit(cache=True)
def _explained(before, after, patches, dx, dy):
    """Returns how many patches a shift explains, and their left and right edge."""
    count, first, last = 0, after.shape[1], 0
    for y, x in patches:
        if _same(after, y, x, before, y - dy, x - dx):
            count += 1
            first, last = min(first, x), max(last, x + PATCH)
    return count, first, last


@numba.njit(cache=True)
def _best(before, after, patches, votes, likely_x, likely_y):
    """Returns x and y of the shift with at least half of the most votes that explains most."""
    best, best_x, best_y, nearest = 0, 0, 0, 1 << 30
    most = votes.max()
    for i in range(len(votes)):
        for j in range(len(votes)):
            if votes[i, j] < 2 or 2 * votes[i, j] < most:
                continue
            dy, dx = i - MAX_SHIFT, j - MAX_SHIFT
            total = _explained(before, after, patches, dx, dy)[0]
            distance = (dx - likely_x) ** 2 + (dy - likely_y) ** 2
            if total > best or (total == best and distance < nearest):
                best, best_x, best_y, nearest = total, dx, dy, distance
    return best_x, best_y
