"""Where in a component a drawing fits best: compiled loops over its places."""

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT

OUTSIDE, OPEN, EXPLAINED = 0, 1, 2
"""States of a pixel: not of the component, not yet explained, explained by a placed sprite."""


@numba.njit(cache=True)
def best_place(
    drawing: np.ndarray,
    colors: np.ndarray,
    state: np.ndarray,
    opened: np.ndarray,
    anchor: tuple[int, int],
    limits: tuple[bool, int, float, float],
) -> tuple[int, int, int]:
    """Finds the place at which most of a drawing shows; of equals, where its colour ends best.

    Args:
        drawing: `(h, w)` uint8 palette indices, 255 transparent.
        colors: `(H, W)` uint8, of the component's box.
        state: `(H, W)` uint8, the state of each pixel.
        opened: `(H + 1, W + 1)` int32, as `sum_open` writes it.
        anchor: row and column of a pixel of the drawing that is unlikely to fit.
        limits: whether nothing may be covered; pixels of the drawing that must show; share of its
            border across which its colour may go on; share of what shows of it that may touch what
            covers it in its own colour.

    Returns:
        Visible pixels, left and top; 0 visible if it fits nowhere.
    """
    whole, needed, max_continued, max_seam = limits
    best, best_left, best_top, best_continued = 0, 0, 0, 2.0
    height, width = drawing.shape
    row, column = anchor
    for top in range(colors.shape[0] - height + 1):
        for left in range(colors.shape[1] - width + 1):
            here = state[top + row, left + column]  # most places are out of the question at once
            if here == OUTSIDE or (whole and here == EXPLAINED):
                continue
            if here == OPEN and colors[top + row, left + column] != drawing[row, column]:
                continue
            wanted = max(needed, best)
            if _open_in_box(opened, left, top, width, height) < wanted:
                continue
            visible = _visible(drawing, colors, state, left, top, wanted)
            if visible == 0:
                continue
            continued = _continued(drawing, colors, state, left, top)
            if continued > max_continued:
                continue
            if max_seam < 1 and _seam(drawing, colors, state, left, top) > max_seam * visible:
                continue
            if visible > best or continued < best_continued:
                best, best_left, best_top, best_continued = visible, left, top, continued
    return best, best_left, best_top


@numba.njit(cache=True)
def sum_open(state: np.ndarray, opened: np.ndarray) -> None:
    """Writes how many open pixels lie further left and up: `(H + 1, W + 1)` int32."""
    opened[0] = 0
    for y in range(state.shape[0]):
        in_row = 0
        opened[y + 1, 0] = 0
        for x in range(state.shape[1]):
            in_row += state[y, x] == OPEN
            opened[y + 1, x + 1] = opened[y, x + 1] + in_row


@numba.njit(cache=True, inline="always")
def _open_in_box(opened, left, top, width, height):
    bottom, right = top + height, left + width
    return opened[bottom, right] - opened[top, right] - opened[bottom, left] + opened[top, left]


@numba.njit(cache=True)
def _visible(drawing, colors, state, left, top, needed):
    """Counts visible pixels of a drawing at an offset; 0 if one contradicts or too few show."""
    height, width = drawing.shape
    visible = 0
    for y in range(height):
        for x in range(width):
            color = drawing[y, x]
            if color == TRANSPARENT:
                continue
            here = state[top + y, left + x]
            if here == OPEN and colors[top + y, left + x] == color:
                visible += 1
            elif here != EXPLAINED:
                return 0
    return visible if visible >= needed else 0


@numba.njit(cache=True)
def _continued(drawing, colors, state, left, top):
    """Share of the drawing's border across which its colour goes on into unexplained pixels."""
    height, width = drawing.shape
    border, same = 0, 0
    for y in range(height):
        for x in range(width):
            if drawing[y, x] == TRANSPARENT:
                continue
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < height and 0 <= u < width and drawing[v, u] != TRANSPARENT:
                    continue
                border += 1
                row, column = top + v, left + u
                if 0 <= row < state.shape[0] and 0 <= column < state.shape[1]:
                    if state[row, column] == OPEN and colors[row, column] == drawing[y, x]:
                        same += 1
    return same / max(border, 1)


@numba.njit(cache=True)
def _seam(drawing, colors, state, left, top):
    """Counts a drawing's visible pixels that touch explained ones of their colour."""
    count = 0
    for y in range(drawing.shape[0]):
        for x in range(drawing.shape[1]):
            row, column = top + y, left + x
            if drawing[y, x] == TRANSPARENT or state[row, column] != OPEN:
                continue
            for v, u in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if 0 <= v < state.shape[0] and 0 <= u < state.shape[1]:
                    if state[v, u] == EXPLAINED and colors[v, u] == drawing[y, x]:
                        count += 1
                        break
    return count


@numba.njit(cache=True)
def mark_explained(drawing: np.ndarray, state: np.ndarray, left: int, top: int) -> int:
    """Marks the pixels below a placed drawing as explained; returns how many were open."""
    opened = 0
    for y in range(drawing.shape[0]):
        for x in range(drawing.shape[1]):
            if drawing[y, x] != TRANSPARENT:
                opened += state[top + y, left + x] == OPEN
                state[top + y, left + x] = EXPLAINED
    return opened


@numba.njit(cache=True)
def occurs_at(large: np.ndarray, small: np.ndarray) -> tuple[int, int]:
    """Returns left and top at which a drawing occurs in another one; -1, -1 if nowhere."""
    for top in range(large.shape[0] - small.shape[0] + 1):
        for left in range(large.shape[1] - small.shape[1] + 1):
            same = True
            for y in range(small.shape[0]):
                for x in range(small.shape[1]):
                    if small[y, x] != TRANSPARENT and small[y, x] != large[top + y, left + x]:
                        same = False
                        break
                if not same:
                    break
            if same:
                return left, top
    return -1, -1
