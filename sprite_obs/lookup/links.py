"""Fragments of one thing: sprites that stand beside each other at a fixed offset."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.detections import Detections


class Links:
    """Says which of the sprites in a frame are fragments of one object.

    Args:
        table: `(L, 4)` int32: id of a fragment, id of a sprite that it belongs to, and that
            sprite's left upper corner minus the fragment's, x and y in pixels.

    Attributes:
        arrays: the same for compiled loops.
    """

    def __init__(self, table: np.ndarray) -> None:
        self.table = table
        ordered = np.ascontiguousarray(table[np.argsort(table[:, 0], kind="stable")], np.int32)
        last = int(table[:, 0].max(initial=0)) + 1
        starts = np.searchsorted(ordered[:, 0], np.arange(last + 1))  # of each fragment
        self.arrays = LinkTables(ordered, starts, int(table[:, :2].max(initial=0)) + 1)

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
        return _group_alone(frame, sprite, corner, self.arrays)


class LinkTables(NamedTuple):
    """Links for compiled loops.

    Attributes:
        links: `(L, 4)` int32, as in `Links`, sorted by fragment.
        starts: `(K + 1,)` int64, where the links of each fragment begin.
        num_ids: one more than the largest sprite id that is linked.
    """

    links: np.ndarray
    starts: np.ndarray
    num_ids: int


@numba.njit(cache=True)
def _group_alone(frame, sprite, corner, tables):
    objects = np.empty(len(sprite), np.int32)
    begin = 0
    while begin < len(sprite):
        end = begin
        while end < len(sprite) and frame[end] == frame[begin]:
            end += 1
        rows = slice(begin, end)
        group_rows(sprite[rows], corner[rows], tables, objects[rows])
        objects[rows] += begin
        begin = end
    return objects


@numba.njit(cache=True)
def group_rows(
    sprite: np.ndarray, corner: np.ndarray, tables: LinkTables, objects: np.ndarray
) -> None:
    """Numbers the objects of one frame.

    Args:
        sprite: `(N,)` integers, sprite ids.
        corner: `(N, 2)` or more columns, left and top in pixels.
        tables: which sprites may be fragments.
        objects: `(N,)` int32, written: the row of one of each object's sprites.
    """
    links, starts = tables.links, tables.starts
    if len(links) == 0:
        objects[:] = np.arange(len(sprite))
        return
    newest = np.full(tables.num_ids, -1)  # the last row of each sprite
    parent = np.arange(len(sprite))
    before = np.full(len(sprite), -1)  # the row of the same sprite before
    for row in range(len(sprite)):
        if sprite[row] < len(newest):
            before[row] = newest[sprite[row]]
            newest[sprite[row]] = row
    for row in range(len(sprite)):
        if sprite[row] + 1 < len(starts):
            for link in range(starts[sprite[row]], starts[sprite[row] + 1]):
                x, y = corner[row, 0] + links[link, 2], corner[row, 1] + links[link, 3]
                other = newest[links[link, 1]]
                while other >= 0 and (corner[other, 0] != x or corner[other, 1] != y):
                    other = before[other]
                if other >= 0 and other != row:
                    parent[_root(parent, row)] = _root(parent, other)
    for row in range(len(sprite)):
        objects[row] = _root(parent, row)


@numba.njit(cache=True)
def _root(parent, row):
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row
