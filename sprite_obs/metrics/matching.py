"""Which found boxes are which true ones: three answers, for the boxes of one frame.

All boxes are `(N, 4)` edges (see `sprite_obs.metrics.boxes`), cut at the border and not empty.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from sprite_obs.metrics.boxes import area, intersection, iou, paint

MIN_IOU = 0.5
MIN_CLOSENESS = 0.5
MIN_INSIDE = 0.5
"""Share of a fragment that lies in the object."""
MIN_COVERED = 0.5
"""Share of an object that its fragments cover."""


def match_overlap(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Finds the largest number of one-to-one pairs of IoU >= 0.5, and the best ones of that number.

    Args:
        found: `(P, 4)` edges.
        true: `(G, 4)` edges.

    Returns:
        `(N, 2)` int64 pairs of rows of `found` and `true`.
    """
    overlap = iou(found, true)
    fits = overlap >= MIN_IOU
    # Worth more than all overlaps together, so that one pair more beats any better ones.
    worth_of_a_pair = len(true) + 1
    rows, columns = linear_sum_assignment(fits * (worth_of_a_pair + overlap), maximize=True)
    pairs = np.stack([rows, columns], axis=1)
    return pairs[fits[rows, columns]]


def match_centres(
    found: np.ndarray, true: np.ndarray, score: np.ndarray, frame_size: tuple[int, int]
) -> np.ndarray:
    """Matches as the MOC project's evaluation does, by the distance of centres alone.

    Width and height of the frame are 1. A found box means the object whose centre is nearest,
    measured in diagonals of that object, and hits it from less than half a diagonal. The box of
    highest score comes first, then the nearest one; later ones on the same object miss.

    Args:
        found: `(P, 4)` edges.
        true: `(G, 4)` edges.
        score: `(P,)` float.
        frame_size: (H, W) in pixels.

    Returns:
        `(N, 2)` int64 pairs of rows of `found` and `true`.
    """
    if not len(true):
        return np.zeros((0, 2), np.int64)
    closeness = _closeness(found, true, frame_size)
    meant = closeness.argmax(axis=1)
    nearness = closeness[np.arange(len(found)), meant]
    order = np.lexsort((-nearness, -score))
    order = order[nearness[order] > MIN_CLOSENESS]
    _, first = np.unique(meant[order], return_index=True)
    hitting = order[first]
    return np.stack([hitting, meant[hitting]], axis=1)


def _closeness(found: np.ndarray, true: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    """One minus the distance of the centres in diagonals of the object: `(P, G)`."""
    height, width = frame_size
    scale = np.array([width, height, width, height], float)
    found, true = (found / scale)[:, None], true / scale
    apart = (found[..., :2] + found[..., 2:] - true[:, :2] - true[:, 2:]) / 2  # (P, G, 2)
    diagonal = np.hypot(*(true[:, 2:] - true[:, :2]).T)  # (G,)
    return 1 - np.hypot(apart[..., 0], apart[..., 1]) / diagonal


def match_fragments(found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forgives objects that were found in pieces.

    Returns:
        `(P,)` bool, boxes that lie at least half in an object, and `(G,)` bool, objects of which
        such boxes together cover at least half.
    """
    inside = intersection(found, true) >= MIN_INSIDE * area(found)[:, None]  # (P, G)
    shares = [
        _covered_share(box, found[column]) for box, column in zip(true, inside.T, strict=True)
    ]
    return inside.sum(axis=1) > 0, np.array(shares) >= MIN_COVERED


def _covered_share(box: np.ndarray, fragments: np.ndarray) -> float:
    left, top, right, bottom = box.tolist()
    within = fragments - [left, top, left, top]
    return float(paint(within, (bottom - top, right - left)).mean())
