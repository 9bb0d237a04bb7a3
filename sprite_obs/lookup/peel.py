"""Taking a component apart into known sprites: what is whole first, what others cover after."""

import math
from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.bank import SpriteBank

OUTSIDE, OPEN, EXPLAINED = 0, 1, 2
"""States of a pixel: not of the component, not yet explained, explained by a placed sprite."""
MAX_PLACEMENTS = 256


class Placement(NamedTuple):
    """A sprite found inside a component.

    Attributes:
        sprite: index in the bank.
        x: left edge of the drawing relative to the component's box, in pixels.
        y: top edge of the drawing relative to the component's box, in pixels.
        visible: opaque pixels that the component shows.
    """

    sprite: int
    x: int
    y: int
    visible: int


@numba.njit(cache=True)
def _visible(drawing, colors, state, left, top, needed):
    """Counts visible pixels of a drawing at an offset; 0 if one contradicts or too few show."""
    height, width = drawing.shape
    visible = 0
    for y in range(height):
        for x in range(width):
            color = drawing[y, x]
            if color == 255:
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
            if drawing[y, x] == 255:
                continue
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < height and 0 <= u < width and drawing[v, u] != 255:
                    continue
                border += 1
                row, column = top + v, left + u
                if 0 <= row < state.shape[0] and 0 <= column < state.shape[1]:
                    if state[row, column] == OPEN and colors[row, column] == drawing[y, x]:
                        same += 1
    return same / max(border, 1)


@numba.njit(cache=True)
def _best_offset(drawing, colors, state, needed, max_continued):
    """Returns visible pixels, left, top of the best place for a drawing; 0 visible if none."""
    best, best_left, best_top, best_continued = 0, 0, 0, 2.0
    for top in range(colors.shape[0] - drawing.shape[0] + 1):
        for left in range(colors.shape[1] - drawing.shape[1] + 1):
            visible = _visible(drawing, colors, state, left, top, max(needed, best))
            if visible == 0:
                continue
            continued = _continued(drawing, colors, state, left, top)
            if continued > max_continued:
                continue
            if visible > best or continued < best_continued:
                best, best_left, best_top, best_continued = visible, left, top, continued
    return best, best_left, best_top


@numba.njit(cache=True)
def _explain(drawing, state, left, top):
    """Marks the pixels below a placed drawing as explained; returns how many were open."""
    opened = 0
    for y in range(drawing.shape[0]):
        for x in range(drawing.shape[1]):
            if drawing[y, x] != 255:
                opened += state[top + y, left + x] == OPEN
                state[top + y, left + x] = EXPLAINED
    return opened


@numba.njit(cache=True)
def _peel(colors, state, pixels, starts, sizes, areas, order, min_visible, max_continued, found):
    count, remaining = 0, 0
    for value in state.ravel():
        remaining += value == OPEN
    for whole in (True, False):
        if not whole and count == 0:
            break
        for sprite in order:
            width, height = sizes[sprite]
            area = areas[sprite]
            needed = area if whole else math.ceil(min_visible * area)
            if width > colors.shape[1] or height > colors.shape[0]:
                continue
            drawing = pixels[starts[sprite] : starts[sprite] + width * height]
            drawing = drawing.reshape(height, width)
            while max(needed, 1) <= remaining and count < len(found):
                visible, left, top = _best_offset(drawing, colors, state, needed, max_continued)
                if visible == 0:
                    break
                remaining -= _explain(drawing, state, left, top)
                found[count, 0], found[count, 1] = sprite, left
                found[count, 2], found[count, 3] = top, visible
                count += 1
    return count


def peel(
    colors: np.ndarray,
    opaque: np.ndarray,
    bank: SpriteBank,
    order: np.ndarray,
    min_visible: float,
    max_continued: float,
) -> tuple[list[Placement], np.ndarray]:
    """Explains a component by sprites, in the order given: whole ones first, then covered ones.

    A sprite fits where each of its opaque pixels either shows its colour or lies below a sprite
    placed before; so the order of placing is the order of layers, front to back.

    Args:
        colors: `(h, w)` uint8 palette indices of the component's box.
        opaque: `(h, w)` bool, the component's pixels.
        bank: the known sprites.
        order: `(n,)` int32, sprites to try, most trusted first.
        min_visible: share of a covered sprite's pixels that must show.
        max_continued: largest share of the border across which the sprite's colour may go on.

    Returns:
        The placements, front to back, and `(h, w)` bool, the pixels left unexplained.
    """
    state = opaque.astype(np.uint8)
    found = np.empty((MAX_PLACEMENTS, 4), np.int64)
    count = _peel(
        np.ascontiguousarray(colors),
        state,
        bank.pixels,
        bank.starts,
        bank.sizes,
        bank.areas,
        order,
        min_visible,
        max_continued,
        found,
    )
    return [Placement(*row) for row in found[:count].tolist()], state == OPEN
