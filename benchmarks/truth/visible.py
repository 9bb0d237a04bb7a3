"""Whether a frame shows what the memory says is there."""

import numpy as np

RING = 2
"""Width in pixels of the surroundings in which an object should stand out."""
NEIGHBOURHOOD = 6
"""Pixels around a box in which the colours of the background are counted."""
RING_SHARE, BACKGROUND_SHARE = 0.15, 0.25
"""From this share of the area on, a colour is one of the surroundings' or the background's own."""
MOVING_SHARES = 0.1, 0.3, 0.5
STILL_SHARES = 0.05, 0.05, np.inf
"""Shares of a box that must be of a new colour, stand out or differ from the background."""


def background_of(frames: np.ndarray) -> np.ndarray:
    """Returns the median of each pixel and channel, `(H, W, 3)` uint8, of `(N, H, W, 3)` frames."""
    background = np.empty(frames.shape[1:], np.uint8)
    for row in range(len(background)):  # all at once needs several times the memory of the frames
        background[row] = np.median(frames[:, row], axis=0)
    return background


def are_visible(
    frames: np.ndarray,
    background: np.ndarray,
    frame: np.ndarray,
    box: np.ndarray,
    still: np.ndarray,
) -> np.ndarray:
    """Looks at the pixels of every box.

    Args:
        frames: `(N, H, W, 3)` uint8.
        background: `(H, W, 3)` uint8.
        frame: `(M,)` integers, frame of each box.
        box: `(M, 4)` integers, left, top, width, height; may reach beyond the frame.
        still: `(M,)` bool. What stands still is part of the background, so that differing from it
            proves nothing: a coin that was taken differs as well.

    Returns:
        `(M,)` bool. Visible is a box with enough pixels of a colour that the background lacks
        there, or that its surroundings lack, or (moving ones) that differ from the background.
    """
    behind = _codes(background)
    visible = np.zeros(len(frame), bool)
    for number in np.unique(frame):
        image = _codes(frames[number])
        for row in np.flatnonzero(frame == number):
            needed = STILL_SHARES if still[row] else MOVING_SHARES
            shares = _shares(image, behind, *box[row].tolist())
            visible[row] = any(
                share >= enough for share, enough in zip(shares, needed, strict=True)
            )
    return visible


def _shares(
    image: np.ndarray, behind: np.ndarray, left: int, top: int, width: int, height: int
) -> tuple[float, float, float]:
    """Returns the shares of a box that have a new colour, stand out, and differ from behind."""
    inside = _window(left, top, width, height, 0)
    pixels = image[inside]
    if not pixels.size:
        return 0, 0, 0
    differs = pixels != behind[inside]
    around = behind[_window(left, top, width, height, NEIGHBOURHOOD)]
    is_new = differs & ~np.isin(pixels, _main_colors(around, BACKGROUND_SHARE))
    ring = np.ones(image.shape, bool)
    ring[inside] = False
    nearby = _window(left, top, width, height, RING)
    main = _main_colors(image[nearby][ring[nearby]], RING_SHARE)
    # Where a box fills the frame, nothing surrounds it.
    stands_out = ~np.isin(pixels, main) if len(main) else np.zeros(pixels.shape, bool)
    return float(is_new.mean()), float(stands_out.mean()), float(differs.mean())


def _window(left: int, top: int, width: int, height: int, margin: int) -> tuple[slice, slice]:
    """Returns the rows and columns of a box with a margin, as far as they are in the frame."""
    rows = slice(max(0, top - margin), max(0, top + height + margin))
    return rows, slice(max(0, left - margin), max(0, left + width + margin))


def _codes(image: np.ndarray) -> np.ndarray:
    """Returns one integer for each colour, `(H, W)` int32."""
    red, green, blue = np.moveaxis(image.astype(np.int32), -1, 0)
    return (red << 16) | (green << 8) | blue


def _main_colors(codes: np.ndarray, share: float) -> np.ndarray:
    colors, counts = np.unique(codes, return_counts=True)
    return colors[counts >= share * codes.size]
