"""Which sprites are one thing: poses and clipped views that follow each other in the same place."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sprite_obs.discover.count import Occurrences
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank

MAX_STEP = 10
"""Pixels that a centre moves at most between two frames."""
MIN_TRANSITIONS = 3
"""Changes from one drawing into the other before they count as one thing."""
TRANSITION_SHARE = 0.05
"""Changes relative to the appearances of the rarer drawing."""
COLOR_OVERLAP = 0.5
"""Common part of the two colour histograms."""


def follow(seen: Occurrences, episode: np.ndarray) -> np.ndarray:
    """Pairs occurrences of consecutive frames that are each other's nearest.

    Args:
        seen: occurrences in frame order.
        episode: `(F,)` episode of each frame; no pair crosses a border.

    Returns:
        `(P, 2)` int64, rows of `seen`: earlier, later.
    """
    starts = seen.rows_by_frame(len(episode))
    centre = seen.centre
    pairs = [np.zeros((0, 2), np.int64)]
    for frame in range(len(episode) - 1):
        if episode[frame] != episode[frame + 1]:
            continue
        before = np.arange(starts[frame], starts[frame + 1])
        after = np.arange(starts[frame + 1], starts[frame + 2])
        if not len(before) or not len(after):
            continue
        distance = np.abs(centre[before, None] - centre[None, after]).max(2)  # (A, B)
        nearest = distance.argmin(1)
        mutual = distance.argmin(0)[nearest] == np.arange(len(before))
        mutual &= distance[np.arange(len(before)), nearest] <= MAX_STEP
        pairs.append(np.column_stack([before[mutual], after[nearest[mutual]]]))
    return np.concatenate(pairs)


def color_histograms(bank: SpriteBank) -> np.ndarray:
    """Returns `(K, 256)` float64, the share of each palette colour in each drawing."""
    counts = np.zeros((len(bank), 256))
    for sprite in range(len(bank)):
        drawing = bank.drawing(sprite)
        counts[sprite] = np.bincount(drawing[drawing != TRANSPARENT], minlength=256)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def _similar(bank: SpriteBank, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    histograms = color_histograms(bank)
    overlap = np.minimum(histograms[first], histograms[second]).sum(1)
    small = np.minimum(bank.sizes[first], bank.sizes[second])
    large = np.maximum(bank.sizes[first], bank.sizes[second])
    return (overlap >= COLOR_OVERLAP) & (large <= 2 * small + 2).all(1)


def link_types(bank: SpriteBank, seen: Occurrences, pairs: np.ndarray) -> np.ndarray:
    """Groups drawings that turn into each other while moving.

    Args:
        bank: the drawings.
        seen: occurrences whose `drawing` indexes the bank.
        pairs: `(P, 2)` rows of `seen` in consecutive frames, from `follow`.

    Returns:
        `(K,)` int32, the group of each drawing, from 0.
    """
    size = len(bank)
    counts = np.bincount(seen.drawing, minlength=size)
    change = np.sort(seen.drawing[pairs], axis=1)
    codes, times = np.unique(change[:, 0] * size + change[:, 1], return_counts=True)
    first, second = np.divmod(codes, max(size, 1))
    rarer = np.minimum(counts[first], counts[second])
    linked = (times >= MIN_TRANSITIONS) & (times >= TRANSITION_SHARE * rarer) & (first != second)
    linked &= _similar(bank, first, second)
    graph = coo_array((np.ones(linked.sum()), (first[linked], second[linked])), (size, size))
    return connected_components(graph, directed=False)[1].astype(np.int32)


def moving_share(seen: Occurrences, pairs: np.ndarray, size: int) -> np.ndarray:
    """Returns `(K,)` float64, share of a drawing's appearances from which it moves on."""
    moved = (np.abs(seen.centre[pairs[:, 1]] - seen.centre[pairs[:, 0]]) >= 1).any(1)
    same = seen.drawing[pairs[:, 0]] == seen.drawing[pairs[:, 1]]
    moves = np.bincount(seen.drawing[pairs[moved & same, 0]], minlength=size)
    return moves / np.maximum(np.bincount(seen.drawing, minlength=size), 1)
