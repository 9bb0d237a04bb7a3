"""Components that lie close together: perhaps what is seen of one covered sprite."""

import numba
import numpy as np

MAX_GAP = 2
"""Pixels between the boxes of neighbours in a cluster."""


@numba.njit(cache=True)
def find_clusters(boxes: np.ndarray, doubtful: np.ndarray) -> np.ndarray:
    """Groups components around those that may be pieces of something.

    Args:
        boxes: `(N, 4)` int32, left, top, width, height of the components.
        doubtful: `(N,)` bool, which may be pieces.

    Returns:
        `(N,)` int64, number of each component's cluster from 1; 0 for those that are in none.
    """
    count = len(boxes)
    cluster = np.zeros(count, np.int64)
    stack = np.empty(count, np.int64)
    number = 0
    for seed in range(count):
        if not doubtful[seed] or cluster[seed]:
            continue
        number += 1
        cluster[seed] = number
        stack[0], top, members = seed, 1, 1
        while top:
            top -= 1
            i = stack[top]
            for j in range(count):
                # Two known sprites beside each other say nothing about a third thing.
                if cluster[j] or not (doubtful[i] or doubtful[j]) or not _near(boxes[i], boxes[j]):
                    continue
                cluster[j] = number
                stack[top] = j
                top += 1
                members += 1
        if members == 1:
            cluster[seed] = 0
    return cluster


@numba.njit(cache=True)
def _near(first, second):
    across = max(first[0], second[0]) - min(first[0] + first[2], second[0] + second[2])
    along = max(first[1], second[1]) - min(first[1] + first[3], second[1] + second[3])
    return max(across, along) <= MAX_GAP
