"""Rows of the background that change their colour as a whole: waves, stripes, a sky at dusk."""

import numba
import numpy as np

MIN_SPAN = 0.2
"""Share of the frame's width that a band has at least."""
PURE = 0.9
"""Share of a band that must show a colour for the frame to count."""


def find_bands(frames: np.ndarray, image: np.ndarray, min_count: int) -> np.ndarray:
    """Finds parts of pixel rows that take on further colours.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        image: `(H, W)` uint8 palette indices, the background.
        min_count: frames that must show a band in a colour.

    Returns:
        `(n, 4)` int32: y, left, right (exclusive), palette index.
    """
    bands = []
    for y, row in enumerate(image):
        for left, right in _long_runs(row):
            counts = _count_colors(frames[:, y, left:right], PURE)
            counts[row[left]] = 0
            bands += [(y, left, right, int(color)) for color in np.flatnonzero(counts >= min_count)]
    return np.array(bands, np.int32).reshape(-1, 4)


def _long_runs(row: np.ndarray) -> list[tuple[int, int]]:
    """Returns start and end of the long runs of one colour."""
    borders = np.flatnonzero(np.diff(row)) + 1
    starts, ends = np.concatenate([[0], borders]), np.concatenate([borders, [len(row)]])
    long = ends - starts >= MIN_SPAN * len(row)
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))


@numba.njit(cache=True)
def _count_colors(parts, pure):
    """Counts in how many of `(N, w)` parts of rows a colour fills almost everything."""
    counts = np.zeros(256, np.int64)
    for part in parts:
        here = np.zeros(256, np.int64)
        for color in part:
            here[color] += 1
        color = here.argmax()
        counts[color] += here[color] >= pure * len(part)
    counts[255] = 0
    return counts
