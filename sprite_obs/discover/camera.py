"""Which parts of the screen scroll behind the sprites."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.discover.background import mode_image
from sprite_obs.discover.shifts import PATCH, find_shift
from sprite_obs.lookup.components import find_components

FEW_PAIRS, MANY_PAIRS = 60, 300
"""Pairs of consecutive frames that show whether anything scrolls, and if so, what."""
MIN_MOVES = 8
"""Pairs in which a row of patches must be seen to move."""
MIN_PATCHES = 4
"""Patches with structure that a row must have to say anything."""
AGREEMENT = 0.6
"""Share of a row's patches that one shift must explain; sprites cover the others."""
MIN_GAIN = 2
"""Patches that the shift explains beyond those that standing still does."""
TOGETHER = 0.7
"""Share of the pairs in which two rows move where they must move alike to be one layer."""
DENSE = 0.3
"""Share of a row's patches that move together from which on it is scenery, not a row of sprites."""
SPAN = 0.8
"""Share of the screen's width that scenery fills if it moves sideways."""
OVERSIZED = 0.1
"""Share of a layer that must be covered by things too large for a sprite where it is not dense."""
MIN_AXIS = 0.03
"""Share of a layer's moves that go along an axis, or it does not move along that axis."""


class Scrolling(NamedTuple):
    """A part of the screen that scrolls.

    Attributes:
        window: `(4,)` int32, left, top, right, bottom (exclusive) in frame pixels.
        axes: `(2,)` bool, whether it moves sideways, and up or down.
    """

    window: np.ndarray
    axes: np.ndarray


class _Moves(NamedTuple):
    """How the rows of patches move in P pairs of frames.

    Attributes:
        first: `(P,)` int64, first frame of each pair.
        shift: `(P, R, 2)` int32, x and y in pixels; 0 where a row is not seen to move.
        told: `(P, R)` int32, patches that changed as the shift says.
    """

    first: np.ndarray
    shift: np.ndarray
    told: np.ndarray


def find_scrolling(frames: np.ndarray, episode: np.ndarray, max_size: int) -> list[Scrolling]:
    """Finds the parts of the screen that scroll.

    A fleet of sprites moves as one, too. So what scrolls must fill its part of the screen with
    structure, or consist of things larger than any sprite.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        max_size: side of a sprite's canvas in pixels.

    Returns:
        The layers, the highest first; none where the screen stands still.
    """
    if min(frames.shape[1:]) < 2 * PATCH:
        return []
    first = np.flatnonzero(np.diff(episode) == 0)
    moves = _row_moves(frames, _spread(first, FEW_PAIRS))
    if not (moves.shift.any(2).mean(0) >= MIN_MOVES / MANY_PAIRS).any():
        return []
    moves = _row_moves(frames, _spread(first, MANY_PAIRS))
    layers = []
    for rows in _group_rows(moves.shift):
        shift = _consensus(moves.shift[:, rows])  # (P, 2)
        seen = np.flatnonzero(shift.any(1))
        window = _find_window(frames, moves.first[seen], shift[seen], rows)
        if window is None:
            continue
        axes = (shift[seen] != 0).mean(0) >= MIN_AXIS
        if _is_scenery(frames, moves, seen, rows, window, axes[0], max_size):
            layers.append(Scrolling(window, axes))
    return _apart(layers)


def _apart(layers: list[Scrolling]) -> list[Scrolling]:
    """Keeps the larger of layers that overlap; the largest comes first."""
    kept: list[Scrolling] = []
    for layer in sorted(layers, key=lambda layer: int(layer.window[1] - layer.window[3])):
        _, top, _, bottom = layer.window
        if all(bottom <= other.window[1] or top >= other.window[3] for other in kept):
            kept.append(layer)
    return kept


def _spread(items: np.ndarray, count: int) -> np.ndarray:
    return items[:: max(1, len(items) // count)]


def _row_moves(frames: np.ndarray, first: np.ndarray) -> _Moves:
    num_rows, width = frames.shape[1] // PATCH, frames.shape[2]
    shift = np.zeros((len(first), num_rows, 2), np.int32)
    told = np.zeros((len(first), num_rows), np.int32)
    for pair, n in enumerate(first):
        for row in range(num_rows):
            area = np.array([0, row * PATCH, width, (row + 1) * PATCH])
            found = find_shift(frames[n], frames[n + 1], area)
            agrees = found.moved >= max(AGREEMENT * found.textured, found.still + MIN_GAIN)
            if agrees and found.textured >= MIN_PATCHES:
                shift[pair, row] = found.x, found.y
                told[pair, row] = found.told
    return _Moves(first, shift, told)


def _group_rows(shift: np.ndarray) -> list[list[int]]:
    """Groups rows of patches that move alike; `(P, R, 2)` shifts."""
    groups: list[list[int]] = []
    for row in np.flatnonzero(shift.any(2).sum(0) >= MIN_MOVES).tolist():
        if groups:
            together = _consensus(shift[:, groups[-1]])
            both = together.any(1) & shift[:, row].any(1)
            alike = (together[both] == shift[both, row]).all(1)
            if len(alike) >= MIN_MOVES // 2 and alike.mean() >= TOGETHER:
                groups[-1].append(row)
                continue
        groups.append([row])
    return groups


def _consensus(shift: np.ndarray) -> np.ndarray:
    """Returns `(P, 2)` int32, the commonest shift of `(P, R, 2)` among the rows that move."""
    chosen = np.zeros((len(shift), 2), np.int32)
    for pair, rows in enumerate(shift):
        moving = rows[rows.any(1)]
        if len(moving):
            values, counts = np.unique(moving, axis=0, return_counts=True)
            chosen[pair] = values[counts.argmax()]
    return chosen


def _find_window(
    frames: np.ndarray, first: np.ndarray, shift: np.ndarray, rows: list[int]
) -> np.ndarray | None:
    """Finds the pixel rows and columns that move with the given rows of patches.

    Returns:
        `(4,)` int32 left, top, right, bottom (exclusive); None if there are none.
    """
    height, width = frames.shape[1:]
    votes = np.zeros((2, 2, height, width), np.int32)
    for n, (dx, dy) in zip(first, shift.tolist(), strict=True):
        _vote(frames[n], frames[n + 1], dx, dy, votes[0])
        _vote(frames[n + 1], frames[n], -dx, -dy, votes[1])
    middle = slice(rows[0] * PATCH, (rows[-1] + 1) * PATCH)
    moves = _moves_along(votes.sum(3))  # (H,)
    # Sprites of their own motion may hide a row between others, never the rows at both ends.
    low, high = middle.start, middle.stop
    while low > 0 and moves[low - 1] > 0:
        low -= 1
    while high < height and moves[high] > 0:
        high += 1
    inside = np.flatnonzero(moves[low:high] > 0) + low
    if not len(inside):
        return None
    low, high = int(inside[0]), int(inside[-1]) + 1
    across = np.flatnonzero(_moves_along(votes[:, :, low:high].sum(2)) > 0)
    if not len(across):
        return None
    window = np.array([across[0], low, across[-1] + 1, high], np.int32)
    return window if (window[2:] - window[:2] >= PATCH).all() else None


@numba.njit(cache=True)
def _vote(before, after, dx, dy, votes):
    """Counts per pixel of `before` whether the next frame shows it shifted, or where it was."""
    height, width = before.shape
    for y in range(max(0, -dy), min(height, height - dy)):
        for x in range(max(0, -dx), min(width, width - dx)):
            here, shifted, still = before[y, x], after[y + dy, x + dx], after[y, x]
            if shifted != still:
                votes[0, y, x] += here == shifted
                votes[1, y, x] += here == still


def _moves_along(votes: np.ndarray) -> np.ndarray:
    """Returns `(n,)` 1 where the shift explains far more than rest does, 0 where nothing tells.

    Args:
        votes: `(2, 2, n)`; seen forwards and backwards; for the shift and for rest.
    """
    total = np.maximum(votes.sum(1), 1)  # (2, n)
    better = (votes[:, 0] / total).argmax(0)[None]
    moved = np.take_along_axis(votes[:, 0], better, 0)[0]
    rested = np.take_along_axis(votes[:, 1], better, 0)[0]
    return np.where(moved > 2 * rested, 1, np.where(moved + rested > 0, -1, 0))


def _is_scenery(
    frames: np.ndarray,
    moves: _Moves,
    seen: np.ndarray,
    rows: list[int],
    window: np.ndarray,
    sideways: bool,
    max_size: int,
) -> bool:
    left, top, right, bottom = window.tolist()
    width = frames.shape[2]
    if sideways and right - left < SPAN * width:
        return False  # scenery comes and goes at the border of the screen
    told = moves.told[np.ix_(seen, rows)]  # (P, r)
    if told[told > 0].mean() >= DENSE * (width // PATCH):
        return True
    views = frames[_spread(moves.first[seen], FEW_PAIRS), top:bottom, left:right]
    usual, covered = mode_image(views), 0
    for view in views:
        found = find_components(view, view != usual)
        large = (found.boxes[:, 2:] > max_size).any(1)
        covered += found.areas[large].sum()
    return bool(covered >= OVERSIZED * views.size)
