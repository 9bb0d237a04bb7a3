"""Scenes of which a later part shows more: further drawings, poses, colours, another screen."""

from collections.abc import Callable, Sequence

import numpy as np
from scenes import CLEAR, COLORS, HEIGHT, WIDTH, drawings, paint

from sprite_obs.frames.sources import Frames

PINK = len(COLORS)
MORE_COLORS = np.concatenate([COLORS, [[250, 120, 200]]]).astype(np.uint8)
BOX, CROSS, RING = drawings()
LANES = 4


def screen() -> np.ndarray:
    background = np.zeros((HEIGHT, WIDTH), np.uint8)
    background[HEIGHT // 2 :] = 1
    return background


def other_screen() -> np.ndarray:
    """Returns a screen of which a quarter looks different, in blocks too large for sprites."""
    background = screen()
    background[:18] = 1
    background[60:, :30] = 0
    return background


def pink_ring() -> np.ndarray:
    return np.where(RING == CLEAR, CLEAR, PINK).astype(np.uint8)


def wide_cross() -> np.ndarray:
    """Returns a pose of the cross, as large and of its colour."""
    pose = CROSS.copy()
    pose[2:5, 2:5] = 4
    return pose


def recolored_box() -> np.ndarray:
    """Returns something of the box's shape that has none of its colours."""
    return np.where(BOX == 2, 4, 5).astype(np.uint8)


def walks(
    things: Sequence[Callable[[int], np.ndarray]],
    background: np.ndarray,
    num_frames: int = 80,
    seed: int = 0,
) -> Frames:
    """Lets things walk at random, each in a lane of its own.

    Args:
        things: for each lane, its drawing in each frame.
        background: `(H, W)` uint8 palette indices.
        num_frames: N.
        seed: of the walks.
    """
    rng = np.random.default_rng(seed)
    index = np.repeat(background[None], num_frames, 0)
    for number, drawing_at in enumerate(things):
        height, width = drawing_at(0).shape
        low = np.array([number * WIDTH // LANES + 2, 2])
        high = np.array([(number + 1) * WIDTH // LANES - width - 2, HEIGHT - height - 2])
        place = rng.integers(low, high)
        for frame in range(num_frames):
            place = np.clip(place + rng.integers(-2, 3, 2), low, high)
            paint(index[frame], drawing_at(frame), *place)
    return Frames(MORE_COLORS[index], np.zeros(num_frames, np.int32), None)


def still(drawing: np.ndarray) -> Callable[[int], np.ndarray]:
    return lambda frame: drawing


def posing(*poses: np.ndarray) -> Callable[[int], np.ndarray]:
    return lambda frame: poses[frame // 4 % len(poses)]
