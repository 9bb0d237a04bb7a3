"""SpriteScene: the named tensors that encoder, compositor and losses exchange.

Shape letters: B frames, L layers (0 at the back), R x C anchors, K sprites, m = `max_shift`.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class SceneLogits(NamedTuple):
    """Scores of a scene before softmax and sigmoid, as the encoder gives them.

    Attributes:
        presence: `(B, L, R, C)`, log-odds that the anchor shows a sprite.
        assignment: `(B, L, R, C, K)`, scores over the dictionary (paper, Eq. 1 before its softmax).
        shift_x: `(B, L, R, C, 2m + 1)`, scores of the shifts -m..m in pixels, x to the right.
        shift_y: `(B, L, R, C, 2m + 1)`, the same downwards.
    """

    presence: Tensor
    assignment: Tensor
    shift_x: Tensor
    shift_y: Tensor


class SpriteScene(NamedTuple):
    """All that the model infers from frames; soft (probabilities) or hard (zeros and ones).

    Attributes:
        presence: `(B, L, R, C)` in [0, 1], probability that the anchor shows a sprite.
        assignment: `(B, L, R, C, K)`, weights over the dictionary that sum to 1.
        shift_x: `(B, L, R, C, 2m + 1)`, probabilities of the shifts -m..m in pixels, to the right.
        shift_y: `(B, L, R, C, 2m + 1)`, the same downwards.
        background: `(B, 3, H, W)` in [0, 1], what lies behind layer 0.
    """

    presence: Tensor
    assignment: Tensor
    shift_x: Tensor
    shift_y: Tensor
    background: Tensor

    @classmethod
    def from_logits(cls, logits: SceneLogits, background: Tensor) -> "SpriteScene":
        """Turns scores into probabilities.

        Args:
            logits: scores of B frames.
            background: `(B, 3, H, W)` in [0, 1].
        """
        return cls(
            presence=logits.presence.sigmoid(),
            assignment=logits.assignment.softmax(-1),
            shift_x=logits.shift_x.softmax(-1),
            shift_y=logits.shift_y.softmax(-1),
            background=background,
        )

    def harden(self) -> "SpriteScene":
        """Rounds: the likeliest sprite and shifts (the first of equals), presence >= 0.5 to 1."""
        return SpriteScene(
            presence=(self.presence >= 0.5).to(self.presence.dtype),
            assignment=_one_hot(self.assignment),
            shift_x=_one_hot(self.shift_x),
            shift_y=_one_hot(self.shift_y),
            background=self.background,
        )

    def straight_through(self) -> "SpriteScene":
        """Has exactly the values of `harden()`, and the gradient of the soft scene.

        Steps on these close the gap between soft and hard reconstructions, because the loss then
        sees what will be shown.
        """
        hard = self.harden()
        return SpriteScene(
            presence=_with_gradient_of(self.presence, hard.presence),
            assignment=_with_gradient_of(self.assignment, hard.assignment),
            shift_x=_with_gradient_of(self.shift_x, hard.shift_x),
            shift_y=_with_gradient_of(self.shift_y, hard.shift_y),
            background=self.background,
        )


def _one_hot(weights: Tensor) -> Tensor:
    best = weights.argmax(-1, keepdim=True)
    return torch.zeros_like(weights).scatter_(-1, best, 1.0)


def _with_gradient_of(soft: Tensor, hard: Tensor) -> Tensor:
    # The bracket is exactly zero, so the values stay exactly hard.
    return hard + (soft - soft.detach())
