"""What is frozen: the drawings and the decoder that rebuild recorded frames better."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from sprite_obs.checkpoint import Checkpoint
from sprite_obs.decoders import usable_decoders
from sprite_obs.frozen import FrozenEncoder

JUDGED_FRAMES = 64
"""Frames on which decoders and drawings are compared."""

PATIENCE = 2.0
"""A slower decoder must leave this many times fewer wrong pixels; an agent waits for each step."""
FEW = 1e-5
"""Share of wrong pixels that is as good as none."""

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
    wrong = _wrong_pixels(encoders, images, max_foreground)
    return drawings[min(wrong, key=lambda name: wrong[name])]


def with_better_decoder(
    checkpoint: Checkpoint, images: np.ndarray, max_foreground: float
) -> Checkpoint:
    """Picks the fastest decoder, unless another one rebuilds far more pixels.

    Args:
        checkpoint: the checkpoint with what was learned.
        images: `(N, H, W, 3)` uint8 recorded frames.
        max_foreground: as for `with_better_drawings`.
    """
    names = usable_decoders(checkpoint.config)
    if len(names) == 1:
        return checkpoint._replace(decoder=names[0])
    encoders = {name: FrozenEncoder(checkpoint, decoder=name) for name in names}
    wrong = _wrong_pixels(encoders, images, max_foreground)
    enough = max(PATIENCE * min(wrong.values()), FEW)
    return checkpoint._replace(decoder=next(name for name in names if wrong[name] <= enough))


def _wrong_pixels(
    encoders: Mapping[Name, FrozenEncoder], images: np.ndarray, max_foreground: float
) -> dict[Name, float]:
    """Returns the share of pixels of some frames that each encoder does not rebuild.

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
        wrong[name] = float((rebuilt != index[usual]).mean())
    return wrong
