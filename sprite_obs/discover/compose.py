"""Which recurring drawings are compositions of simpler ones, and so no sprites of their own."""

import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank
from sprite_obs.lookup.peel import Placement, Rules, peel, peel_covered
from sprite_obs.lookup.pieces import find_pieces

MIN_AREA = 8
"""Smaller drawings are never taken apart."""
MIN_PART = 4
"""Smaller drawings never count as parts."""
COVERED = Rules(0.2, 0.0, 0.0)
LOOSE = Rules(0.5, 0.0)
PART_FREQUENCY = 0.1
"""A part is seen at least this many times as often as the whole."""


def find_compositions(bank: SpriteBank, counts: np.ndarray) -> dict[int, list[Placement]]:
    """Finds drawings that are exact covers of at least two others.

    Touching along an equal colour is never a seam: halves of one shape are not parts.

    Args:
        bank: recurring drawings, largest first.
        counts: `(K,)` how often each was seen.

    Returns:
        For each composed drawing its parts.
    """
    pieces = find_pieces(bank, counts)
    composed: dict[int, list[Placement]] = {}
    for whole in np.flatnonzero(bank.areas >= MIN_AREA):
        usable = ((bank.areas >= MIN_PART) | pieces) & (bank.areas < bank.areas[whole])
        usable &= counts >= PART_FREQUENCY * counts[whole]
        order = np.flatnonzero(usable).astype(np.int32)
        drawing = bank.drawing(whole)
        orders = order[~pieces[order]], order[pieces[order]]
        opaque = drawing != TRANSPARENT
        parts, left = peel_covered(drawing, opaque, bank, orders, COVERED)
        if len(parts) < 2 or left.any():
            parts, left = peel(drawing, opaque, bank, order, LOOSE)
        if len(parts) >= 2 and not left.any():
            composed[int(whole)] = parts
    return composed
