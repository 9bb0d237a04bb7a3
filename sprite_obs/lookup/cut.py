"""Cutting components out of a frame, alone or several of them together."""

import numba
import numpy as np

from sprite_obs.lookup.components import Canvas


@numba.njit(cache=True)
def touched_sides(left: int, top: int, right: int, bottom: int, window: np.ndarray) -> int:
    """Returns bits for the sides on which a box touches the border of the playing field.

    Returns:
        1 for left, 2 for top, 4 for right, 8 for bottom; keys of equal components at different
        borders differ in these bits.
    """
    sides = (left <= window[0]) | ((top <= window[1]) << 1)
    return sides | ((right >= window[2]) << 2) | ((bottom >= window[3]) << 3)


@numba.njit(cache=True)
def box_of(members: np.ndarray, boxes: np.ndarray) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom (exclusive) of some components together."""
    left, top, right, bottom = 1 << 30, 1 << 30, 0, 0
    for i in members:
        left, top = min(left, boxes[i, 0]), min(top, boxes[i, 1])
        right = max(right, boxes[i, 0] + boxes[i, 2])
        bottom = max(bottom, boxes[i, 1] + boxes[i, 3])
    return left, top, right, bottom


@numba.njit(cache=True)
def cut_out(
    canvas: Canvas, members: np.ndarray, boxes: np.ndarray, window: np.ndarray
) -> tuple[np.ndarray, int, int, int]:
    """Cuts components out of the frame in which they were found.

    Args:
        canvas: where they were found.
        members: `(k,)` int64, indices of at most `MAX_MEMBERS` components.
        boxes: `(N, 4)` int32, left, top, width, height of all components.
        window: `(4,)` int32, the playing field.

    Returns:
        `(h, w)` uint8, number of the component at each pixel of the box around them, from 1 in
        their order, 0 for none; left and top of the box; and the border that it touches.
    """
    left, top, right, bottom = box_of(members, boxes)
    runs, component = canvas.runs, canvas.component
    numbers = np.zeros((bottom - top, right - left), np.uint8)
    for run in range(canvas.first_of_row[top], canvas.first_of_row[bottom]):
        for k in range(len(members)):
            if component[run] == members[k] + 1:
                y, begin, end = runs[run, 0] - top, runs[run, 1] - left, runs[run, 2] - left
                numbers[y, begin:end] = k + 1
    return numbers, left, top, touched_sides(left, top, right, bottom, window)
