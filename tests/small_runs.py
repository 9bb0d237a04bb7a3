"""Settings and frames with which pretraining takes a second or two."""

import numpy as np
import torch
from scenes import COLORS, drawings, make_scene, paint

from sprite_obs.config import PretrainConfig, from_dict
from sprite_obs.frames.sources import Frames

CPU = torch.device("cpu")
SMALL = {
    "num_threads": 1,
    "model": {"sprite_size": 16, "code_dim": 16, "encoder_width": 32},
    "train": {"teach_iterations": 40, "iterations": 4, "batch_size": 2, "checkpoint_every": 5},
}


def config(width: int = 32, **train: object) -> PretrainConfig:
    """Returns settings of a start from counted sprites."""
    model = SMALL["model"] | {"encoder_width": width}
    return from_dict(PretrainConfig, SMALL | {"model": model, "train": SMALL["train"] | train})


def random_config(model: dict[str, object] | None = None, **train: object) -> PretrainConfig:
    """Returns settings of a random start, with all that draws random numbers while training."""
    model = SMALL["model"] | {"num_sprites": 6, "background": "color"} | (model or {})
    eventful = {
        "init": "random",
        "iterations": 12,
        "batch_size": 2,
        "max_active": 40,
        "checkpoint_every": 5,
        "gumbel": 0.5,
        "overlap": "random",
        "straight_through_every": 2,
        "shift_warmup": 0.5,
        "reassign_every": 3,
    }
    return from_dict(PretrainConfig, SMALL | {"model": model, "train": eventful | train})


def small_frames(num_frames: int = 60) -> Frames:
    """Returns a part of the scene, for what takes long on whole frames."""
    frames = make_scene(num_frames).frames()
    return frames._replace(images=frames.images[:, 16:56, :64].copy())


def scrolling(
    num_frames: int = 60, reach: int = 12, height: int = 32, width: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Returns frames cut out of a wide texture, with a box somewhere, and what lies behind it."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, len(COLORS), (height // 4, (width + reach) // 4), np.uint8)
    texture = texture.repeat(4, 0).repeat(4, 1)
    offset = rng.integers(0, reach + 1, num_frames)
    behind = np.stack([texture[:, left : left + width] for left in offset])
    index = behind.copy()
    for frame in index:
        paint(frame, drawings()[0], *rng.integers(0, (width - 8, height - 6)))
    return COLORS[index], COLORS[behind]


STARTS = {
    "frames": (config(), make_scene(60).frames()),
    "random": (random_config(), small_frames()),
}
