"""The arrays in which found sprites travel: encoder -> objects -> wrapper, and into files."""

from typing import NamedTuple

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
    """

    frame: np.ndarray
    sprite: np.ndarray
    type: np.ndarray
    layer: np.ndarray
    box: np.ndarray
    score: np.ndarray
    object: np.ndarray

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
        """Returns sprites each of which is an object of its own."""
        number = np.arange(len(frame), dtype=np.int32)
        return cls(frame, sprite, type, layer, box, score, number)

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


Row = tuple[int, int, int, int, int, int, int, float]
"""Frame, sprite id, layer, left, top, width, height and score of one found sprite."""


def from_rows(rows: list[Row], sprite_type: np.ndarray) -> Detections:
    """Gathers found sprites into sorted arrays, each an object of its own.

    Args:
        rows: found sprites in any order.
        sprite_type: `(K,)` int32, type id of each sprite of the dictionary.
    """
    table = np.array(rows, np.float64).reshape(-1, 8)
    table = table[np.lexsort((table[:, 3], table[:, 4], table[:, 2], table[:, 0]))]
    frame, sprite, layer, *box = table[:, :7].astype(np.int32).T
    type_of_id = np.concatenate([[0], sprite_type]).astype(np.int32)
    score = table[:, 7].astype(np.float32)
    return Detections.separate(
        frame, sprite, type_of_id[sprite], layer, np.column_stack(box), score
    )


def merge_objects(found: Detections) -> Detections:
    """Joins the fragments of each object.

    Args:
        found: sprites, with the numbers of their objects.

    Returns:
        One row per object: the smallest box around its sprites, all else from the sprite of the
        largest box, the main one.
    """
    if (np.diff(found.object) > 0).all():  # each is an object of its own: most of the time
        return found
    size = found.box[:, 2].astype(np.int64) * found.box[:, 3]
    order = np.lexsort((-size, found.object))
    numbers, first, member = np.unique(found.object[order], return_index=True, return_inverse=True)
    low, high = found.box[order, :2], found.box[order, :2] + found.box[order, 2:]
    start = np.full((len(numbers), 2), np.iinfo(np.int32).max)
    end = np.full((len(numbers), 2), np.iinfo(np.int32).min)
    np.minimum.at(start, member, low)
    np.maximum.at(end, member, high)
    box = np.column_stack([start, end - start]).astype(np.int32)
    merged = found.rows(order[first])._replace(box=box)
    return merged.rows(np.lexsort((box[:, 0], box[:, 1], merged.layer, merged.frame)))


def main_rows(found: Detections) -> np.ndarray:
    """Returns `(N,)` int64, for each sprite the row of the main one of its object."""
    size = found.box[:, 2].astype(np.int64) * found.box[:, 3]
    order = np.lexsort((-size, found.object))
    _, first, member = np.unique(found.object[order], return_index=True, return_inverse=True)
    rows = np.empty(len(order), np.int64)
    rows[order] = order[first][member]
    return rows
