"""Which sprites are one thing: poses and clipped views that follow each other in the same place."""

import numpy as np

from sprite_obs.discover.count import Occurrences
from sprite_obs.discover.variants import color_overlap, components, find_variants
from sprite_obs.lookup.bank import SpriteBank

MAX_STEP = 10
"""Pixels that a centre moves at most between two frames."""
GAPS = (1, 2)
"""Frames between two views of one thing; 2 for what flickers."""
MIN_TRANSITIONS = 3
"""Changes from one drawing into the other before they count as one thing."""
TRANSITION_SHARE = 0.05
"""Changes relative to the appearances of the rarer drawing."""
COLOR_OVERLAP = 0.5
"""Common part of the two colour histograms."""
MAX_AREA_RATIO = 3
"""Opaque pixels of the larger drawing relative to the smaller."""


def follow(
    seen: Occurrences, episode: np.ndarray, gap: int = 1, alike: np.ndarray | None = None
) -> np.ndarray:
    """Pairs occurrences of two frames that are each other's nearest.

    Args:
        seen: occurrences in frame order.
        episode: `(F,)` episode of each frame; no pair crosses a border.
        gap: frames from the earlier to the later; 1 for consecutive frames.
        alike: `(K, K)` bool, which drawings may be paired; None for all.

    Returns:
        `(P, 2)` int64, rows of `seen`: earlier, later.
    """
    starts = seen.rows_by_frame(len(episode))
    centre = seen.centre
    pairs = [np.zeros((0, 2), np.int64)]
    for frame in np.flatnonzero(episode[:-gap] == episode[gap:]):
        before = np.arange(starts[frame], starts[frame + 1])
        after = np.arange(starts[frame + gap], starts[frame + gap + 1])
        if not len(before) or not len(after):
            continue
        distance = np.abs(centre[before, None] - centre[None, after]).max(2)  # (A, B)
        if alike is not None:
            distance[~alike[seen.drawing[before, None], seen.drawing[after]]] = np.inf
        nearest = distance.argmin(1)
        mutual = distance.argmin(0)[nearest] == np.arange(len(before))
        mutual &= distance[np.arange(len(before)), nearest] <= MAX_STEP
        pairs.append(np.column_stack([before[mutual], after[nearest[mutual]]]))
    return np.concatenate(pairs)


def link_types(bank: SpriteBank, seen: Occurrences, pairs: np.ndarray) -> np.ndarray:
    """Groups drawings that turn into each other while moving, or look like one thing.

    Args:
        bank: the drawings.
        seen: occurrences whose `drawing` indexes the bank.
        pairs: `(P, 2)` rows of `seen` in consecutive frames, from `follow`.

    Returns:
        `(K,)` int32, the group of each drawing, from 0.
    """
    return components(link_drawings(bank, seen, pairs, np.eye(len(bank), dtype=bool)))


def link_drawings(
    bank: SpriteBank, seen: Occurrences, pairs: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Finds which drawings turn into each other while moving, or look like one thing.

    Args:
        bank: as for `link_types`.
        seen: as for `link_types`.
        pairs: as for `link_types`.
        known: `(K, K)` bool, drawings that are one thing for sure.

    Returns:
        `(K, K)` bool, the given links and more.
    """
    colors = color_overlap(bank)
    alike = _alike(bank, colors)
    episode = _episodes(seen, pairs)
    links = known
    for gap in GAPS:
        links = links | alike & _changes(seen, follow(seen, episode, gap, alike), len(bank))
    return find_variants(bank, seen, colors, links)


def _alike(bank: SpriteBank, colors: np.ndarray) -> np.ndarray:
    """Returns `(K, K)` bool, drawings of such colours and sizes that they may be one thing."""
    small = np.minimum(bank.sizes[:, None], bank.sizes)
    large = np.maximum(bank.sizes[:, None], bank.sizes)
    area = np.maximum(bank.areas[:, None], bank.areas)
    similar = area <= MAX_AREA_RATIO * np.minimum(bank.areas[:, None], bank.areas)
    return similar & (colors >= COLOR_OVERLAP) & (large <= 2 * small + 2).all(2)


def _episodes(seen: Occurrences, pairs: np.ndarray) -> np.ndarray:
    """Returns `(F,)` int64, a number that rises where nothing was followed to the next frame."""
    followed = np.zeros(int(seen.frame.max(initial=-1)) + 1, bool)
    followed[seen.frame[pairs[:, 0]]] = True
    return np.cumsum(~followed) - ~followed


def _changes(seen: Occurrences, pairs: np.ndarray, size: int) -> np.ndarray:
    """Returns `(K, K)` bool, drawings that change into each other often for their appearances."""
    times = np.zeros((size, size), np.int64)
    np.add.at(times, tuple(seen.drawing[pairs].T), 1)
    times += times.T
    counts = np.bincount(seen.drawing, minlength=size)
    rarer = np.minimum(counts[:, None], counts)
    return (times >= MIN_TRANSITIONS) & (times >= TRANSITION_SHARE * rarer)


def moving_share(seen: Occurrences, pairs: np.ndarray, size: int) -> np.ndarray:
    """Returns `(K,)` float64, share of a drawing's appearances from which it moves on."""
    moved = (np.abs(seen.centre[pairs[:, 1]] - seen.centre[pairs[:, 0]]) >= 1).any(1)
    same = seen.drawing[pairs[:, 0]] == seen.drawing[pairs[:, 1]]
    moves = np.bincount(seen.drawing[pairs[moved & same, 0]], minlength=size)
    return moves / np.maximum(np.bincount(seen.drawing, minlength=size), 1)
