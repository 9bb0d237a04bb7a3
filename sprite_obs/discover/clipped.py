"""Views of sprites that the border of the playing field cuts off: no sprites of their own."""

import numpy as np

from sprite_obs.discover.count import Occurrences
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank
from sprite_obs.lookup.peel import Rules, extend, peel
from sprite_obs.lookup.rooms import Behind

AT_BORDER = 0.9
"""Share of its appearances in which a clipped view touches the border that clips it."""
MOBILE = 0.05
"""Share of appearances from which a sprite moves on that may be clipped."""
MIN_SHOWN = 0.1
"""Share of a sprite's pixels that a clipped view shows at least."""


def seen_window(frames: np.ndarray, background: Behind, max_foreground: float) -> np.ndarray:
    """Returns `(4,)` int32, left, top, right, bottom (exclusive) of where anything ever happens."""
    changed = np.zeros(background.image.shape, bool)
    for index in frames:
        mask = index != background.shown(index, max_foreground)
        if mask.mean() <= max_foreground:
            changed |= mask
    height, width = background.image.shape
    if not changed.any():
        return np.array([0, 0, width, height], np.int32)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.int32)


def find_clipped(
    bank: SpriteBank, seen: Occurrences, moving: np.ndarray, window: np.ndarray
) -> list[int]:
    """Finds drawings that are what a border leaves of a larger, moving one.

    Args:
        bank: recurring drawings, largest first.
        seen: their occurrences.
        moving: `(K,)`, share of a drawing's appearances from which it moves on.
        window: left, top, right, bottom (exclusive) of the playing field.

    Returns:
        The clipped drawings.
    """
    low, high = seen.box[:, :2], seen.box[:, :2] + seen.box[:, 2:]
    touches = np.concatenate([low <= window[:2], high >= window[2:]], axis=1)  # (N, 4)
    counts = np.bincount(seen.drawing, minlength=len(bank))
    touching = np.stack([np.bincount(seen.drawing, side, len(bank)) for side in touches.T], 1)
    at_border = touching >= AT_BORDER * np.maximum(counts, 1)[:, None]  # (K, 4)
    clipped: list[int] = []
    for view in np.flatnonzero(at_border.any(1)).tolist():
        larger = (bank.areas > bank.areas[view]) & (moving >= MOBILE) & ~at_border.any(1)
        order = np.flatnonzero(larger).astype(np.int32)
        drawing = bank.drawing(view)
        colors, opaque, hidden, _ = extend(
            drawing, drawing != TRANSPARENT, at_border[view], int(bank.sizes.max())
        )
        parts, left = peel(colors, opaque, bank, order, Rules(MIN_SHOWN, 0.0), hidden)
        if parts and not left.any():
            clipped.append(view)
    return clipped
