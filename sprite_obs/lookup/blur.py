"""Frames that were compressed or scaled: what is but noise or blur of the usual colours is told."""

import numba
import numpy as np

SAMPLED_FRAMES = 101
"""Frames whose median is usual; an odd number, so that it is a colour of one of them."""
RED, GREEN, BLUE = 0.299, 0.587, 0.114
"""Parts of the channels in the brightness that JPEG and MPEG store."""
BRIGHTNESS = 20
"""Levels by which compression changes how bright a pixel is, at most."""
COLOR = 32
"""Levels by which it changes the difference of a channel from that: colours are stored at half
the size, so that those of a thing spill over its edge."""


def usual_colors(frames: np.ndarray) -> np.ndarray:
    """Returns the median of some of `(N, H, W, 3)` uint8 frames: `(H, W, 3)` uint8."""
    some = frames[:: max(1, len(frames) // SAMPLED_FRAMES)]
    return np.median(some, axis=0).astype(np.uint8)


@numba.njit(cache=True)
def settle(frame: np.ndarray, usual: np.ndarray, usual_index: np.ndarray, out: np.ndarray) -> None:
    """Gives pixels that differ from the usual colours only by noise and blur their index.

    Args:
        frame: `(H, W, 3)` uint8.
        usual: `(H, W, 3)` uint8.
        usual_index: `(H, W)` uint8, palette indices of `usual`.
        out: `(H, W)` uint8, palette indices of the frame; changed in place.
    """
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            red = float(frame[y, x, 0]) - float(usual[y, x, 0])
            green = float(frame[y, x, 1]) - float(usual[y, x, 1])
            blue = float(frame[y, x, 2]) - float(usual[y, x, 2])
            bright = RED * red + GREEN * green + BLUE * blue
            color = max(abs(red - bright), abs(blue - bright))
            if abs(bright) <= BRIGHTNESS and color <= COLOR:
                out[y, x] = usual_index[y, x]
