"""Regions of the background that change their colour as a whole: court lines, flashing signs."""

import numba
import numpy as np

from sprite_obs.discover.background import color_regions
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import TRANSPARENT
from sprite_obs.lookup.shown import MAX_REGION

MIN_AREA = 16
"""Pixels of a region that may change its colour; a smaller one is soon covered by some thing."""
PURE = 0.9
"""Share of a region that must show one and the same other colour."""
EXPLAINED = 0.9
"""Share of the pairs across a region's border whose outer pixel is as usual, or changed with a
region of its own: else some larger thing lies there."""
MERGED = 0.5
"""Share of these pairs that may show the region's new colour outside too: more, and the region did
not change, it vanished."""


def find_regions(
    frames: np.ndarray, background: Background, min_count: int, max_foreground: float
) -> np.ndarray:
    """Finds regions of one colour that take on further colours.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        background: what is known so far, with its bands.
        min_count: frames that must show a region in a colour.
        max_foreground: frames that differ in a larger share of pixels are left out.

    Returns:
        `(n, 3)` int32, y and x of a pixel of the region, palette index; a region's rows together.
    """
    labels, areas = color_regions(background.image)
    counts = np.zeros((len(areas), TRANSPARENT + 1), np.int64)
    for index in frames:
        shown = background.shown(index, max_foreground)
        _count_states(index, shown, labels, areas, max_foreground, counts)
    counts[(areas < MIN_AREA) | (areas > MAX_REGION * labels.size)] = 0
    counts[:, TRANSPARENT] = 0
    region, color = np.nonzero(counts >= min_count)
    seed = np.unique(labels, return_index=True)[1][region]
    rows = [seed // labels.shape[1], seed % labels.shape[1], color]
    return np.stack(rows, 1).astype(np.int32)


@numba.njit(cache=True)
def _count_states(index, shown, labels, areas, max_foreground, counts):
    """Adds to the `(R, 256)` counts what other colours a frame shows regions in."""
    differs = np.zeros(len(areas), np.int64)
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            differs[labels[y, x]] += index[y, x] != shown[y, x]
    changed = np.flatnonzero(differs >= PURE * areas)
    if len(changed) == 0 or differs.sum() > max_foreground * labels.size:
        return
    state = _whole_colors(index, labels, areas, changed)
    border = _compare_borders(index, shown, labels, state)
    for region in changed:
        pairs, explained, merged = border[region]
        if state[region] >= 0 and explained >= EXPLAINED * pairs and merged <= MERGED * pairs:
            counts[region, state[region]] += 1


@numba.njit(cache=True)
def _whole_colors(index, labels, areas, changed):
    """Returns `(R,)` the colour that fills almost all of each changed region, -1 if none does."""
    slot = np.full(len(areas), -1, np.int64)
    slot[changed] = np.arange(len(changed))
    counts = np.zeros((len(changed), 256), np.int64)
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            if slot[labels[y, x]] >= 0:
                counts[slot[labels[y, x]], index[y, x]] += 1
    state = np.full(len(areas), -1, np.int64)
    for region in changed:
        color = counts[slot[region]].argmax()
        if counts[slot[region], color] >= PURE * areas[region]:
            state[region] = color
    return state


@numba.njit(cache=True)
def _compare_borders(index, shown, labels, state):
    """Looks across the borders of the changed regions.

    Returns:
        `(R, 3)`: pairs of pixels across the border, how many of the outer ones are explained, and
        how many show the region's new colour.
    """
    sums = np.zeros((len(state), 3), np.int64)
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            region = labels[y, x]
            if state[region] < 0:
                continue
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < height and 0 <= u < width and labels[v, u] != region:
                    outer = index[v, u]
                    usual = outer == shown[v, u]
                    sums[region, 0] += 1
                    sums[region, 1] += usual or outer == state[labels[v, u]]
                    sums[region, 2] += outer == state[region]
    return sums
