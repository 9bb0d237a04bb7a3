"""Where things move; what is outside is display: score, lives, logos."""

import numpy as np

from sprite_obs.detections import Detections

MOBILE = 0.05
"""Share of its appearances from which a sprite moves on that moves about; all
sprites of its type then do."""
MIN_PLACES = 10
"""Places at which such a type is seen; digits of a score that hop have fewer."""
RARE = 0.01
"""Share of a type's appearances that may lie beyond a border of the playing field."""


def find_playfield(seen: Detections, moving: np.ndarray, frame_size: tuple[int, ...]) -> np.ndarray:
    """Finds the rectangle in which things move.

    Args:
        seen: the sprites of all frames, ids 1..K.
        moving: `(K,)`, share of a sprite's appearances from which it moves on.
        frame_size: (H, W).

    Returns:
        `(4,)` int32, left, top, right, bottom (exclusive), the whole frame if nothing moves.
    """
    height, width = frame_size
    ranges = []
    mobile = np.concatenate([[False], moving >= MOBILE])[seen.sprite]
    for kind in np.unique(seen.type[mobile]):
        box = seen.box[seen.type == kind]
        if len(np.unique(box[:, :2], axis=0)) >= MIN_PLACES:
            low = np.quantile(box[:, :2], RARE, axis=0, method="lower")
            high = np.quantile(box[:, :2] + box[:, 2:], 1 - RARE, axis=0, method="higher")
            ranges.append(np.concatenate([low, high]))
    if not ranges:
        return np.array([0, 0, width, height], np.int32)
    low, high = np.array(ranges)[:, :2].min(0), np.array(ranges)[:, 2:].max(0)
    return np.concatenate([np.maximum(low, 0), np.minimum(high, [width, height])]).astype(np.int32)
