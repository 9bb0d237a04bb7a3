"""Fragments that move together, found by the fixed offsets at which they stand to each other."""

from itertools import pairwise

import numpy as np

from sprite_obs.detections import Detections

MAX_GAP = 4
"""Pixels between two fragments of one thing."""
MAX_SPACE = 1
"""Pixels between two bars of a digit."""
MIN_COUNT = 5
"""Frames in which an offset is seen before it counts."""
MIN_PLACES = 4
"""Places at which an offset is seen before it counts: what never moves is no fragment."""
MIN_SHARE = 0.03
"""Share of a fragment's appearances that one offset explains at least."""
ACCOMPANIED = 0.7
"""Share of its appearances in which a fragment must stand at one of its offsets."""
MAX_AREA = 0.6
"""Area of a fragment relative to what it belongs to, unless both are tiny."""
MAX_RESTING = 0.6
"""Share of its appearances in which a fragment may lie still."""
TOGETHER = 0.9
"""Share of the appearances of both in which sprites of one size stand together."""
TINY = 10
"""Pixels of sprites that may be fragments of each other."""


def find_links(seen: Detections, areas: np.ndarray) -> np.ndarray:
    """Finds which sprites stand at fixed offsets to which others wherever they are.

    Args:
        seen: the sprites of all frames, ids 1..K.
        areas: `(K,)` opaque pixels of each sprite.

    Returns:
        `(L, 4)` int32 as in `Links`.
    """
    pairs = _near_pairs(seen, MAX_GAP)
    first, second = pairs.T
    area = np.concatenate([[0], areas])
    fits = (seen.sprite[first] > 0) & (seen.sprite[second] > 0)
    fits &= (_resting_share(seen, len(area)) <= MAX_RESTING)[seen.sprite[first]]
    first, second = first[fits], second[fits]
    keys = _pack(seen, first, second)
    _, some, index, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    first_row, second_row = first[some], second[some]  # one example of each link
    fragment, whole = seen.sprite[first_row], seen.sprite[second_row]
    appearances = np.maximum(np.bincount(seen.sprite, minlength=len(area)), 1)
    a, b = area[fragment], area[whole]
    possible = (a <= MAX_AREA * b) | ((a <= b) & (b <= TINY))
    possible |= counts >= TOGETHER * np.maximum(appearances[fragment], appearances[whole])
    possible &= counts >= np.maximum(MIN_COUNT, MIN_SHARE * appearances[fragment])
    place = seen.box[first, 1].astype(np.int64) * 65536 + seen.box[first, 0]
    places = np.unique(np.column_stack([index, place]), axis=0)[:, 0]
    possible &= np.bincount(places, minlength=len(some)) >= MIN_PLACES
    accompanied = np.unique(first[possible[index]])
    share = np.bincount(seen.sprite[accompanied], minlength=len(area)) / appearances
    offset = seen.box[second_row, :2] - seen.box[first_row, :2]
    links = np.column_stack([fragment, whole, offset])
    return links[possible & (share[fragment] >= ACCOMPANIED)].astype(np.int32)


def find_stacks(seen: Detections, display: np.ndarray) -> np.ndarray:
    """Finds which sprites of the display stand above each other: bars that a digit is drawn of.

    They never move, so nothing but their nearness tells that they belong together. What stands
    side by side stays apart: digits of a score do.

    Args:
        seen: the sprites of all frames, ids 1..K.
        display: `(N,)` bool, which of them belong to the display.

    Returns:
        `(L, 4)` int32 as in `Links`.
    """
    appearances = np.maximum(np.bincount(seen.sprite), 1)
    share = np.bincount(seen.sprite, display) / appearances
    bars = seen.rows(np.flatnonzero((share >= TOGETHER)[seen.sprite] & (seen.sprite > 0)))
    first, second = _near_pairs(bars, MAX_SPACE).T
    low, high = bars.box[:, 0], bars.box[:, 0] + bars.box[:, 2]
    stacked = np.minimum(high[first], high[second]) > np.maximum(low[first], low[second])
    first, second = first[stacked], second[stacked]
    _, some, counts = np.unique(_pack(bars, first, second), return_index=True, return_counts=True)
    some = some[counts >= MIN_COUNT]
    first, second = first[some], second[some]
    offset = bars.box[second, :2] - bars.box[first, :2]
    return np.column_stack([bars.sprite[first], bars.sprite[second], offset]).astype(np.int32)


def _pack(seen: Detections, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns one int64 for each pair of sprites and their offset."""
    offset = (seen.box[second, :2] - seen.box[first, :2]).astype(np.int64) + (1 << 11)
    ids = (seen.sprite[first].astype(np.int64) << 16) + seen.sprite[second]
    return (ids << 24) + (offset[:, 1] << 12) + offset[:, 0]


def _resting_share(seen: Detections, size: int) -> np.ndarray:
    """Returns `(size,)`, share of a sprite's appearances that are where the last frame has one."""
    place = (seen.box[:, 1].astype(np.int64) << 16) + seen.box[:, 0]
    keys = (place << 16) + seen.sprite
    frame = seen.frame.astype(np.int64) << 48
    resting = np.isin(frame + keys, frame + (1 << 48) + keys)
    appearances = np.bincount(seen.sprite, minlength=size)
    return np.bincount(seen.sprite[resting], minlength=size) / np.maximum(appearances, 1)


def _near_pairs(seen: Detections, max_gap: int) -> np.ndarray:
    """Returns `(P, 2)` rows of different sprites that are at most `max_gap` apart in one frame."""
    starts = np.flatnonzero(np.diff(seen.frame, prepend=-1, append=-1))
    pairs = [np.zeros((0, 2), np.int64)]
    for start, end in pairwise(starts.tolist()):
        box = seen.box[start:end]
        low, high = box[:, :2], box[:, :2] + box[:, 2:]
        gap = np.maximum(low[:, None], low[None]) - np.minimum(high[:, None], high[None])
        near = (gap.max(2) <= max_gap) & ~np.eye(len(box), dtype=bool)
        pairs.append(np.argwhere(near) + start)
    return np.concatenate(pairs)
