"""Which recurring drawings are compositions of simpler ones, and so no sprites of their own."""

import numpy as np

from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.peel import Placement, peel

MIN_AREA = 8
"""Smaller drawings are never taken apart."""
MIN_PART = 4
"""Smaller drawings never count as parts."""
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
    composed: dict[int, list[Placement]] = {}
    for whole in np.flatnonzero(bank.areas >= MIN_AREA):
        usable = (bank.areas >= MIN_PART) & (bank.areas < bank.areas[whole])
        usable &= counts >= PART_FREQUENCY * counts[whole]
        order = np.flatnonzero(usable).astype(np.int32)
        drawing = bank.drawing(whole)
        parts, left = peel(drawing, drawing != 255, bank, order, 0.5, 0.0)
        if len(parts) >= 2 and not left.any():
            composed[int(whole)] = parts
    return composed
