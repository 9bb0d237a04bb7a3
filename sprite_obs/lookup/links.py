"""Fragments of one thing: sprites that stand beside each other at a fixed offset."""

import numpy as np

from sprite_obs.detections import Detections


class Links:
    """Says which of the sprites in a frame are fragments of one object.

    Args:
        table: `(L, 4)` int32: id of a fragment, id of a sprite that it belongs to, and that
            sprite's left upper corner minus the fragment's, x and y in pixels.
    """

    def __init__(self, table: np.ndarray) -> None:
        self.table = table
        self._of: dict[int, list[tuple[int, int, int]]] = {}
        for fragment, sprite, dx, dy in table.tolist():
            self._of.setdefault(fragment, []).append((sprite, dx, dy))

    def joined(self, found: Detections) -> Detections:
        """Gives the fragments of one object the same number."""
        return found._replace(object=self.group(found.frame, found.sprite, found.box[:, :2]))

    def group(self, frame: np.ndarray, sprite: np.ndarray, corner: np.ndarray) -> np.ndarray:
        """Numbers the objects.

        Args:
            frame: `(N,)` integers, frame of each sprite.
            sprite: `(N,)` integers, sprite ids.
            corner: `(N, 2)` integers, left and top in pixels.

        Returns:
            `(N,)` int32, equal for sprites of one object; the row of one of its sprites.
        """
        parent = list(range(len(sprite)))
        if not self._of:
            return np.array(parent, np.int32)
        keys = list(zip(frame.tolist(), sprite.tolist(), *corner.T.tolist(), strict=True))
        row_of = {key: row for row, key in enumerate(keys)}
        for row, (n, fragment, x, y) in enumerate(keys):
            for whole, dx, dy in self._of.get(fragment, ()):
                other = row_of.get((n, whole, x + dx, y + dy))
                if other is not None and other != row:
                    parent[_root(parent, row)] = _root(parent, other)
        return np.array([_root(parent, row) for row in range(len(parent))], np.int32)


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row
