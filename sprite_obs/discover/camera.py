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
CLEAR = 0.8
"""Share of a pixel row's changes that the shift must explain; a layer that moves half as fast is
explained in part."""
TOGETHER = 0.7
"""Share of the pairs in which two rows move where they must move alike to be one layer."""
MAX_GAP = 5
"""Rows of patches from one row of a layer to the next; those between say nothing."""
DENSE = 0.3
"""Share of a row's patches that move together from which on it is scenery, not a row of sprites."""
SPAN = 0.7
"""Share of the screen's width over which scenery that moves sideways is seen to move at once."""
OVERSIZED = 0.1
"""Share of a layer that must be covered by things too large for a sprite where it is not dense."""
TALL = 0.5
"""Share of the screen's height that scenery with much plain ground between must take up: a fleet of
sprites flies higher or lower than that."""
AT_BORDERS = 0.5
"""Share of the moves in which such scenery is seen to move at both sides of the screen at once, for
it comes from beyond the border; fleets turn round there."""
BORDER = 1 / 12
"""Share of the screen's width that is near a side."""
MANY_ROWS = 0.25
"""Share of the rows that must move alike for such a move to count."""
MIN_AXIS = 0.08
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
        told: `(P, R, 3)` int32, patches that changed as the shift says, the left and the right
            edge of where they are.
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
    if not len(first):
        return []
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
    return _apart(layers + _sparse_layers(frames, moves))


def _sparse_layers(frames: np.ndarray, moves: _Moves) -> list[Scrolling]:
    """Finds scenery that is plain for the most part: clouds, hills and blocks before a sky."""
    layers, width = [], frames.shape[2]
    for rows in _group_rows(moves.shift, across=True):
        if rows[-1] + 1 - rows[0] < TALL * moves.shift.shape[1]:
            continue
        shift = _consensus(moves.shift[:, rows])  # (P, 2)
        alike = (moves.shift[:, rows] == shift[:, None]).all(2).mean(1)  # (P,)
        seen = np.flatnonzero(shift.any(1) & (alike >= MANY_ROWS))
        if len(seen) < MIN_MOVES:
            continue
        told, first, last = np.moveaxis(moves.told[seen][:, rows], 2, 0)  # (P, r) each
        at_left = np.where(told > 0, first, width).min(1) < BORDER * width  # (P,)
        at_right = last.max(1) > width - BORDER * width
        window = _find_window(frames, moves.first[seen], shift[seen], rows)
        if window is not None and (at_left & at_right).mean() >= AT_BORDERS:
            layers.append(Scrolling(window, (shift[seen] != 0).mean(0) >= MIN_AXIS))
    return layers


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
    told = np.zeros((len(first), num_rows, 3), np.int32)
    for pair, n in enumerate(first):
        for row in range(num_rows):
            area = np.array([0, row * PATCH, width, (row + 1) * PATCH])
            found = find_shift(frames[n], frames[n + 1], area)
            agrees = found.moved >= max(AGREEMENT * found.textured, found.still + MIN_GAIN)
            if agrees and found.textured >= MIN_PATCHES:
                shift[pair, row] = found.x, found.y
                told[pair, row] = found.told, found.first, found.last
    return _Moves(first, shift, told)


def _group_rows(shift: np.ndarray, across: bool = False) -> list[list[int]]:
    """Groups rows of patches that move alike.

    Args:
        shift: `(P, R, 2)` shifts.
        across: whether rows of other motion may lie between those of a group.
    """
    groups: list[list[int]] = []
    for row in np.flatnonzero(shift.any(2).sum(0) >= MIN_MOVES).tolist():
        near = [group for group in groups if row - group[-1] <= MAX_GAP]
        candidates = near if across else [group for group in groups[-1:] if group in near]
        joined = next((group for group in candidates if _move_alike(shift, group, row)), None)
        if joined is None:
            groups.append([row])
        else:
            joined.append(row)
    return groups


def _move_alike(shift: np.ndarray, group: list[int], row: int) -> bool:
    together = _consensus(shift[:, group])
    both = together.any(1) & shift[:, row].any(1)
    alike = (together[both] == shift[both, row]).all(1)
    return bool(len(alike) >= MIN_MOVES // 2 and alike.mean() >= TOGETHER)


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
    # What comes from beyond the border tells nothing: each way that things move is counted apart.
    votes = np.zeros((2, 2, 3, height, width), np.int32)
    for n, (dx, dy) in zip(first, shift.tolist(), strict=True):
        _vote(frames[n], frames[n + 1], dx, dy, votes[int(dy > 0), int(dx > 0)])
        _vote(frames[n + 1], frames[n], -dx, -dy, votes[int(dy < 0), int(dx < 0)])
    ways = votes.reshape(4, 3, height, width)
    lines = np.concatenate([np.arange(row * PATCH, (row + 1) * PATCH) for row in rows])
    across = np.flatnonzero(_moves_along(ways[:, :, lines].sum(2), AGREEMENT) > 0)
    if not len(across):
        return None
    left, right = across[0], across[-1] + 1
    moves = _moves_along(ways[..., left:right].sum(3), CLEAR)  # (H,)
    low, high = _extended(moves, int(lines[0]), int(lines[-1]) + 1)
    window = np.array([left, low, right, high], np.int32)
    return window if (window[2:] - window[:2] >= PATCH).all() else None


def _extended(moves: np.ndarray, low: int, high: int) -> tuple[int, int]:
    """Lets a range of rows end, and start, with the outermost row that moves with the others.

    Sprites of their own motion may hide rows within the range.
    """
    while low > 0 and moves[low - 1] > 0:
        low -= 1
    while high < len(moves) and moves[high] > 0:
        high += 1
    inside = np.flatnonzero(moves[low:high] > 0) + low
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (low, low)


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
                votes[2, y, x] += 1


def _moves_along(votes: np.ndarray, least: float) -> np.ndarray:
    """Returns `(n,)` 1 where the shift explains what changes, -1 where not, 0 where nothing tells.

    Args:
        votes: `(4, 3, n)`; for each way that things move; for the shift, for rest, and in all.
        least: share of what changes that the shift must explain.
    """
    share = votes[:, 0] / np.maximum(votes[:, 2], 1)  # (4, n)
    best = share.argmax(0)[None]
    moved, rested, told = (np.take_along_axis(votes[:, i], best, 0)[0] for i in range(3))
    moves = (moved > 2 * rested) & (moved >= least * told)
    return np.where(moves, 1, np.where(told > 0, -1, 0))


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
    told, first, last = np.moveaxis(moves.told[seen][:, rows], 2, 0)  # (P, r) each
    span = last.max(1) - np.where(told > 0, first, width).min(1)  # (P,)
    if sideways and np.median(span) < SPAN * width:
        return False  # scenery comes and goes at the border of the screen
    if told[told > 0].mean() >= DENSE * (width // PATCH):
        return True
    views = frames[_spread(moves.first[seen], FEW_PAIRS), top:bottom, left:right]
    usual, covered = mode_image(views), 0
    for view in views:
        found = find_components(view, view != usual)
        large = (found.boxes[:, 2:] > max_size).any(1)
        covered += found.areas[large].sum()
    return bool(covered >= OVERSIZED * views.size)
