"""Drawings that occur in others: what is seen of something covered or eroded."""

import numpy as np

from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.fit import occurs_at

TINY = 3
"""Drawings of so few pixels may be pieces even of what is seen less often."""


def find_pieces(bank: SpriteBank, counts: np.ndarray) -> np.ndarray:
    """Returns `(K,)` bool, whether a drawing may be what is seen of a larger, covered one."""
    pieces = np.zeros(len(bank), bool)
    drawings = [bank.drawing(i) for i in range(len(bank))]
    for i, small in enumerate(drawings):
        larger = (bank.areas > bank.areas[i]) & (bank.sizes >= bank.sizes[i]).all(1)
        larger &= (counts >= counts[i]) | (bank.areas[i] <= TINY)
        pieces[i] = any(occurs_at(drawings[j], small)[0] >= 0 for j in np.flatnonzero(larger))
    return pieces
