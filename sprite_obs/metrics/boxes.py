"""Geometry of boxes, as edges in pixels: left, top, right and bottom, the last two exclusive."""

import numpy as np


def to_edges(box: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    """Turns boxes into edges, cut at the border of the frame.

    Args:
        box: `(N, 4)` integers, left, top, width, height.
        frame_size: (H, W) in pixels.

    Returns:
        `(N, 4)` int64; a box outside the frame becomes an empty one on its border.
    """
    height, width = frame_size
    corner = box[:, :2].astype(np.int64)
    edges = np.concatenate([corner, corner + box[:, 2:]], axis=1)
    return np.clip(edges, 0, [width, height, width, height])


def area(edges: np.ndarray) -> np.ndarray:
    """Pixels of each of `(N, 4)` edges: `(N,)` int64, 0 for boxes that are inside out."""
    return np.maximum(edges[:, 2:] - edges[:, :2], 0).prod(axis=1)


def intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pixels that each of `(N, 4)` shares with each of `(M, 4)` edges: `(N, M)` int64."""
    start = np.maximum(first[:, None, :2], second[None, :, :2])  # (N, M, 2)
    end = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.maximum(end - start, 0).prod(axis=2)


def iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes that are not empty: `(N, M)` float64 in [0, 1]."""
    shared = intersection(first, second)
    return shared / (area(first)[:, None] + area(second) - shared)


def paint(edges: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Fills boxes, which may reach beyond the borders, in a bool mask of (H, W) pixels."""
    mask = np.zeros(size, bool)
    for left, top, right, bottom in np.maximum(edges, 0).tolist():
        mask[top:bottom, left:right] = True
    return mask
