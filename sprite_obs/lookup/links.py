"""Fragments of one thing: sprites that stand beside each other at a fixed offset."""

import numba
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
        self._sorted = np.ascontiguousarray(table[np.argsort(table[:, 0], kind="stable")])
        self._num_ids = int(table[:, :2].max(initial=0)) + 1
        last = int(table[:, 0].max(initial=0)) + 1
        self._starts = np.searchsorted(self._sorted[:, 0], np.arange(last + 1))  # of each fragment

    def joined(self, found: Detections) -> Detections:
        """Gives the fragments of one object the same number."""
        if not len(self.table):
            return found
        return found._replace(object=self.group(found.frame, found.sprite, found.box[:, :2]))

    def group(self, frame: np.ndarray, sprite: np.ndarray, corner: np.ndarray) -> np.ndarray:
        """Numbers the objects.

        Args:
            frame: `(N,)` integers, frame of each sprite, in ascending order.
            sprite: `(N,)` integers, sprite ids.
            corner: `(N, 2)` integers, left and top in pixels.

        Returns:
            `(N,)` int32, equal for sprites of one object; the row of one of its sprites.
        """
        return _group(frame, sprite, corner, self._sorted, self._starts, self._num_ids)


@numba.njit(cache=True)
def _group(frame, sprite, corner, links, starts, num_ids):
    parent = np.arange(len(sprite))
    latest = np.full(num_ids, -1)  # row of each sprite so far, and the row before it
    before = np.empty(len(sprite), np.int64)
    begin, end = 0, 0
    for row in range(len(sprite)):
        if row == end:  # the frame's rows are from `begin` to `end`
            begin = row
            while end < len(sprite) and frame[end] == frame[row]:
                if sprite[end] < num_ids:
                    before[end], latest[sprite[end]] = latest[sprite[end]], end
                end += 1
        if sprite[row] + 1 >= len(starts):
            continue
        for link in range(starts[sprite[row]], starts[sprite[row] + 1]):
            _, whole, dx, dy = links[link]
            x, y = corner[row, 0] + dx, corner[row, 1] + dy
            other = latest[whole]
            while other >= begin and (corner[other, 0] != x or corner[other, 1] != y):
                other = before[other]
            if other >= begin and other != row:
                parent[_root(parent, row)] = _root(parent, other)
    objects = np.empty(len(sprite), np.int32)
    for row in range(len(sprite)):
        objects[row] = _root(parent, row)
    return objects


@numba.njit(cache=True)
def _root(parent, row):
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row
