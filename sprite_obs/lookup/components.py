"""Connected components of what differs from the background, each with a key of its exact pixels."""

from typing import NamedTuple

import numba
import numpy as np

MAX_COMPONENTS = 2048
"""Components considered in one frame; a frame with more is noise and gets no further ones."""


class Components(NamedTuple):
    """The 8-connected components of one frame.

    Attributes:
        labels: `(H, W)` int32, 0 for background, else 1 + index of the component.
        boxes: `(N, 4)` int32, left, top, width, height.
        areas: `(N,)` int32, pixels.
        keys: `(N,)` int64, equal for components of equal shape and colours.
    """

    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    keys: np.ndarray


@numba.njit(cache=True)
def pixel_key(colors: np.ndarray, labels: np.ndarray, label: int) -> np.int64:
    """Hashes (FNV-1a, 64 bits) size, shape and colours of the pixels that carry `label`."""
    height, width = colors.shape
    key = np.uint64(1469598103934665603) ^ np.uint64(width * 65536 + height)
    for y in range(height):
        for x in range(width):
            value = (
                np.uint64(colors[y, x]) + np.uint64(1) if labels[y, x] == label else np.uint64(0)
            )
            key = (key ^ value) * np.uint64(1099511628211)
    return np.int64(key ^ (key >> np.uint64(29)))


@numba.njit(cache=True)
def _flood(mask: np.ndarray, labels: np.ndarray, stack: np.ndarray, start: int, label: int):
    """Labels the component of the pixel `start`; returns left, top, right, bottom, area."""
    height, width = mask.shape
    x0, y0, x1, y1, area = width, height, 0, 0, 0
    labels[start // width, start % width] = label
    stack[0] = start
    top = 1
    while top:
        top -= 1
        y, x = stack[top] // width, stack[top] % width
        area += 1
        x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
        for v in range(max(y - 1, 0), min(y + 2, height)):
            for u in range(max(x - 1, 0), min(x + 2, width)):
                if mask[v, u] and labels[v, u] == 0:
                    labels[v, u] = label
                    stack[top] = v * width + u
                    top += 1
    return x0, y0, x1, y1, area


@numba.njit(cache=True)
def _components(index: np.ndarray, mask: np.ndarray):
    height, width = mask.shape
    labels = np.zeros((height, width), np.int32)
    boxes = np.empty((MAX_COMPONENTS, 4), np.int32)
    areas = np.empty(MAX_COMPONENTS, np.int32)
    keys = np.empty(MAX_COMPONENTS, np.int64)
    stack = np.empty(height * width, np.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            if mask[y, x] and labels[y, x] == 0 and count < MAX_COMPONENTS:
                x0, y0, x1, y1, area = _flood(mask, labels, stack, y * width + x, count + 1)
                boxes[count] = x0, y0, x1 - x0 + 1, y1 - y0 + 1
                areas[count] = area
                window = labels[y0 : y1 + 1, x0 : x1 + 1]
                keys[count] = pixel_key(index[y0 : y1 + 1, x0 : x1 + 1], window, count + 1)
                count += 1
    return labels, boxes[:count], areas[:count], keys[:count]


def find_components(index: np.ndarray, mask: np.ndarray) -> Components:
    """Finds the 8-connected components of a mask.

    Args:
        index: `(H, W)` uint8 palette indices of the frame.
        mask: `(H, W)` bool, the pixels to group.
    """
    return Components(*_components(index, mask))


class Contour(NamedTuple):
    """What lies across the border of each component; `(N,)` int32 each.

    Attributes:
        pairs: pairs of a pixel inside and a 4-neighbour outside the mask.
        frame_same: pairs of one colour in the frame.
        background_same: pairs of one colour in the background.
        num_colors: colours inside the component, in the frame.
    """

    pairs: np.ndarray
    frame_same: np.ndarray
    background_same: np.ndarray
    num_colors: np.ndarray


@numba.njit(cache=True)
def _contour(index: np.ndarray, background: np.ndarray, labels: np.ndarray, count: int):
    height, width = labels.shape
    sums = np.zeros((count, 4), np.int32)
    seen = np.zeros((count, 256), np.bool_)
    for y in range(height):
        for x in range(width):
            i = labels[y, x] - 1
            if i < 0:
                continue
            if not seen[i, index[y, x]]:
                seen[i, index[y, x]] = True
                sums[i, 3] += 1
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < height and 0 <= u < width and labels[v, u] == 0:
                    sums[i, 0] += 1
                    sums[i, 1] += index[y, x] == index[v, u]
                    sums[i, 2] += background[y, x] == background[v, u]
    return sums


def contour(index: np.ndarray, background: np.ndarray, components: Components) -> Contour:
    """Compares colours across the border of each component, in the frame and in the background."""
    sums = _contour(index, background, components.labels, len(components.boxes))
    return Contour(*np.ascontiguousarray(sums.T))
