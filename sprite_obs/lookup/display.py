"""Display: sprites of score, lives and logos, told by where they are and by what moves."""

import numba
import numpy as np

from sprite_obs.detections import Detections

STILL = 0
"""Stands for all types that do not move, in a row of the display."""
ALL = -1
"""Stands for all types, in a row that nothing ever enters which moves."""
TILE = -2
"""Kind of a tile of a wall, for which there are no rows."""


class DisplayRows:
    """Says which of the sprites in a frame belong to the display.

    Args:
        rows: `(n, 5)` int32: type id, left, top, right, bottom (exclusive) of where things of this
            type are display; `STILL` stands for all types that do not move, `ALL` for all.
        moves: `(T + 1,)` bool, which types move about; index 0 is unused.
        sprite_type: `(K,)` int32, type id of each sprite.
        tiles: sprite ids of tiles of walls, which are never display.
        frame_size: (H, W).
    """

    def __init__(
        self,
        rows: np.ndarray,
        moves: np.ndarray,
        sprite_type: np.ndarray,
        tiles: np.ndarray,
        frame_size: tuple[int, ...],
    ) -> None:
        self._rows = rows
        kind = np.where(moves[sprite_type], sprite_type, STILL)
        self._kind = np.append(STILL, kind)  # by sprite id
        self._kind[tiles] = TILE
        self._frame_size = frame_size

    def show(self, found: Detections) -> np.ndarray:
        """Returns `(N,)` bool, whether the centre of what a sprite shows is in a row for it."""
        height, width = self._frame_size
        return _in_rows(self._kind, self._rows, found.sprite, found.box, width, height)


@numba.njit(cache=True)
def _in_rows(kind, rows, sprite, box, width, height):
    """Returns `(N,)` bool, whether the centre of each box lies in a row of its kind.

    It is the centre of what lies in the frame: half of a digit may be taken for a larger one, of
    which the rest would be outside.
    """
    inside = np.zeros(len(sprite), np.bool_)
    for i in range(len(sprite)):
        x = (max(box[i, 0], 0) + min(box[i, 0] + box[i, 2], width)) / 2
        y = (max(box[i, 1], 0) + min(box[i, 1] + box[i, 3], height)) / 2
        own = kind[sprite[i]]
        for r in range(len(rows)):
            here = rows[r, 1] <= x < rows[r, 3] and rows[r, 2] <= y < rows[r, 4]
            inside[i] |= here and (rows[r, 0] == own or (rows[r, 0] == ALL and own != TILE))
    return inside
