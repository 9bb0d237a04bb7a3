"""What is frozen: the drawings and the decoder that rebuild recorded frames better."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from sprite_obs.checkpoint import Checkpoint
from sprite_obs.frozen import FrozenEncoder, usable_decoders

JUDGED_FRAMES = 64
"""Frames on which decoders and drawings are compared."""

Name = TypeVar("Name", bound=str)


def with_better_drawings(
    learned: Checkpoint,
    sprites: np.ndarray,
    background: np.ndarray,
    images: np.ndarray,
    max_foreground: float,
) -> Checkpoint:
    """Takes counted drawings where the gradient, or rounding after it, has made them worse.

    Args:
        learned: the checkpoint with what was learned.
        sprites: `(K, S, S, 4)` uint8 RGBA, the sprites as they were counted.
        background: `(H, W, 3)` uint8, likewise.
        images: `(N, H, W, 3)` uint8 recorded frames.
        max_foreground: frames in which more than this share differs from the background are not
            judged.

    Returns:
        The checkpoint with the drawings with which exact look-up rebuilds more pixels; of equals,
        the learned ones.
    """
    counted = learned._replace(sprites=sprites, background=background)
    if "lookup" not in usable_decoders(learned.config):
        return learned
    drawings = {"learned": learned, "counted": counted}
    encoders = {name: FrozenEncoder(each, decoder="lookup") for name, each in drawings.items()}
    return drawings[_best(encoders, images, max_foreground)]


def with_better_decoder(
    checkpoint: Checkpoint, images: np.ndarray, max_foreground: float
) -> Checkpoint:
    """Picks the decoder that rebuilds more pixels; of equals, the faster one.

    Args:
        checkpoint: the checkpoint with what was learned.
        images: `(N, H, W, 3)` uint8 recorded frames.
        max_foreground: as for `with_better_drawings`.
    """
    names = usable_decoders(checkpoint.config)
    if len(names) == 1:
        return checkpoint._replace(decoder=names[0])
    encoders = {name: FrozenEncoder(checkpoint, decoder=name) for name in names}
    return checkpoint._replace(decoder=_best(encoders, images, max_foreground))


def _best(
    encoders: Mapping[Name, FrozenEncoder], images: np.ndarray, max_foreground: float
) -> Name:
    """Returns the first encoder of those that rebuild most pixels of some frames.

    Frames of an unknown scene, such as the one before a game starts, are in no encoder's reach.
    """
    sample = images[:: max(1, len(images) // JUDGED_FRAMES)]
    first = next(iter(encoders.values()))
    # By palette: no decoder draws the noise of video, and whose colours are nearer is chance.
    index = first.palette.index(sample)  # (N, H, W)
    differs = (index != first.palette.index(first.backgrounds(sample))).mean((1, 2))  # (N,)
    usual = differs <= max_foreground if (differs <= max_foreground).any() else differs >= 0
    wrong = {}
    for name, encoder in encoders.items():
        rebuilt = first.palette.index(encoder.rebuild(sample[usual]))
        wrong[name] = int((rebuilt != index[usual]).sum())
    return min(encoders, key=lambda name: wrong[name])
