"""The arrays in which found sprites travel: encoder -> objects -> wrapper, and into files."""

from collections.abc import Mapping
from typing import NamedTuple

import numba
import numpy as np


class Detections(NamedTuple):
    """Sprites found in a batch of frames; flat arrays with one row per sprite, in frame order.

    Rows of one frame are sorted by layer, then y, then x.

    Attributes:
        frame: `(N,)` int32, index of the frame in the batch.
        sprite: `(N,)` int32, sprite id 1..K; 0 where no sprite of the dictionary fits.
        type: `(N,)` int32, type id 1..T of the sprite; 0 where `sprite` is 0.
        layer: `(N,)` int32, 0 at the back.
        box: `(N, 4)` int32, left, top, width, height of the sprite's opaque pixels; x right,
            y down; it may reach beyond the frame.
        score: `(N,)` float32 in [0, 1], share of the sprite's pixels that the frame confirms.
        object: `(N,)` int32, equal for the sprites of a frame that are fragments of one object, and
            different for all others of the batch.
        shown: `(N,)` object, for a sprite with holes, through which one sees the background,
            `(height, width)` bool, the pixels of its drawing that show; None for all others.
    """

    frame: np.ndarray
    sprite: np.ndarray
    type: np.ndarray
    layer: np.ndarray
    box: np.ndarray
    score: np.ndarray
    object: np.ndarray
    shown: np.ndarray

    @classmethod
    def separate(
        cls,
        frame: np.ndarray,
        sprite: np.ndarray,
        type: np.ndarray,
        layer: np.ndarray,
        box: np.ndarray,
        score: np.ndarray,
    ) -> "Detections":
        """Returns sprites without holes, each of which is an object of its own."""
        number = np.arange(len(frame), dtype=np.int32)
        return cls(frame, sprite, type, layer, box, score, number, nothing_shown(len(frame)))

    @property
    def centre(self) -> np.ndarray:
        """`(N, 2)` float32, centre (x, y) of each box in frame pixels."""
        return (self.box[:, :2] + self.box[:, 2:] / 2).astype(np.float32)

    def clipped(self, frame_size: tuple[int, int]) -> "Detections":
        """Cuts the boxes at the border of frames of (H, W) pixels; drops what lies outside."""
        height, width = frame_size
        start = np.clip(self.box[:, :2], 0, [width, height])
        size = np.clip(self.box[:, :2] + self.box[:, 2:], 0, [width, height]) - start
        clipped = self._replace(box=np.column_stack([start, size]).astype(np.int32))
        inside = (size > 0).all(1)
        return clipped.rows(inside)

    def of_frame(self, index: int) -> "Detections":
        """Returns the rows of one frame of the batch."""
        return self.rows(self.frame == index)

    def rows(self, chosen: np.ndarray | slice) -> "Detections":
        """Returns some rows, chosen by a mask, by indices or as a slice."""
        return Detections(*(array[chosen] for array in self))


def nothing_shown(count: int) -> np.ndarray:
    """Returns the `shown` of sprites without holes: `(count,)` object, None throughout."""
    return np.empty(count, object)


Row = tuple[int, int, int, int, int, int, int, float]
"""Frame, sprite id, layer, left, top, width, height and score of one found sprite."""


class Sight(NamedTuple):
    """Sprites as they were found in a batch of frames, for what follows them at once.

    Attributes:
        frame: `(N,)` int32, as in `Found`; overwritten when the next frames are looked at.
        table: `(N, 6)` or more int32, the columns of `Found.table` first; likewise.
        error: `(B,)` float32, share of each frame's pixels that nothing explains.
    """

    frame: np.ndarray
    table: np.ndarray
    error: np.ndarray


class Found(NamedTuple):
    """Sprites as a decoder found them in a batch of frames, in the order of detections.

    Attributes:
        frame: `(N,)` int32, index of the frame in the batch.
        table: `(N, 6)` int32, sprite id, layer, left, top, width, height.
        score: `(N,)` float32 in [0, 1].
        shown: `(N,)` object, as in `Detections`.
        unexplained: `(B,)` int64, pixels that neither the background nor a sprite explains.
    """

    frame: np.ndarray
    table: np.ndarray
    score: np.ndarray
    shown: np.ndarray
    unexplained: np.ndarray

    def part(self, number: int, start: int, end: int) -> "Found":
        """Returns one frame of the batch, whose rows start and end there, as a batch of its own."""
        rows = slice(start, end)
        frame = np.zeros(end - start, np.int32)
        unexplained = self.unexplained[number : number + 1]
        return Found(frame, self.table[rows], self.score[rows], self.shown[rows], unexplained)

    def rows(self) -> list[Row]:
        """Returns the sprites one by one."""
        columns = self.frame.tolist(), self.table.tolist(), self.score.tolist()
        return [(n, *place, score) for n, place, score in zip(*columns, strict=True)]

    def typed(self, type_of_id: np.ndarray) -> Detections:
        """Returns the sprites with their types, each an object of its own.

        Args:
            type_of_id: `(K + 1,)` int32, type id of each sprite id.
        """
        sprite, layer = self.table[:, 0].copy(), self.table[:, 1].copy()
        number, box = np.arange(len(sprite), dtype=np.int32), self.table[:, 2:].copy()
        kind = type_of_id[sprite]
        return Detections(self.frame, sprite, kind, layer, box, self.score, number, self.shown)


def found_of_rows(
    rows: list[Row], shown: Mapping[tuple[int, int, int], np.ndarray | None], unexplained: int
) -> Found:
    """Gathers what was found in one frame.

    Args:
        rows: sprites in any order.
        shown: of those with holes which pixels show, by sprite id, left and top.
        unexplained: pixels that nothing explains.
    """
    rows = sorted(rows, key=lambda row: (row[2], row[4], row[3]))
    table = np.array([row[1:7] for row in rows], np.int32).reshape(-1, 6)
    masks = nothing_shown(len(rows))
    for row, (_, sprite, _, left, top, *_) in enumerate(rows):
        masks[row] = shown.get((sprite, left, top))
    score = np.array([row[7] for row in rows], np.float32)
    frame = np.zeros(len(rows), np.int32)
    return Found(frame, table, score, masks, np.array([unexplained], np.int64))


def join_found(parts: list[Found]) -> Found:
    """Joins what was found in single frames into a batch."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        nothing = np.zeros(0, np.int32), np.zeros((0, 6), np.int32), np.zeros(0, np.float32)
        return Found(*nothing, nothing_shown(0), np.zeros(0, np.int64))
    counts = [len(part.frame) for part in parts]
    frame = np.repeat(np.arange(len(parts), dtype=np.int32), counts)
    columns = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Found(*columns)._replace(frame=frame)


def from_rows(rows: list[Row], sprite_type: np.ndarray) -> Detections:
    """Gathers found sprites as `from_table` does, one by one and in any order."""
    table = np.array(rows, np.float64).reshape(-1, 8)
    return from_table(table[:, :7].astype(np.int32), table[:, 7].astype(np.float32), sprite_type)


def from_table(table: np.ndarray, score: np.ndarray, sprite_type: np.ndarray) -> Detections:
    """Gathers found sprites into sorted arrays, each an object of its own.

    Args:
        table: `(N, 7)` int32, frame, sprite id, layer, left, top, width and height, in any order.
        score: `(N,)` float32 in [0, 1].
        sprite_type: `(K,)` int32, type id of each sprite of the dictionary.
    """
    order = np.lexsort((table[:, 3], table[:, 4], table[:, 2], table[:, 0]))
    frame, sprite, layer, *_ = np.ascontiguousarray(table[order].T)
    type_of_id = np.concatenate([[0], sprite_type]).astype(np.int32)
    box = table[order, 3:]
    return Detections.separate(frame, sprite, type_of_id[sprite], layer, box, score[order])


def merge_objects(found: Detections) -> Detections:
    """Joins the fragments of each object.

    Args:
        found: sprites, with the numbers of their objects.

    Returns:
        One row per object: the smallest box around its sprites, all else from the sprite of the
        largest box, the main one.
    """
    number = found.object
    if (number[1:] > number[:-1]).all():  # each is an object of its own: most of the time
        return found
    main, box = _merge_alone(found.frame, found.layer, found.box, number)
    return found.rows(main)._replace(box=box)


@numba.njit(cache=True)
def _merge_alone(frame, layer, box, number):
    """Joins the fragments of the objects of all frames; returns as `merge_rows`."""
    main, merged = np.empty(len(frame), np.int64), np.empty((len(frame), 4), np.int32)
    begin, count = 0, 0
    while begin < len(frame):
        end = begin
        while end < len(frame) and frame[end] == frame[begin]:
            end += 1
        rows = slice(begin, end)
        of_frame, boxes = merge_rows(layer[rows], box[rows], number[rows])
        main[count : count + len(of_frame)] = of_frame + begin
        merged[count : count + len(of_frame)] = boxes
        begin, count = end, count + len(of_frame)
    return main[:count].copy(), merged[:count].copy()


@numba.njit(cache=True)
def merge_rows(layer, box, number):
    """Joins the fragments of the objects of one frame.

    For compiled loops alone: Numba's cache mixes up functions that return arrays and are called
    both from there and from Python.

    Args:
        layer: `(N,)` int32.
        box: `(N, 4)` int32.
        number: `(N,)` int32, numbers of the objects.

    Returns:
        `(M,)` int64, the row of each object's largest box, the first of equals, and `(M, 4)` int32,
        the box around all, in the order of detections.
    """
    if _is_rising(number):
        return np.arange(len(number)), box.copy()
    rows = _rising(number.astype(np.int64))
    main, merged = np.empty(len(rows), np.int64), np.empty((len(rows), 4), np.int32)
    count, largest = 0, np.int64(-1)
    for k in range(len(rows)):
        row = rows[k]
        if k == 0 or number[row] != number[rows[k - 1]]:
            merged[count] = box[row]
            count, largest = count + 1, np.int64(-1)
        else:
            _enclose(merged[count - 1], box[row])
        size = np.int64(box[row, 2]) * box[row, 3]
        if size > largest:
            main[count - 1], largest = row, size
    order = order_rows(layer[main[:count]], merged[:count, 0], merged[:count, 1])
    return main[order], merged[order]


@numba.njit(cache=True)
def _is_rising(number):
    rises = True
    for row in range(1, len(number)):
        rises &= number[row] > number[row - 1]
    return rises


@numba.njit(cache=True)
def _enclose(box, other):
    """Widens a box so that it holds another one."""
    for axis in range(2):
        start = min(box[axis], other[axis])
        box[2 + axis] = max(box[axis] + box[2 + axis], other[axis] + other[2 + axis]) - start
        box[axis] = start


@numba.njit(cache=True)
def order_rows(layer, left, top):
    """Returns the rows in the order of layer, y and x; they nearly are, so insertion is fastest.

    For compiled loops alone, as `merge_rows`.
    """
    half = 1 << 15  # sprites may reach beyond the frame
    places = np.empty(len(layer), np.int64)
    for row in range(len(layer)):
        places[row] = (np.int64(layer[row]) << 32) | ((top[row] + half) << 16) | (left[row] + half)
    return _rising(places)


@numba.njit(cache=True)
def _rising(values):
    """Returns the rows in the order of their values, which are sorted in place."""
    order = np.empty(len(values), np.int64)
    for row in range(len(values)):
        value, at = values[row], row
        while at > 0 and values[at - 1] > value:
            values[at], order[at] = values[at - 1], order[at - 1]
            at -= 1
        values[at], order[at] = value, row
    return order
