"""Frames beside what the model makes of them."""

from collections.abc import Sequence

import numpy as np

from sprite_obs.view.picture import blank_page, enlarged, write_text

AMPLIFICATION = 4
COLUMN_WIDTH = 400  # pixels that an enlarged frame comes near to; larger frames keep their size
GAP = 12  # pixels between two images
TITLE_WIDTH = 118  # left of the images
CAPTION_HEIGHT = 26  # above them
TITLES = ("frame", "reconstruction", f"difference x {AMPLIFICATION}")


def comparison_sheet(
    frames: np.ndarray, reconstructions: np.ndarray, captions: Sequence[str]
) -> np.ndarray:
    """Draws frames in a row, under each its reconstruction and the amplified absolute difference.

    Args:
        frames: `(N, H, W, 3)` uint8 RGB, N >= 1.
        reconstructions: the same.
        captions: N short texts, written above the frames.

    Returns:
        `(height, width, 3)` uint8 RGB.
    """
    difference = np.abs(frames.astype(np.int16) - reconstructions)
    amplified = np.minimum(difference * AMPLIFICATION, 255).astype(np.uint8)
    images = np.stack([frames, reconstructions, amplified])  # (3, N, H, W, 3)
    scale = max(round(COLUMN_WIDTH / frames.shape[2]), 1)
    num_rows, num_columns = images.shape[:2]
    height, width = images.shape[2] * scale, images.shape[3] * scale
    tops = [CAPTION_HEIGHT + row * (height + GAP) for row in range(num_rows)]
    lefts = [TITLE_WIDTH + column * (width + GAP) for column in range(num_columns)]
    page = blank_page(tops[-1] + height + GAP, lefts[-1] + width + GAP)
    for title, top, row in zip(TITLES, tops, images, strict=True):
        write_text(page, title, GAP, top + height // 2)
        for left, image in zip(lefts, row, strict=True):
            page[top : top + height, left : left + width] = enlarged(image, scale)
    for caption, left in zip(captions, lefts, strict=True):
        write_text(page, caption, left, CAPTION_HEIGHT - 9)
    return page
