"""Connected components of what differs from the background, each with a key of its exact pixels."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.keys import EMPTY, add_run, end_key

MAX_COMPONENTS = 2048
"""Components considered in one frame; a frame with more is noise and gets no further ones."""
WORD = 8
"""Bytes compared at once."""


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
def _find_runs(mask, words, width, runs, first_of_row):
    """Lists the runs of a mask's rows; what touches, also across corners, gets one root.

    Args:
        mask: `(H, 8 * n)` bool, rows padded to whole words.
        words: `(H, n)` uint64, the same.
        width: W, pixels of a row without the padding.
        runs: `(R, 4)` int32, written: y, left, right (exclusive), index of another run or itself.
        first_of_row: `(H + 1,)` int32, written: index of each row's first run, and their number.

    Returns:
        The number of runs.
    """
    count, above, above_end = 0, 0, 0
    for y in range(len(mask)):
        first_of_row[y] = count
        some = words[y, 0]
        for word in range(1, words.shape[1]):
            some |= words[y, word]
        x = width if some == 0 else 0
        while x < width:
            if x % WORD == 0 and words[y, x // WORD] == 0:
                x += WORD  # most of a frame is background, eight pixels at a time
                continue
            if not mask[y, x]:
                x += 1
                continue
            left = x
            while x < width and mask[y, x]:
                x += 1
            runs[count, 0], runs[count, 1], runs[count, 2], runs[count, 3] = y, left, x, count
            while above < above_end and runs[above, 2] < left:
                above += 1
            touching = above
            while touching < above_end and runs[touching, 1] <= x:
                _join(runs, touching, count)
                touching += 1
            above = max(touching - 1, above)  # the last one may reach to the next run
            count += 1
        above, above_end = first_of_row[y], count
    first_of_row[len(mask)] = count
    return count


@numba.njit(cache=True, inline="always")
def _root(runs, run):
    while runs[run, 3] != run:
        runs[run, 3] = runs[runs[run, 3], 3]
        run = runs[run, 3]
    return run


@numba.njit(cache=True, inline="always")
def _join(runs, one, other):
    """Makes the earlier of two roots that of both, so that the root is a component's first run."""
    first, second = _root(runs, one), _root(runs, other)
    runs[max(first, second), 3] = min(first, second)


class Canvas(NamedTuple):
    """The arrays in which the components of one frame after the other are found.

    Attributes:
        mask: `(H, 8 * n)` bool, as in `padded_mask`.
        words: `(H, n)` uint64, likewise.
        runs: `(R, 4)` int32, see `_find_runs`.
        first_of_row: `(H + 1,)` int32, likewise; the last one is the number of runs.
        component: `(R,)` int32, 1 + index of the component of each run, 0 for those beyond the
            last one that is considered.
    """

    mask: np.ndarray
    words: np.ndarray
    runs: np.ndarray
    first_of_row: np.ndarray
    component: np.ndarray


@numba.njit(cache=True)
def group_runs(index, canvas):
    """Finds the components of the canvas's mask; returns boxes, areas and keys.

    For compiled loops alone: Numba's cache mixes up functions that return arrays and are called
    both from there and from Python.
    """
    runs, component = canvas.runs, canvas.component
    num_runs = _find_runs(canvas.mask, canvas.words, index.shape[1], runs, canvas.first_of_row)
    boxes = np.empty((MAX_COMPONENTS, 4), np.int32)  # left, top, right, bottom, for now
    areas, origins = np.empty(MAX_COMPONENTS, np.int32), np.empty(MAX_COMPONENTS, np.int32)
    keys, count = np.empty(MAX_COMPONENTS, np.uint64), 0
    for run in range(num_runs):
        y, left, right, root = runs[run, 0], runs[run, 1], runs[run, 2], _root(runs, run)
        component[run] = 0
        if root == run and count < MAX_COMPONENTS:
            boxes[count, 0], boxes[count, 1], boxes[count, 2] = left, y, right
            areas[count], origins[count], keys[count] = 0, left, EMPTY
            count += 1
            component[run] = count
        component[run] = component[root]
        i = component[run] - 1
        if i >= 0:
            boxes[i, 0], boxes[i, 2] = min(boxes[i, 0], left), max(boxes[i, 2], right)
            boxes[i, 3] = y + 1
            areas[i] += right - left
            keys[i] = add_run(keys[i], index, y, left, right, y - boxes[i, 1], origins[i])
    ended = np.empty(count, np.int64)
    for i in range(count):
        boxes[i, 2] -= boxes[i, 0]
        boxes[i, 3] -= boxes[i, 1]
        ended[i] = end_key(keys[i], origins[i] - boxes[i, 0], boxes[i, 2], boxes[i, 3])
    return boxes[:count].copy(), areas[:count].copy(), ended


@numba.njit(cache=True)
def _group_alone(index, canvas):
    """Finds the components for Python; returns labels, boxes, areas and keys."""
    boxes, areas, keys = group_runs(index, canvas)
    labels = np.zeros(index.shape, np.int32)
    for run in range(canvas.first_of_row[-1]):
        y, left, right = canvas.runs[run, :3]
        labels[y, left:right] = canvas.component[run]
    return labels, boxes, areas, keys


def find_components(index: np.ndarray, mask: np.ndarray) -> Components:
    """Finds the 8-connected components of a mask.

    Args:
        index: `(H, W)` uint8 palette indices of the frame.
        mask: `(H, W)` bool, the pixels to group.
    """
    canvas = ComponentCanvas(mask.shape)
    canvas.mask[:] = mask
    return canvas.find(index)


class ComponentCanvas:
    """Finds the components of many masks of one size, each in the memory of the one before.

    Args:
        shape: (H, W).

    Attributes:
        mask: `(H, W)` bool, to be written before `find`.
        arrays: the same and all else, for compiled loops.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        height, width = shape
        most = height * (width + 1) // 2
        runs, first_of_row = np.empty((most, 4), np.int32), np.zeros(height + 1, np.int32)
        self.arrays = Canvas(*padded_mask(shape), runs, first_of_row, np.empty(most, np.int32))
        self.mask = self.arrays.mask[:, :width]

    def __reduce__(self) -> tuple[type["ComponentCanvas"], tuple[tuple[int, ...]]]:
        """Pickles the size alone."""
        return ComponentCanvas, (self.mask.shape,)

    def find(self, index: np.ndarray) -> Components:
        """Finds the components of `mask`.

        Args:
            index: `(H, W)` uint8 palette indices of the frame.
        """
        return Components(*_group_alone(index, self.arrays))


def padded_mask(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Returns an empty mask of (H, W) pixels.

    Returns:
        `(H, 8 * n)` bool, rows padded to whole words, and `(H, n)` uint64, the same memory.
    """
    height, width = shape
    padded = np.zeros((height, -(-width // WORD) * WORD), bool)
    return padded, padded.view(np.uint64)


@numba.njit(cache=True)
def mark_different(index: np.ndarray, image: np.ndarray, mask: np.ndarray) -> None:
    """Writes where two `(H, W)` images differ into a mask as in `padded_mask`."""
    for y in range(index.shape[0]):
        for x in range(index.shape[1]):
            mask[y, x] = index[y, x] != image[y, x]


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
