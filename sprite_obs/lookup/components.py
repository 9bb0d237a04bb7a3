"""Connected components of what differs from the background, each with a key of its exact pixels."""

from typing import NamedTuple

import numba
import numpy as np

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
def pixel_key(colors: np.ndarray, labels: np.ndarray, label: int) -> np.int64:
    """Hashes (FNV-1a, 64 bits) size, shape and colours of the pixels that carry `label`."""
    return _box_key(colors, labels, label, 0, 0, colors.shape[1], colors.shape[0])


@numba.njit(cache=True, inline="always")
def _box_key(colors, labels, label, left, top, right, bottom):
    """Is `pixel_key` of a box; views of arrays for each component would take longer."""
    key = np.uint64(1469598103934665603) ^ np.uint64((right - left) * 65536 + bottom - top)
    for y in range(top, bottom):
        for x in range(left, right):
            value = (
                np.uint64(colors[y, x]) + np.uint64(1) if labels[y, x] == label else np.uint64(0)
            )
            key = (key ^ value) * np.uint64(1099511628211)
    return np.int64(key ^ (key >> np.uint64(29)))


@numba.njit(cache=True)
def _find_runs(mask, words, width, runs, first_of_row):
    """Lists the runs of a mask's rows; what touches, also across corners, gets one root.

    Args:
        mask: `(H, 8 * n)` bool, rows padded to whole words.
        words: `(H, n)` uint64, the same.
        width: W, pixels of a row without the padding.
        runs: `(R, 4)` int32, written: y, left, right (exclusive), index of another run or itself.
        first_of_row: `(H,)` int32, written: index of each row's first run.

    Returns:
        The number of runs.
    """
    count, above, above_end = 0, 0, 0
    for y in range(len(mask)):
        first_of_row[y] = count
        x = 0
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
    return count


@numba.njit(cache=True)
def _root(runs, run):
    while runs[run, 3] != run:
        runs[run, 3] = runs[runs[run, 3], 3]
        run = runs[run, 3]
    return run


@numba.njit(cache=True)
def _join(runs, one, other):
    """Makes the earlier of two roots that of both, so that the root is a component's first run."""
    first, second = _root(runs, one), _root(runs, other)
    runs[max(first, second), 3] = min(first, second)


@numba.njit(cache=True)
def _clear(labels, runs, count):
    """Takes back what `_components` wrote for runs."""
    for run in range(count):
        for x in range(runs[run, 1], runs[run, 2]):
            labels[runs[run, 0], x] = 0


class Canvas(NamedTuple):
    """The arrays in which the components of one frame after the other are found.

    Attributes:
        mask: `(H, 8 * n)` bool, as in `padded_mask`.
        words: `(H, n)` uint64, likewise.
        labels: `(H, W)` int32, see `Components`.
        runs: `(R, 4)` int32, see `_find_runs`.
        first_of_row: `(H,)` int32, likewise.
        num_runs: `(1,)` int64, how many runs there were in the last frame.
    """

    mask: np.ndarray
    words: np.ndarray
    labels: np.ndarray
    runs: np.ndarray
    first_of_row: np.ndarray
    num_runs: np.ndarray


@numba.njit(cache=True)
def label_components(index, canvas):
    """Labels the components of the canvas's mask; returns boxes, areas and keys.

    For compiled loops alone: what Python calls is `_label_components`.
    """
    labels, runs = canvas.labels, canvas.runs
    _clear(labels, runs, canvas.num_runs[0])
    num_runs = _find_runs(canvas.mask, canvas.words, labels.shape[1], runs, canvas.first_of_row)
    canvas.num_runs[0] = num_runs
    boxes = np.empty((MAX_COMPONENTS, 4), np.int32)  # left, top, right, bottom, for now
    areas = np.zeros(MAX_COMPONENTS, np.int32)
    number = np.zeros(num_runs, np.int32)
    count = 0
    for run in range(num_runs):
        y, left, right, root = runs[run, 0], runs[run, 1], runs[run, 2], _root(runs, run)
        if root == run and count < MAX_COMPONENTS:
            boxes[count, 0], boxes[count, 1], boxes[count, 2] = left, y, right
            count += 1
            number[run] = count
        label = number[root]
        if label == 0:
            continue
        boxes[label - 1, 0] = min(boxes[label - 1, 0], left)
        boxes[label - 1, 2] = max(boxes[label - 1, 2], right)
        boxes[label - 1, 3] = y + 1
        areas[label - 1] += right - left
        for x in range(left, right):
            labels[y, x] = label
    keys = np.empty(count, np.int64)
    for i in range(count):
        left, top, right, bottom = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
        keys[i] = _box_key(index, labels, i + 1, left, top, right, bottom)
        boxes[i, 2], boxes[i, 3] = right - left, bottom - top
    return boxes[:count].copy(), areas[:count].copy(), keys


@numba.njit(cache=True)
def _label_components(index, canvas):
    return label_components(index, canvas)


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
        runs = np.empty((height * (width + 1) // 2, 4), np.int32)
        self.arrays = Canvas(
            *padded_mask(shape),
            np.zeros(shape, np.int32),
            runs,
            np.empty(height, np.int32),
            np.zeros(1, np.int64),
        )
        self.mask = self.arrays.mask[:, :width]

    def __reduce__(self) -> tuple[type["ComponentCanvas"], tuple[tuple[int, ...]]]:
        """Pickles the size alone."""
        return ComponentCanvas, (self.mask.shape,)

    def find(self, index: np.ndarray) -> Components:
        """Finds the components of `mask`; the labels are overwritten by the next call.

        Args:
            index: `(H, W)` uint8 palette indices of the frame.
        """
        return Components(self.arrays.labels, *_label_components(index, self.arrays))


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
