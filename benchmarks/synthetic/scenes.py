"""Frames made of drawings, and all that is true of them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sprite_obs.files import write_atomically
from sprite_obs.metrics.ground_truth import GroundTruth

Placement = tuple[int, int, int]
"""Drawing, left and top of one instance."""


class Scenes(NamedTuple):
    """Frames with their truth; M instances, in the order of the frames and back to front in each.

    Attributes:
        images: `(N, H, W, 3)` uint8 RGB.
        frame: `(M,)` int32, index of the frame.
        drawing: `(M,)` int32, index into `drawings`.
        box: `(M, 4)` int32, left, top, width, height in pixels; may reach beyond the frame.
        drawings: `(h, w, 4)` uint8 RGBA each, alpha 0 or 255.
        background: `(3,)` uint8 RGB, the colour behind the instances.
    """

    images: np.ndarray
    frame: np.ndarray
    drawing: np.ndarray
    box: np.ndarray
    drawings: list[np.ndarray]
    background: np.ndarray

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        _, height, width, _ = self.images.shape
        return height, width

    def owners(self, index: int) -> np.ndarray:
        """Returns whose pixels a frame shows.

        Returns:
            `(H, W)` int64 rows of `frame`, `drawing` and `box`; -1 where the background is seen.
        """
        owners = np.full(self.frame_size, -1)
        for row in np.flatnonzero(self.frame == index):
            opaque = self.drawings[self.drawing[row]][..., 3] > 0
            paint(owners, np.full(opaque.shape, row), opaque, *self.box[row, :2])
        return owners

    def visible_masks(self, index: int) -> np.ndarray:
        """Returns the pixels that a frame shows of each of its n instances: `(n, H, W)` bool."""
        rows = np.flatnonzero(self.frame == index)
        return self.owners(index) == rows[:, None, None]

    def foreground_mask(self) -> np.ndarray:
        """Returns where an instance is seen: `(N, H, W)` bool."""
        return np.stack([self.owners(index) >= 0 for index in range(len(self.images))])

    def is_visible(self) -> np.ndarray:
        """Returns which instances show at least one pixel: `(M,)` bool."""
        shown = [np.unique(self.owners(index)) for index in range(len(self.images))]
        return np.isin(np.arange(len(self.frame)), np.concatenate(shown))

    def ground_truth(self) -> GroundTruth:
        """Returns the instances as `sprite_obs.metrics.detection` reads them."""
        visible, none = self.is_visible(), np.zeros(len(self.frame), bool)
        return GroundTruth(
            frame=self.frame,
            category=self.drawing,
            box=self.box,
            hud=none,
            moving=~none,
            visible=visible,
            hud_rects=np.zeros((0, 4), np.int32),
            frame_size=self.frame_size,
            category_names=tuple(str(number) for number in range(len(self.drawings))),
        )

    def save_frames(self, path: Path) -> None:
        """Writes the frames, without the truth, as `sprite-obs pretrain` reads them."""
        save_frames(path, self.images)


def make_scenes(
    frames: Sequence[Sequence[Placement]],
    drawings: list[np.ndarray],
    background: tuple[int, int, int],
    side: int,
) -> Scenes:
    """Paints frames.

    Args:
        frames: the instances of each frame, back to front.
        drawings: `(h, w, 4)` uint8 RGBA each, alpha 0 or 255.
        background: RGB.
        side: height and width of the frames in pixels.
    """
    images = np.full((len(frames), side, side, 3), background, np.uint8)
    rows = [
        (index, drawing, left, top, *drawings[drawing].shape[1::-1])
        for index, placements in enumerate(frames)
        for drawing, left, top in placements
    ]
    for index, number, left, top, _, _ in rows:
        drawing = drawings[number]
        paint(images[index], drawing[..., :3], drawing[..., 3] > 0, left, top)
    frame, drawing, *box = np.array(rows, np.int32).reshape(-1, 6).T
    color = np.array(background, np.uint8)
    return Scenes(images, frame, drawing, np.stack(box, axis=1), drawings, color)


def paint(canvas: np.ndarray, values: np.ndarray, opaque: np.ndarray, left: int, top: int) -> None:
    """Writes `(h, w, ...)` values where `(h, w)` bool says so, cut at the canvas's border."""
    y, x = np.nonzero(opaque)
    at_y, at_x = y + top, x + left
    inside = (at_y >= 0) & (at_x >= 0) & (at_y < canvas.shape[0]) & (at_x < canvas.shape[1])
    canvas[at_y[inside], at_x[inside]] = values[y[inside], x[inside]]


def save_frames(path: Path, images: np.ndarray) -> None:
    """Writes `(N, H, W, 3)` uint8 frames to an npz file as `sprite-obs pretrain` reads them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    np.savez_compressed(file, frames=images)
    write_atomically(path, file.getvalue())
