"""Display: sprites of score, lives and logos, told by where they are and by what moves."""

import numba
import numpy as np

from sprite_obs.detections import Detections


class DisplayRows:
    """Says which of the sprites in a frame belong to the display.

    Args:
        rows: `(n, 5)` int32: type id, left, top, right, bottom (exclusive) of where things of this
            type are display; type 0 stands for all types that do not move.
        moves: `(T + 1,)` bool, which types move about; index 0 is unused.
        sprite_type: `(K,)` int32, type id of each sprite.
        tiles: sprite ids of tiles of walls, which are never display.
    """

    def __init__(
        self, rows: np.ndarray, moves: np.ndarray, sprite_type: np.ndarray, tiles: np.ndarray
    ) -> None:
        self._rows = rows
        self._kind = np.append(0, np.where(moves[sprite_type], sprite_type, 0))  # by sprite id
        self._kind[tiles] = -1

    def show(self, found: Detections) -> np.ndarray:
        """Returns `(N,)` bool, whether the centre of a sprite lies in a row for its type."""
        return _in_rows(self._kind, self._rows, found.sprite, found.box)


@numba.njit(cache=True)
def _in_rows(kind, rows, sprite, box):
    """Returns `(N,)` bool, whether the centre of each box lies in a row of its kind."""
    inside = np.zeros(len(sprite), np.bool_)
    for i in range(len(sprite)):
        x, y = box[i, 0] + box[i, 2] / 2, box[i, 1] + box[i, 3] / 2
        for r in range(len(rows)):
            here = rows[r, 1] <= x < rows[r, 3] and rows[r, 2] <= y < rows[r, 4]
            inside[i] |= here and rows[r, 0] == kind[sprite[i]]
    return inside
