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
    """

    frame: np.ndarray
    sprite: np.ndarray
    type: np.ndarray
    layer: np.ndarray
    box: np.ndarray
    score: np.ndarray

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
        return Detections(*(array[inside] for array in clipped))

    def of_frame(self, index: int) -> "Detections":
        """Returns the rows of one frame of the batch."""
        rows = self.frame == index
        return Detections(*(array[rows] for array in self))


Row = tuple[int, int, int, int, int, int, int, float]
"""Frame, sprite id, layer, left, top, width, height and score of one found sprite."""


def from_rows(rows: list[Row], sprite_type: np.ndarray) -> Detections:
    """Gathers found sprites into sorted arrays.

    Args:
        rows: found sprites in any order.
        sprite_type: `(K,)` int32, type id of each sprite of the dictionary.
    """
    table = np.array(rows, np.float64).reshape(-1, 8)
    table = table[np.lexsort((table[:, 3], table[:, 4], table[:, 2], table[:, 0]))]
    frame, sprite, layer, *box = table[:, :7].astype(np.int32).T
    type_of_id = np.concatenate([[0], sprite_type]).astype(np.int32)
    score = table[:, 7].astype(np.float32)
    return Detections(frame, sprite, type_of_id[sprite], layer, np.column_stack(box), score)
