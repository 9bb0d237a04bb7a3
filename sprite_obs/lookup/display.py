"""Display: sprites of score, lives and logos, told by where they are and by what moves."""

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
        kind, left, top, right, bottom = self._rows.T  # (n,) each
        x, y = found.centre.T[..., None]  # (N, 1) each
        here = (x >= left) & (x < right) & (y >= top) & (y < bottom)  # (N, n)
        return (here & (self._kind[found.sprite][:, None] == kind)).any(1)
