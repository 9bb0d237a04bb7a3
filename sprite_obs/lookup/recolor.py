"""The background as a frame shows it: games swap palettes, at a reset or for a flash."""

import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT

COMMON = 0.01
"""Colours that fill a smaller share of the background keep their value."""
AGREEMENT = 0.6
"""Share of a colour's pixels that must change into one and the same other colour."""


def shown_background(
    index: np.ndarray, background: np.ndarray, max_foreground: float
) -> np.ndarray:
    """Returns the background, recoloured where a frame shows the whole of it in other colours.

    Args:
        index: `(H, W)` uint8 palette indices of the frame.
        background: `(H, W)` uint8 palette indices.
        max_foreground: share of differing pixels up to which the usual colours hold.

    Returns:
        `(H, W)` uint8; the very `background` that was given, unless the frame changed its colours.
    """
    if np.count_nonzero(index != background) <= max_foreground * index.size:
        return background
    shown = np.arange(256, dtype=np.uint8)
    for color in np.unique(background):
        now = np.bincount(index[background == color], minlength=256)[:TRANSPARENT]
        if now.sum() >= COMMON * index.size and now.max() >= AGREEMENT * now.sum():
            shown[color] = now.argmax()
    return shown[background]
