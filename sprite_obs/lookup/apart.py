"""What components consist of, worked out by one compiled call each."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT, BankArrays
from sprite_obs.lookup.fit import EXPLAINED, OPEN, OUTSIDE, occurs_at
from sprite_obs.lookup.peel import MAX_PLACEMENTS, WHOLE, Rules, keep_open, place_sprites

MAX_CONTINUED = 0.08
"""Share of a placed sprite's border across which its colour may go on: more, and it was cut out of
something larger."""
MIN_PEELED = 8
"""Components of fewer pixels are not taken apart."""
MIN_CLIPPED = 3
"""Components of fewer pixels at the border are not recognised."""
MAX_PEELED = 160 * 100
"""Pixels of the largest box that is taken apart."""
MAX_COMPLETE = 80 * 80
"""Pixels of the largest box in which covered and clipped sprites are looked for with little of them
to be seen."""
MAX_CLIPPED = 48 * 48
"""The same for what the border cuts off."""
COVERED = Rules(0.2, MAX_CONTINUED, 0.0)
"""Little of a covered sprite may show, if everything is explained and the seam is clear."""
CLIPPED = Rules(0.1, MAX_CONTINUED)
"""Even less of a sprite may show at the border, if everything is explained."""
MAX_PARTS = 2 * MAX_PLACEMENTS


class Dictionary(NamedTuple):
    """Known sprites, and how they are looked for.

    Attributes:
        bank: their drawings.
        order: `(K,)` int32, all of them, the largest first.
        complete: `(c,)` int32, those that are no pieces of others, in this order.
        pieces: `(K - c,)` int32, the others.
        rising: `(K,)` int32, all of them, the smallest first.
        reach: by how many pixels a sprite may go on beyond the border.
        usual: what is asked of placed sprites in general.
        min_explained: share of an unknown component that its sprites must explain then.
    """

    bank: BankArrays
    order: np.ndarray
    complete: np.ndarray
    pieces: np.ndarray
    rising: np.ndarray
    reach: int
    usual: Rules
    min_explained: float


@numba.njit(cache=True, nogil=True)
def take_apart(
    colors: np.ndarray,
    opaque: np.ndarray,
    sides: int,
    dictionary: Dictionary,
    found: np.ndarray,
    parts: np.ndarray,
) -> tuple[int, int, bool]:
    """Explains a component that is no known sprite.

    Args:
        colors: `(h, w)` uint8 palette indices.
        opaque: `(h, w)` bool, pixels of the component.
        sides: where it touches the border, as bits, see `touched_sides`.
        dictionary: the known sprites.
        found: `(MAX_PARTS, 4)` int64, overwritten.
        parts: `(MAX_PARTS, 7)` int64, written: sprite id, layer, left, top, width, height and
            visible pixels of its sprites, front to back.

    Returns:
        The number of its sprites, 0 if it is unknown; pixels that they leave unexplained; whether
        it is a single sprite with holes.
    """
    area, size = np.sum(opaque), opaque.size
    sides = sides if size <= MAX_CLIPPED else 0
    if area >= MIN_PEELED and size <= MAX_COMPLETE:
        larger, state, dx, dy = _extended(colors, opaque, sides, dictionary.reach)
        count = _cover(larger, state, dictionary, found)
        if not np.any(state == OPEN):
            _write_parts(found, count, dictionary.bank, dx, dy, parts)
            return count, 0, False
    if area >= MIN_PEELED and size <= MAX_PEELED:
        rules, enough = dictionary.usual, dictionary.min_explained
        count, left = _peel(colors, opaque, sides, dictionary, rules, enough, found, parts)
        if count:
            return count, left, False
    if sides and area >= MIN_CLIPPED:
        count, left = _peel(colors, opaque, sides, dictionary, CLIPPED, 1.0, found, parts)
        if count:
            return count, left, False
    if area >= MIN_PEELED and _find_eroded(colors, opaque, dictionary, found):
        _write_parts(found, 1, dictionary.bank, 0, 0, parts)
        return 1, 0, True
    return 0, area, False


@numba.njit(cache=True, nogil=True)
def take_cluster_apart(
    colors: np.ndarray,
    members: np.ndarray,
    sides: int,
    dictionary: Dictionary,
    found: np.ndarray,
    parts: np.ndarray,
) -> tuple[int, int]:
    """Explains components that lie close together by sprites that cover each other.

    Args:
        colors: `(h, w)` uint8 palette indices.
        members: `(h, w)` uint8, number of the component at each pixel from 1, 0 for none.
        sides: as for `take_apart`, like all that follows.
        dictionary: the known sprites.
        found: overwritten.
        parts: written.

    Returns:
        The number of their sprites, and bits of the components that these explain to the last
        pixel, the first one in bit 0; of the others they explain nothing. 0 if there are none.
    """
    if members.size > MAX_COMPLETE:
        return 0, 0
    sides = sides if members.size <= MAX_CLIPPED else 0
    larger, state, dx, dy = _extended(colors, members > 0, sides, dictionary.reach)
    bank = dictionary.bank
    count = place_sprites(larger, state, bank, dictionary.complete, COVERED, found, 0)
    explained = _explained_members(members, state, dx, dy) if count else -1
    if explained < 0:
        return 0, 0
    _write_parts(found, count, bank, dx, dy, parts)
    return count, explained


@numba.njit(cache=True)
def _explained_members(members, state, dx, dy):
    """Returns bits of the components that are explained; -1 if one is explained in part."""
    areas, left = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for y in range(members.shape[0]):
        for x in range(members.shape[1]):
            number = members[y, x]
            areas[number] += 1
            left[number] += state[dy + y, dx + x] == OPEN
    explained = 0
    for number in range(1, members.max() + 1):
        if 0 < left[number] < areas[number]:
            return -1
        if areas[number] and not left[number]:
            explained |= 1 << (number - 1)
    return explained


@numba.njit(cache=True)
def _extended(colors, opaque, sides, by):
    """Adds hidden pixels on the sides of the border; returns colours, states and the corner."""
    left, top = by * (sides & 1), by * (sides >> 1 & 1)
    right, bottom = by * (sides >> 2 & 1), by * (sides >> 3 & 1)
    height, width = opaque.shape
    larger = np.full((top + height + bottom, left + width + right), TRANSPARENT, np.uint8)
    state = np.full(larger.shape, EXPLAINED, np.uint8)
    for y in range(height):
        for x in range(width):
            larger[top + y, left + x] = colors[y, x]
            state[top + y, left + x] = OPEN if opaque[y, x] else OUTSIDE
    return larger, state, left, top


@numba.njit(cache=True, inline="always")
def _cover(colors, state, dictionary, found):
    """Places complete sprites that cover each other, and pieces on what is left."""
    bank = dictionary.bank
    count = place_sprites(colors, state, bank, dictionary.complete, COVERED, found, 0)
    if count and np.any(state == OPEN):
        keep_open(state)
        return place_sprites(colors, state, bank, dictionary.pieces, WHOLE, found, count)
    return count


@numba.njit(cache=True)
def _peel(colors, opaque, sides, dictionary, rules, min_explained, found, parts):
    """Places any sprites; returns their number, 0 if that is too little, and what they leave."""
    larger, state, dx, dy = _extended(colors, opaque, sides, dictionary.reach)
    count = place_sprites(larger, state, dictionary.bank, dictionary.order, rules, found, 0)
    left = np.sum(state == OPEN)
    if count == 0 or 1 - left / np.sum(opaque) < min_explained:
        return 0, left
    _write_parts(found, count, dictionary.bank, dx, dy, parts)
    return count, left


@numba.njit(cache=True)
def _find_eroded(colors, opaque, dictionary, found):
    """Finds the smallest sprite of which a component shows a part, with nothing before the rest."""
    pixels, starts, sizes, areas, _, _ = dictionary.bank
    min_visible = dictionary.usual.visible
    drawing = np.where(opaque, colors, np.uint8(TRANSPARENT))
    area, (height, width) = np.sum(drawing != TRANSPARENT), drawing.shape
    for sprite in dictionary.rising:
        if areas[sprite] <= area or areas[sprite] * min_visible > area:
            continue
        if sizes[sprite, 0] < width or sizes[sprite, 1] < height:
            continue
        begin, end = starts[sprite], starts[sprite] + sizes[sprite, 0] * sizes[sprite, 1]
        large = pixels[begin:end].reshape(sizes[sprite, 1], sizes[sprite, 0])
        left, top = occurs_at(large, drawing)
        if left >= 0:
            found[0, 0], found[0, 1], found[0, 2], found[0, 3] = sprite, -left, -top, area
            return True
    return False


@numba.njit(cache=True)
def _write_parts(found, count, bank, dx, dy, parts):
    """Layers follow from what covers what; where sprites do, all whole ones are in front."""
    sizes, areas = bank.sizes, bank.areas
    covers = 0
    for row in range(count):
        covers |= found[row, 3] != areas[found[row, 0]]
    for row in range(count - 1, -1, -1):
        sprite, x, y, visible = found[row]
        is_whole = visible == areas[sprite]
        parts[row, 0], parts[row, 2], parts[row, 3] = sprite + 1, x - dx, y - dy
        parts[row, 4], parts[row, 5], parts[row, 6] = sizes[sprite, 0], sizes[sprite, 1], visible
        layer = 1 if covers and is_whole else 0
        for behind in range(row + 1, count):
            if is_whole and found[behind, 3] == areas[found[behind, 0]]:
                continue
            if _overlap(parts[row], parts[behind]):
                layer = max(layer, parts[behind, 1] + 1)
        parts[row, 1] = layer


@numba.njit(cache=True)
def _overlap(one, other):
    across = one[2] < other[2] + other[4] and other[2] < one[2] + one[4]
    return across and one[3] < other[3] + other[5] and other[3] < one[3] + one[5]
