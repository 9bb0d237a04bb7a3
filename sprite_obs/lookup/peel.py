"""Taking a component apart into known sprites: what is whole first, what others cover after."""

import math
from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank

OUTSIDE, OPEN, EXPLAINED = 0, 1, 2
"""States of a pixel: not of the component, not yet explained, explained by a placed sprite."""
MAX_PLACEMENTS = 256


class Rules(NamedTuple):
    """What placed sprites must fulfil; all are shares in [0, 1].

    Attributes:
        visible: of a covered sprite's pixels, that show at least.
        continued: of a sprite's border, across which its colour goes on at most.
        seam: of a covered sprite's visible pixels, that touch what covers it in their own colour,
            at most.
    """

    visible: float
    continued: float
    seam: float = 1.0


WHOLE = Rules(1.0, 0.0)
"""Nothing is covered, and no colour goes on."""


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
def _seam(drawing, colors, state, left, top):
    """Counts a drawing's visible pixels that touch explained ones of their colour."""
    count = 0
    for y in range(drawing.shape[0]):
        for x in range(drawing.shape[1]):
            row, column = top + y, left + x
            if drawing[y, x] == 255 or state[row, column] != OPEN:
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
def _rarest_pixel(drawing, available):
    """Returns how many of a drawing's pixels can show at most, and its rarest pixel."""
    possible, rarest, row, column = 0, available.sum() + 1, 0, 0
    for y in range(drawing.shape[0]):
        for x in range(drawing.shape[1]):
            if drawing[y, x] != 255:
                count = available[drawing[y, x]]
                possible += count > 0
                if count < rarest:
                    rarest, row, column = count, y, x
    return possible, row, column


@numba.njit(cache=True)
def _best_offset(drawing, colors, state, available, whole, needed, max_continued, max_seam):
    """Returns visible pixels, left, top of the best place for a drawing; 0 visible if none."""
    best, best_left, best_top, best_continued = 0, 0, 0, 2.0
    possible, row, column = _rarest_pixel(drawing, available)
    if possible < needed:
        return best, best_left, best_top
    for top in range(colors.shape[0] - drawing.shape[0] + 1):
        for left in range(colors.shape[1] - drawing.shape[1] + 1):
            here = state[top + row, left + column]  # most places are out of the question at once
            if here == OUTSIDE or (whole and here == EXPLAINED):
                continue
            if here == OPEN and colors[top + row, left + column] != drawing[row, column]:
                continue
            visible = _visible(drawing, colors, state, left, top, max(needed, best))
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
def _peel(colors, state, pixels, starts, sizes, areas, order, rules, found):
    min_visible, max_continued, max_seam = rules
    count, remaining, hidden = 0, 0, False
    available = np.zeros(256, np.int64)
    for y in range(state.shape[0]):
        for x in range(state.shape[1]):
            if state[y, x] == OPEN:
                remaining += 1
                available[colors[y, x]] += 1
            hidden |= state[y, x] == EXPLAINED
    for whole in (True, False):
        if not whole and count == 0 and not hidden:
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
                visible, left, top = _best_offset(
                    drawing,
                    colors,
                    state,
                    available,
                    whole,
                    needed,
                    max_continued,
                    1.0 if whole else max_seam,
                )
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
    rules: Rules,
    hidden: np.ndarray | None = None,
) -> tuple[list[Placement], np.ndarray]:
    """Explains a component by sprites, in the order given: whole ones first, then covered ones.

    A sprite fits where each of its opaque pixels either shows its colour or lies below a sprite
    placed before; so the order of placing is the order of layers, front to back.

    Args:
        colors: `(h, w)` uint8 palette indices of the component's box.
        opaque: `(h, w)` bool, the component's pixels.
        bank: the known sprites.
        order: `(n,)` int32, sprites to try, most trusted first.
        rules: what placed sprites must fulfil.
        hidden: `(h, w)` bool, pixels of which the frame shows nothing, beyond its border.

    Returns:
        The placements, front to back, and `(h, w)` bool, the pixels left unexplained.
    """
    state = opaque.astype(np.uint8)
    if hidden is not None:
        state[hidden] = EXPLAINED
    found = np.empty((MAX_PLACEMENTS, 4), np.int64)
    count = _peel(
        np.ascontiguousarray(colors),
        state,
        bank.pixels,
        bank.starts,
        bank.sizes,
        bank.areas,
        order,
        tuple(rules),
        found,
    )
    return [Placement(*row) for row in found[:count].tolist()], state == OPEN


def extend(
    colors: np.ndarray, opaque: np.ndarray, sides: np.ndarray, by: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """Adds hidden pixels on some sides of a component, where a border may cut sprites off.

    Args:
        colors: `(h, w)` uint8 palette indices of the component's box.
        opaque: `(h, w)` bool, the component's pixels.
        sides: `(4,)` bool, left, top, right, bottom.
        by: pixels to add on each of these sides.

    Returns:
        Colours, component and hidden pixels of the larger box, and by how much its corner lies
        further left and up.
    """
    left, top, right, bottom = (by * int(side) for side in sides)
    height, width = opaque.shape
    inside = np.s_[top : top + height, left : left + width]
    hidden = np.ones((top + height + bottom, left + width + right), bool)
    larger, shown = np.full(hidden.shape, TRANSPARENT, np.uint8), ~hidden
    hidden[inside], larger[inside], shown[inside] = False, colors, opaque
    return larger, shown, hidden, (left, top)


def peel_covered(
    colors: np.ndarray,
    opaque: np.ndarray,
    bank: SpriteBank,
    orders: tuple[np.ndarray, np.ndarray],
    rules: Rules,
    hidden: np.ndarray | None = None,
) -> tuple[list[Placement], np.ndarray]:
    """Explains a component by complete sprites that cover each other, and the rest by pieces.

    Args:
        colors: as for `peel`.
        opaque: as for `peel`.
        bank: as for `peel`.
        orders: complete sprites and pieces, each as the order of `peel`.
        rules: as for `peel`; pieces must be whole.
        hidden: as for `peel`.

    Returns:
        As `peel`.
    """
    complete, pieces = orders
    placed, left = peel(colors, opaque, bank, complete, rules, hidden)
    if placed and left.any():
        more, left = peel(colors, left, bank, pieces, WHOLE)
        placed += more
    return placed, left
