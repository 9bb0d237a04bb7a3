"""Sprites that float anywhere on white frames (paper, section 4.2)."""

import numpy as np

from synthetic.drawings import drawings
from synthetic.scenes import Placement, Scenes, make_scenes

WHITE = (255, 255, 255)


def floating(
    num_frames: int,
    seed: int,
    side: int = 128,
    scale: int = 2,
    count: tuple[int, int] = (5, 15),
) -> Scenes:
    """Places drawings at random, wholly inside the frame; they may cover each other.

    The defaults are the paper's; frames of 64 pixels do with `scale=1` and `count=(2, 5)`.

    Args:
        num_frames: N.
        seed: of all random numbers.
        side: height and width of the frames in pixels.
        scale: how large the drawings are; see `drawings`.
        count: fewest and most instances in a frame.
    """
    rng = np.random.default_rng(seed)
    sprites = drawings(scale)

    def place() -> Placement:
        number = int(rng.integers(len(sprites)))
        height, width, _ = sprites[number].shape
        return number, int(rng.integers(side - width + 1)), int(rng.integers(side - height + 1))

    low, high = count
    frames = [[place() for _ in range(rng.integers(low, high + 1))] for _ in range(num_frames)]
    return make_scenes(frames, sprites, WHITE, side)
