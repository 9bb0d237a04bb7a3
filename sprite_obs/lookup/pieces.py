"""Drawings that occur in others: what is seen of something covered or eroded."""

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank
from sprite_obs.lookup.peel import Placement

TINY = 3
"""Drawings of so few pixels may be pieces even of what is seen less often."""


@numba.njit(cache=True)
def _offset_in(large, small):
    """Returns left and top at which a drawing occurs in another one; -1, -1 if nowhere."""
    for top in range(large.shape[0] - small.shape[0] + 1):
        for left in range(large.shape[1] - small.shape[1] + 1):
            same = True
            for y in range(small.shape[0]):
                for x in range(small.shape[1]):
                    if small[y, x] != 255 and small[y, x] != large[top + y, left + x]:
                        same = False
                        break
                if not same:
                    break
            if same:
                return left, top
    return -1, -1


def find_pieces(bank: SpriteBank, counts: np.ndarray) -> np.ndarray:
    """Returns `(K,)` bool, whether a drawing may be what is seen of a larger, covered one."""
    pieces = np.zeros(len(bank), bool)
    drawings = [bank.drawing(i) for i in range(len(bank))]
    for i, small in enumerate(drawings):
        larger = (bank.areas > bank.areas[i]) & (bank.sizes >= bank.sizes[i]).all(1)
        larger &= (counts >= counts[i]) | (bank.areas[i] <= TINY)
        pieces[i] = any(_offset_in(drawings[j], small)[0] >= 0 for j in np.flatnonzero(larger))
    return pieces


def find_eroded(drawing: np.ndarray, bank: SpriteBank, min_visible: float) -> Placement | None:
    """Finds a sprite of which a component shows a part, without anything that covers the rest.

    Args:
        drawing: `(h, w)` uint8 palette indices of the component, 255 transparent.
        bank: the known sprites.
        min_visible: share of the sprite's pixels that must show.

    Returns:
        The smallest such sprite, relative to the component's box; None if there is none.
    """
    height, width = drawing.shape
    area = int((drawing != TRANSPARENT).sum())
    possible = (bank.areas > area) & (bank.areas * min_visible <= area)
    possible &= (bank.sizes >= [width, height]).all(1)
    for sprite in np.flatnonzero(possible)[np.argsort(bank.areas[possible], kind="stable")]:
        left, top = _offset_in(bank.drawing(sprite), drawing)
        if left >= 0:
            return Placement(int(sprite), -left, -top, area)
    return None
