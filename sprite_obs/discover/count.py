"""Every component of every frame, and which drawings recur."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT
from sprite_obs.lookup.components import Components, find_components
from sprite_obs.lookup.rooms import Behind
from sprite_obs.lookup.tiles import NO_TILES, claim_tiles


class Occurrences(NamedTuple):
    """All components of a recording, in frame order.

    Attributes:
        frame: `(N,)` int32, index of the frame.
        drawing: `(N,)` int64, index of the drawing.
        box: `(N, 4)` int32, left, top, width, height.
    """

    frame: np.ndarray
    drawing: np.ndarray
    box: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        """`(N, 2)` float64, centres (x, y) in pixels."""
        return self.box[:, :2] + self.box[:, 2:] / 2

    def rows_by_frame(self, num_frames: int) -> np.ndarray:
        """`(num_frames + 1,)` int64, where the rows of each frame start."""
        return np.searchsorted(self.frame, np.arange(num_frames + 1))


def cut_drawing(index: np.ndarray, found: Components, i: int) -> np.ndarray:
    """Cuts component `i` out of a frame: `(h, w)` palette indices, 255 where transparent."""
    x, y, width, height = found.boxes[i]
    window = np.s_[y : y + height, x : x + width]
    return np.where(found.labels[window] == i + 1, index[window], TRANSPARENT).astype(np.uint8)


def count_components(
    frames: np.ndarray,
    background: Behind,
    max_foreground: float,
    tiles: np.ndarray = NO_TILES,
) -> tuple[Occurrences, list[np.ndarray]]:
    """Finds the components of all frames and gives equal ones the same drawing.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        background: what lies behind the sprites.
        max_foreground: frames that differ in a larger share of pixels show another scene.
        tiles: `(n, 5)` int32, tiles of walls, which are counted apart.

    Returns:
        The occurrences, and for each drawing its `(h, w)` palette indices, 255 transparent.
    """

    def mask_of(index: np.ndarray) -> np.ndarray:
        mask = index != background.shown(index, max_foreground)
        claim_tiles(index, mask, tiles)
        return mask

    return count_masks(frames, map(mask_of, frames), max_foreground)


def count_masks(
    frames: np.ndarray, masks: Iterable[np.ndarray], max_foreground: float
) -> tuple[Occurrences, list[np.ndarray]]:
    """Finds the components of masks over frames and gives equal ones the same drawing.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        masks: N times `(H, W)` bool.
        max_foreground: larger masks show another scene.

    Returns:
        As `count_components`.
    """
    known: dict[int, int] = {}
    drawings: list[np.ndarray] = []
    rows: list[np.ndarray] = [np.zeros((0, 6), np.int64)]
    for n, (index, mask) in enumerate(zip(frames, masks, strict=True)):
        if mask.mean() > max_foreground:
            continue
        found = find_components(index, mask)
        ids = np.empty(len(found.keys), np.int64)
        for i, key in enumerate(found.keys.tolist()):
            if key not in known:
                known[key] = len(drawings)
                drawings.append(cut_drawing(index, found, i))
            ids[i] = known[key]
        rows.append(np.column_stack([np.full(len(ids), n), ids, found.boxes]))
    table = np.concatenate(rows)
    return Occurrences(
        table[:, 0].astype(np.int32), table[:, 1], table[:, 2:].astype(np.int32)
    ), drawings
