"""What pretraining minimises (paper, section 3.6)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sprite_obs.model.scene import SceneLogits, SpriteScene
from sprite_obs.pretrain.parallel import total

# Probabilities stay this far from 0 and 1, where the Beta(0.5, 0.5) density is infinite.
PROBABILITY_MARGIN = 1e-6


def reconstruction_loss(reconstruction: Tensor, frames: Tensor) -> Tensor:
    """Mean squared difference of two image batches `(B, 3, H, W)` in [0, 1]."""
    return F.mse_loss(reconstruction, frames)


def beta_prior(probabilities: Tensor, a: float = 0.5) -> Tensor:
    """Mean negative log-likelihood of probabilities under Beta(a, a); for a < 1 it favours 0 and 1.

    Args:
        probabilities: any shape, in [0, 1].
        a: both parameters of the Beta distribution.

    Returns:
        A finite scalar, negative where the density is above 1.
    """
    # In bf16 there is nothing between 1 - PROBABILITY_MARGIN and 1.
    p = probabilities.float().clamp(PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
    log_normaliser = 2 * math.lgamma(a) - math.lgamma(2 * a)
    return log_normaliser - (a - 1) * (p.log() + (-p).log1p()).mean()


def prior_loss(scene: SpriteScene) -> Tensor:
    """Sum of the Beta(0.5, 0.5) priors on a soft scene's presence, assignment and both shifts."""
    parts = (scene.presence, scene.assignment, scene.shift_x, scene.shift_y)
    return torch.stack([beta_prior(part) for part in parts]).sum()


def usage_loss(scene: SpriteScene, floor: float = 0.5) -> Tensor:
    """Keeps every sprite in use: a sprite's share of the placed sprites should not vanish.

    The shares are averages of the assignment over all anchors, weighted by presence (which gets no
    gradient: adding sprites is no way to use them more evenly). Not in the paper; without it, one
    sprite serves for everything when codes start at random.

    Args:
        scene: soft scene of a batch.
        floor: share, as a fraction of the even share 1 / K, that costs nothing.

    Returns:
        A scalar from 0 (all sprites have their floor) towards 1 (one sprite serves for everything).
    """
    assignment = scene.assignment.flatten(0, 3)  # (N, K)
    weights = scene.presence.detach().flatten()  # (N,)
    placed = total(weights.sum()).clamp(min=PROBABILITY_MARGIN)
    shares = total(weights @ assignment) / placed  # (K,)
    missing = 1 - shares * shares.numel() / floor
    return missing.clamp(min=0).mean()


def naming_loss(logits: SceneLogits, sprite: Tensor, shift: Tensor) -> Tensor:
    """Sum of the cross-entropies of presence, sprite and shift, where the truth is known.

    Args:
        logits: scores of B frames, or of B windows as frames of a single anchor.
        sprite: `(B, L, R, C)` int64, sprite id, 0 for none.
        shift: `(B, L, R, C, 2)` int64, classes of the shift in x and y.
    """
    present = sprite > 0
    loss = F.binary_cross_entropy_with_logits(logits.presence, present.float())
    summed = (
        F.cross_entropy(logits.assignment[present], sprite[present] - 1, reduction="sum")
        + F.cross_entropy(logits.shift_x[present], shift[present][:, 0], reduction="sum")
        + F.cross_entropy(logits.shift_y[present], shift[present][:, 1], reduction="sum")
    )
    return loss + total(summed) / total(present.sum().float()).clamp(min=1)


def offset_loss(logits: SceneLogits, offset: Tensor) -> Tensor:
    """Sum of the cross-entropies of a scrolling background's offset, where the truth is known.

    Args:
        logits: scores of B frames.
        offset: `(B, 2)` int64, in x and y.
    """
    assert logits.offset_x is not None and logits.offset_y is not None
    in_x = F.cross_entropy(logits.offset_x, offset[:, 0])
    return in_x + F.cross_entropy(logits.offset_y, offset[:, 1])
