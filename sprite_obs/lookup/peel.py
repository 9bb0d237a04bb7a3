"""Taking a component apart into known sprites: what is whole first, what others cover after."""

import math
from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT, BankArrays, SpriteBank
from sprite_obs.lookup.fit import EXPLAINED, OPEN, OUTSIDE, best_place, mark_explained, sum_open

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
def place_sprites(
    colors: np.ndarray,
    state: np.ndarray,
    bank: BankArrays,
    order: np.ndarray,
    rules: Rules,
    found: np.ndarray,
    first: int,
) -> int:
    """Explains the open pixels of a component, see `peel`.

    Args:
        colors: `(H, W)` uint8 palette indices of the component's box.
        state: `(H, W)` uint8, the state of each pixel; changed in place.
        bank: as in `BankArrays`.
        order: `(n,)` int32, sprites to try, most trusted first.
        rules: as in `Rules`.
        found: `(m, 4)` int64, written: the fields of a `Placement`.
        first: the row of the first placement.

    Returns:
        The row behind the last placement.
    """
    min_visible, max_continued, max_seam = rules
    pixels, starts, sizes, areas, tones, first_tone = bank
    available = np.zeros(256, np.int64)
    remaining, hidden = _count_open(colors, state, available)
    opened = np.empty((state.shape[0] + 1, state.shape[1] + 1), np.int32)
    sum_open(state, opened)
    count, end = first, min(first + MAX_PLACEMENTS, len(found))
    for whole in (True, False):
        if not whole and count == first and not hidden:
            break
        for sprite in order:
            width, height = sizes[sprite]
            needed = areas[sprite] if whole else math.ceil(min_visible * areas[sprite])
            if width > colors.shape[1] or height > colors.shape[0]:
                continue
            own = tones[first_tone[sprite] : first_tone[sprite + 1]]
            possible, row, column = _anchor(own, available)
            if possible < needed:
                continue
            drawing = pixels[starts[sprite] : starts[sprite] + width * height]
            drawing = drawing.reshape(height, width)
            seam = 1.0 if whole else max_seam
            while max(needed, 1) <= remaining and count < end:
                limits = whole, needed, max_continued, seam
                visible, left, top = best_place(
                    drawing, colors, state, opened, (row, column), limits
                )
                if visible == 0:
                    break
                remaining -= mark_explained(drawing, state, left, top)
                sum_open(state, opened)
                found[count, 0], found[count, 1] = sprite, left
                found[count, 2], found[count, 3] = top, visible
                count += 1
    return count


@numba.njit(cache=True)
def _count_open(colors, state, available):
    """Counts open pixels by colour; returns how many there are, and whether some are explained."""
    remaining, hidden = 0, False
    for y in range(state.shape[0]):
        for x in range(state.shape[1]):
            if state[y, x] == OPEN:
                remaining += 1
                available[colors[y, x]] += 1
            hidden |= state[y, x] == EXPLAINED
    return remaining, hidden


@numba.njit(cache=True)
def _anchor(tones, available):
    """Returns how many of a drawing's pixels can show at most, and one of its rarest colour."""
    possible, rarest, row, column = 0, np.int64(1 << 62), 0, 0
    for tone in range(len(tones)):
        there = available[tones[tone, 0]]
        possible += min(there, tones[tone, 1])
        if there < rarest:
            rarest, row, column = there, tones[tone, 2], tones[tone, 3]
    return possible, row, column


@numba.njit(cache=True)
def keep_open(state: np.ndarray) -> None:
    """Forgets what is explained: all but open pixels are outside."""
    for y in range(state.shape[0]):
        for x in range(state.shape[1]):
            if state[y, x] != OPEN:
                state[y, x] = OUTSIDE


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
    colors = np.ascontiguousarray(colors)
    count = place_sprites(colors, state, bank.arrays, order, rules, found, 0)
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
) -> tuple[list[Placement], np.ndarray]:
    """Explains a component by complete sprites that cover each other, and the rest by pieces.

    Args:
        colors: as for `peel`.
        opaque: as for `peel`.
        bank: as for `peel`.
        orders: complete sprites and pieces, each as the order of `peel`.
        rules: as for `peel`; pieces must be whole.

    Returns:
        As `peel`.
    """
    complete, pieces = orders
    placed, left = peel(colors, opaque, bank, complete, rules)
    if placed and left.any():
        more, left = peel(colors, left, bank, pieces, WHOLE)
        placed += more
    return placed, left
