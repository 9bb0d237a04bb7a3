"""Where a frame shows things: what goes behind a wall beside the playing field is cut off there."""

import numpy as np

from sprite_obs.detections import Detections

BLANK = 0.9
"""Share of black pixels from which on a margin is no wall but beyond the picture's border."""


def view_of(background: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Finds the rectangle beyond which walls hide things.

    A console may leave columns of the frame black. What is there has left the picture, as it has
    beyond the frame's border, and goes on outside; what is behind scenery is hidden.

    Args:
        background: `(H, W, 3)` uint8.
        window: `(4,)` left, top, right, bottom (exclusive) of where anything ever happens.

    Returns:
        `(4,)` int64, the same with the sides of black margins moved beyond everything.
    """
    left, top, right, bottom = window.tolist()
    black = (background == 0).all(2)  # (H, W)
    rows, columns = slice(top, bottom), slice(left, right)
    margins = black[rows, :left], black[:top, columns], black[rows, right:], black[bottom:, columns]
    blank = [not margin.size or margin.mean() >= BLANK for margin in margins]
    beyond = np.array([-1, -1, 1, 1]) * np.iinfo(np.int32).max
    return np.where(blank, beyond, window)


def cut_at_view(found: Detections, view: np.ndarray) -> Detections:
    """Cuts the boxes of sprites that a wall hides in part.

    What is seen whole, or lies wholly beyond the view, stays as it is: there the recording did not
    show all.
    """
    low = np.maximum(found.box[:, :2], view[:2])
    size = np.minimum(found.box[:, :2] + found.box[:, 2:], view[2:]) - low
    cut = (found.score < 1) & (size > 0).all(1)
    box = np.where(cut[:, None], np.column_stack([low, size]), found.box)
    return found._replace(box=box.astype(np.int32))
