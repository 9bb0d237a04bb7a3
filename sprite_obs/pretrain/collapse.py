"""Notices a model that explains frames with nothing, or with one sprite for everything."""

import torch
from torch import Tensor

from sprite_obs.errors import SpriteObsError
from sprite_obs.model.sprite_model import SpriteModel

OFF = 1e-3
"""Sprites per frame below which all count as switched off."""
ONE = 0.95
"""Share of all placed sprites from which one sprite serves for everything."""
AT_ONCE = 8
"""Frames that are rendered at once."""
EXPLAINED = 0.5
"""A model that removes this share of the background's error has not collapsed, whatever it uses."""


@torch.no_grad()
def check_collapse(model: SpriteModel, frames: Tensor, max_active: int | None, step: int) -> None:
    """Looks for the two ways in which a dictionary dies.

    Args:
        model: as it is after `step` steps.
        frames: `(N, 3, H, W)` in [0, 1].
        max_active: as in `SpriteModel.reconstruct`.
        step: for the message.

    Raises:
        SpriteObsError: naming what is wrong, with advice.
    """
    uses, left, alone = torch.zeros(()), 0.0, 0.0
    for batch in frames.split(AT_ONCE):
        scene = model(batch).harden()
        alone += float((scene.background - batch).square().sum())
        left += float((model.reconstruct(scene, max_active) - batch).square().sum())
        uses = uses + (scene.presence.flatten() @ scene.assignment.flatten(0, -2)).cpu()  # (K,)
    if left <= (1 - EXPLAINED) * alone:
        return
    if uses.sum() < OFF * len(frames):
        raise SpriteObsError(
            f"collapsed at step {step}: no anchor shows a sprite; lower train.presence_weight, "
            "set train.dream_weight to 1 and train.reassign_every to 100, or start with "
            "train.init frames"
        )
    if len(uses) > 1 and uses.max() >= ONE * uses.sum():
        raise SpriteObsError(
            f"collapsed at step {step}: sprite {int(uses.argmax()) + 1} serves for everything; "
            "raise train.usage_weight, set train.reassign_every to 100, or start with "
            "train.init frames"
        )
