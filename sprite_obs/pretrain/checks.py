"""What cannot be learned from, or with, is refused before any work."""

import numpy as np

from sprite_obs.config import PretrainConfig, from_dict, to_dict
from sprite_obs.errors import ConfigError, RecordingError
from sprite_obs.frames.sources import Frames
from sprite_obs.model.build import check_model_config
from sprite_obs.pretrain.recurring import PATCH

MIN_FRAMES = 50
"""Fewer frames show too little of a game."""


def check_frames(frames: Frames, config: PretrainConfig) -> None:
    """Refuses frames of which nothing can be learned.

    Raises:
        RecordingError: when they are no images, too few or too small.
    """
    images = frames.images
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise RecordingError(
            f"expected frames as uint8 (N, H, W, 3), got {images.dtype} {images.shape}; "
            "convert them to RGB"
        )
    if len(images) < MIN_FRAMES:
        raise RecordingError(
            f"expected at least {MIN_FRAMES} frames to learn from, got {len(images)}; record more"
        )
    height, width = images.shape[1:3]
    least = PATCH if config.train.reassigns else 1
    if min(height, width) < least:
        advice = ", or set train.reassign_every to 0" if least > 1 else ""
        raise RecordingError(
            f"expected frames of at least {least} x {least} pixels to learn from, got "
            f"{width} x {height}; record larger ones{advice}"
        )


def check_config(config: PretrainConfig) -> None:
    """Refuses what does not go together.

    Raises:
        ConfigError: naming the first key that is wrong.
    """
    from_dict(PretrainConfig, to_dict(config))  # settings made in Python have not been checked yet
    check_model_config(config.model)
    if config.train.init == "random":
        return
    counted = {"encoder": "window", "shifts": "shared", "sprite_sizes": ()}
    for key, needed in counted.items():
        given = getattr(config.model, key)
        if given != needed:
            raise ConfigError(
                f"model.{key}: expected {needed or 'none'} with train.init: frames, got {given!r}; "
                "or set train.init to random"
            )
    if config.model.background == "scroll":
        raise ConfigError(
            "model.background: expected color or image with train.init: frames, got 'scroll'; "
            "or set train.init to random"
        )
