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
    newest = np.full(num_ids, -1)  # of each sprite id, its last row so far
    before = np.full(len(sprite), -1)  # the row of the same sprite before, in the same frame
    begin = 0
    while begin < len(sprite):
        end = begin
        while end < len(sprite) and frame[end] == frame[begin]:
            if sprite[end] < num_ids:
                before[end] = newest[sprite[end]]
                newest[sprite[end]] = end
            end += 1
        for row in range(begin, end):
            if sprite[row] + 1 < len(starts):
                for link in range(starts[sprite[row]], starts[sprite[row] + 1]):
                    x, y = corner[row, 0] + links[link, 2], corner[row, 1] + links[link, 3]
                    other = newest[links[link, 1]]
                    while other >= 0 and (corner[other, 0] != x or corner[other, 1] != y):
                        other = before[other]
                    if other >= 0 and other != row:
                        parent[_root(parent, row)] = _root(parent, other)
        for row in range(begin, end):
            if sprite[row] < num_ids:
                newest[sprite[row]] = -1
        begin = end
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
