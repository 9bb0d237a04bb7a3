"""Whether sprites proposed at places make pixels of a frame right: verification by rebuilding."""

from collections.abc import Mapping
from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.detections import Row
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank

PLAIN, OPEN, HIDDEN = 0, 1, 2
"""States of a pixel: the background shows, nothing explains it, something is drawn in front."""
MAX_ACCEPTED = 16
"""Proposals accepted for one region."""


class Accepted(NamedTuple):
    """A proposal that the frame confirms.

    Attributes:
        sprite: index in the bank.
        left: column of the drawing's left edge in the frame.
        top: row of the drawing's upper edge in the frame.
        confirmed: pixels of the drawing that show, in their colour.
        gained: pixels of the frame that it makes right, less those that it makes wrong.
    """

    sprite: int
    left: int
    top: int
    confirmed: int
    gained: int


Holes = Mapping[tuple[int, int, int], np.ndarray | None]
"""Of sprites with holes which pixels show, as in `Detections.shown`, by sprite id, left and top."""


def pixel_states(
    wrong: np.ndarray, rows: list[Row], bank: SpriteBank, window: np.ndarray, holes: Holes
) -> np.ndarray:
    """Tells where something found is drawn, and what is left.

    Args:
        wrong: `(H, W)` bool, pixels that neither the background nor a tile shows.
        rows: the sprites found in the frame.
        bank: the dictionary.
        window: `(4,)` integers, left, top, right, bottom of the playing field: sprites of which
            not all shows are cut off there.
        holes: which of the sprites have holes.

    Returns:
        `(H, W)` uint8, the state of each pixel.
    """
    state = wrong.astype(np.uint8)
    left, top, right, bottom = window
    state[:top], state[bottom:], state[:, :left], state[:, right:] = (HIDDEN,) * 4
    whole = []
    for _, sprite, _, left, top, *_ in rows:
        shown = holes.get((sprite, left, top))
        if shown is not None:
            _hide(np.where(shown, 0, TRANSPARENT), state, left, top)
        elif sprite:
            whole.append((sprite - 1, left, top))
    drawn = np.array(whole, np.int64).reshape(-1, 3)
    _hide_all(drawn, state, bank.pixels, bank.starts, bank.sizes)
    return state


@numba.njit(cache=True)
def _hide(drawing: np.ndarray, state: np.ndarray, left: int, top: int) -> None:
    """Marks the pixels on which a drawing lies."""
    for y in range(max(-top, 0), min(drawing.shape[0], state.shape[0] - top)):
        for x in range(max(-left, 0), min(drawing.shape[1], state.shape[1] - left)):
            if drawing[y, x] != 255:
                state[top + y, left + x] = HIDDEN


@numba.njit(cache=True)
def _hide_all(drawn, state, pixels, starts, sizes):
    """Marks the pixels on which `(N, 3)` sprites, each an index, left and top, lie."""
    for sprite, left, top in drawn:
        width, height = sizes[sprite]
        drawing = pixels[starts[sprite] : starts[sprite] + width * height]
        _hide(drawing.reshape(height, width), state, left, top)


@numba.njit(cache=True)
def _judge(drawing, colors, state, left, top):
    """Returns pixels of a drawing that are confirmed, its net gain, and what contradicts it."""
    confirmed, gained, contradicted = 0, 0, 0
    for y in range(max(-top, 0), min(drawing.shape[0], state.shape[0] - top)):
        for x in range(max(-left, 0), min(drawing.shape[1], state.shape[1] - left)):
            here = state[top + y, left + x]
            if drawing[y, x] == 255 or here == HIDDEN:
                continue
            if colors[top + y, left + x] == drawing[y, x]:
                confirmed += 1
                gained += here == OPEN
            else:
                contradicted += 1
                gained -= here == PLAIN
    return confirmed, gained, contradicted


@numba.njit(cache=True)
def _judge_all(proposals, colors, state, pixels, starts, sizes):
    """Returns `(N, 3)` int64, what `_judge` says of each proposal."""
    counts = np.empty((len(proposals), 3), np.int64)
    for i in range(len(proposals)):
        sprite, left, top = proposals[i]
        width, height = sizes[sprite]
        drawing = pixels[starts[sprite] : starts[sprite] + width * height]
        counts[i] = _judge(drawing.reshape(height, width), colors, state, left, top)
    return counts


def verify(
    proposals: np.ndarray,
    index: np.ndarray,
    state: np.ndarray,
    bank: SpriteBank,
    exact: float,
    approximate: float,
) -> list[Accepted]:
    """Accepts proposals one by one as long as one makes more pixels right than wrong.

    A proposal lies behind all that is drawn already. One that nothing contradicts comes before all
    others, then the one that gains most; of equals, the first.

    Args:
        proposals: `(N, 3)` int64, index in the bank, left and top in the frame.
        index: `(H, W)` uint8 palette indices of the frame.
        state: `(H, W)` uint8, what `pixel_states` returned; what is accepted is marked in it.
        bank: the dictionary.
        exact: share of a sprite's pixels that must be confirmed if none is contradicted.
        approximate: the same if some are.

    Returns:
        What was accepted, front to back.
    """
    accepted: list[Accepted] = []
    areas = bank.areas[proposals[:, 0]]
    arrays = np.ascontiguousarray(index), state, bank.pixels, bank.starts, bank.sizes
    while len(proposals) and len(accepted) < MAX_ACCEPTED:
        confirmed, gained, contradicted = _judge_all(proposals, *arrays).T
        is_exact = (contradicted == 0) & (confirmed >= exact * areas)
        possible = (gained > 0) & (is_exact | (confirmed >= approximate * areas))
        if not possible.any():
            break
        best = np.lexsort((-gained, ~is_exact, ~possible))[0]
        sprite, left, top = proposals[best].tolist()
        accepted.append(Accepted(sprite, left, top, int(confirmed[best]), int(gained[best])))
        _hide_all(proposals[best : best + 1], *arrays[1:])
    return accepted
