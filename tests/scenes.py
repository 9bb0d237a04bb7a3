"""Scenes with known sprites: drawings that move over a background, and where they are."""

from typing import NamedTuple

import numpy as np

from sprite_obs.frames.sources import Frames

HEIGHT, WIDTH = 72, 96
COLORS = np.array(
    [[0, 0, 0], [40, 40, 120], [200, 60, 60], [60, 200, 60], [230, 230, 90], [240, 240, 240]],
    np.uint8,
)
CLEAR = 255


class Scene(NamedTuple):
    """Frames with their truth.

    Attributes:
        index: `(N, H, W)` uint8 palette indices.
        background: `(H, W)` uint8 palette indices.
        drawings: `(h, w)` uint8 each, 255 transparent.
        truth: `(M, 4)` int64 rows: frame, drawing, left, top.
    """

    index: np.ndarray
    background: np.ndarray
    drawings: list[np.ndarray]
    truth: np.ndarray

    def frames(self) -> Frames:
        """Returns the scene as RGB frames of one episode."""
        return Frames(COLORS[self.index], np.zeros(len(self.index), np.int32), None)


def drawings() -> list[np.ndarray]:
    """Three sprites: a box of two colours, a cross, a ring with a gap in the middle."""
    box = np.full((6, 8), 2, np.uint8)
    box[2:4, 2:6] = 3
    cross = np.full((7, 7), CLEAR, np.uint8)
    cross[3, :] = cross[:, 3] = 4
    ring = np.full((9, 9), 5, np.uint8)
    ring[2:7, 2:7] = CLEAR
    return [box, cross, ring]


def paint(canvas: np.ndarray, drawing: np.ndarray, left: int, top: int) -> None:
    """Paints a drawing onto palette indices, in place."""
    height, width = drawing.shape
    window = canvas[top : top + height, left : left + width]
    window[drawing != CLEAR] = drawing[drawing != CLEAR]


def make_scene(num_frames: int = 120, seed: int = 0) -> Scene:
    """Lets each drawing walk at random, one in each third of the frame; they never touch."""
    rng = np.random.default_rng(seed)
    background = np.zeros((HEIGHT, WIDTH), np.uint8)
    background[HEIGHT // 2 :] = 1
    sprites = drawings()
    index = np.repeat(background[None], num_frames, 0)
    truth = []
    for number, drawing in enumerate(sprites):
        height, width = drawing.shape
        low = np.array([number * WIDTH // 3 + 2, 2])
        high = np.array([(number + 1) * WIDTH // 3 - width - 2, HEIGHT - height - 2])
        place = rng.integers(low, high)
        for frame in range(num_frames):
            place = np.clip(place + rng.integers(-2, 3, 2), low, high)
            paint(index[frame], drawing, *place)
            truth.append((frame, number, *place))
    return Scene(index, background, sprites, np.array(sorted(truth)))
