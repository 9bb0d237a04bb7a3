"""Display: sprites of score, lives and logos, told by where they are and by what moves."""

from typing import NamedTuple

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

    Attributes:
        arrays: the same for compiled loops.
    """

    def __init__(
        self,
        rows: np.ndarray,
        moves: np.ndarray,
        sprite_type: np.ndarray,
        tiles: np.ndarray,
        frame_size: tuple[int, ...],
    ) -> None:
        kind = np.append(STILL, np.where(moves[sprite_type], sprite_type, STILL)).astype(np.int64)
        kind[tiles] = TILE
        size = np.array(frame_size[1::-1], np.int64)
        self.arrays = DisplayTables(np.array(rows, np.int32, order="C"), kind, size)

    def show(self, found: Detections) -> np.ndarray:
        """Returns `(N,)` bool, whether the centre of what a sprite shows is in a row for it."""
        return _show_alone(found.sprite, found.box, self.arrays)


class DisplayTables(NamedTuple):
    """`DisplayRows` for compiled loops.

    Attributes:
        rows: `(n, 5)` int32, as there.
        kind: `(K + 1,)` int64, by sprite id: the type where it moves, else `STILL`, or `TILE`.
        size: `(2,)` int64, width and height of the frame.
    """

    rows: np.ndarray
    kind: np.ndarray
    size: np.ndarray


@numba.njit(cache=True)
def _show_alone(sprite, box, tables):
    shown = np.empty(len(sprite), np.bool_)
    mark_display(sprite, box, tables, shown)
    return shown


@numba.njit(cache=True)
def mark_display(
    sprite: np.ndarray, box: np.ndarray, tables: DisplayTables, shown: np.ndarray
) -> None:
    """Writes whether the centre of each box lies in a row of the display for its sprite.

    It is the centre of what lies in the frame: half of a digit may be taken for a larger one, of
    which the rest would be outside.
    """
    rows, kind, size = tables.rows, tables.kind, tables.size
    for i in range(len(sprite)):
        x = (max(box[i, 0], 0) + min(box[i, 0] + box[i, 2], size[0])) / 2
        y = (max(box[i, 1], 0) + min(box[i, 1] + box[i, 3], size[1])) / 2
        shown[i] = _is_in_row(rows, kind[sprite[i]], x, y)


@numba.njit(cache=True, inline="always")
def _is_in_row(rows, own, x, y):
    is_in = False
    for r in range(len(rows)):
        here = rows[r, 1] <= x < rows[r, 3] and rows[r, 2] <= y < rows[r, 4]
        is_in |= here and (rows[r, 0] == own or (rows[r, 0] == ALL and own != TILE))
    return is_in
