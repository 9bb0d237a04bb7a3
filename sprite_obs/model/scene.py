"""SpriteScene: the named tensors that encoder, compositor and losses exchange.

Shape letters: B frames, L layers (0 at the back), R x C anchors, K sprites, m = `max_shift`.
"""

from collections.abc import Sequence
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
        offset_x: `(B, X + 1)`, scores of where a scrolling background is cut, X pixels wider than
            the frame; None for one that does not scroll.
        offset_y: `(B, Y + 1)`, the same downwards.
    """

    presence: Tensor
    assignment: Tensor
    shift_x: Tensor
    shift_y: Tensor
    offset_x: Tensor | None = None
    offset_y: Tensor | None = None

    def with_gumbel_noise(self, scale: float, seeds: Sequence[int]) -> "SceneLogits":
        """Adds Gumbel noise to the assignment, so that sprites beside the likeliest are tried too.

        Args:
            scale: of the noise; 1 draws sprites by their softmax (Gumbel's trick), 0 adds none.
            seeds: one per frame, so that a frame's noise is the same in any batch on any device.
        """
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        shape = self.assignment.shape[1:]
        noise = torch.stack(
            [-torch.empty(shape).exponential_(generator=g).log() for g in generators]
        )
        return self._replace(assignment=self.assignment + scale * noise.to(self.assignment))

    def within(self, limit: int) -> "SceneLogits":
        """Forbids shifts of more than `limit` pixels."""
        middle = self.shift_x.shape[-1] // 2
        classes = torch.arange(self.shift_x.shape[-1], device=self.shift_x.device)
        too_far = (classes - middle).abs() > limit  # (2m + 1,)
        lowest = torch.finfo(self.shift_x.dtype).min
        return self._replace(
            shift_x=self.shift_x.masked_fill(too_far, lowest),
            shift_y=self.shift_y.masked_fill(too_far, lowest),
        )


class PlacedSprites(NamedTuple):
    """The sprites of a scene one by one, frame by frame and back to front.

    Attributes:
        frame: `(N,)` int64.
        layer: `(N,)` int64, 0 at the back.
        sprite: `(N,)` int64, index in the dictionary, from 0.
        x: `(N,)` int64, column of the pixel right of the canvas's middle.
        y: `(N,)` int64, row of the pixel below the canvas's middle.
        presence: `(N,)` in [0.5, 1].
    """

    frame: Tensor
    layer: Tensor
    sprite: Tensor
    x: Tensor
    y: Tensor
    presence: Tensor


class LikeliestSprites(NamedTuple):
    """What each anchor of a scene most likely shows, whether it shows something or not.

    Attributes:
        presence: `(B, L, R, C)` in [0, 1].
        sprite: `(B, L, R, C)` int64, index in the dictionary, from 0.
        shift_x: `(B, L, R, C)` int64, pixels to the right.
        shift_y: `(B, L, R, C)` int64, pixels downwards.
    """

    presence: Tensor
    sprite: Tensor
    shift_x: Tensor
    shift_y: Tensor

    def placed(self, anchor_stride: int) -> PlacedSprites:
        """Lists the sprite and place of every anchor whose presence is 0.5 or more.

        Args:
            anchor_stride: distance of two anchors in pixels.
        """
        present = self.presence >= 0.5
        frame, layer, row, column = present.nonzero(as_tuple=True)
        return PlacedSprites(
            frame=frame,
            layer=layer,
            sprite=self.sprite[present],
            x=column * anchor_stride + anchor_stride // 2 + self.shift_x[present],
            y=row * anchor_stride + anchor_stride // 2 + self.shift_y[present],
            presence=self.presence[present],
        )


class SpriteScene(NamedTuple):
    """All that the model infers from frames; soft (probabilities) or hard (zeros and ones).

    Attributes:
        presence: `(B, L, R, C)` in [0, 1], probability that the anchor shows a sprite.
        assignment: `(B, L, R, C, K)`, weights over the dictionary that sum to 1.
        shift_x: `(B, L, R, C, 2m + 1)`, probabilities of the shifts -m..m in pixels, to the right.
        shift_y: `(B, L, R, C, 2m + 1)`, the same downwards.
        background: `(B, 3, H, W)` in [0, 1], what lies behind layer 0.
        offset_x: `(B, X + 1)`, probabilities of where a scrolling background is cut; None for one
            that does not scroll.
        offset_y: `(B, Y + 1)`, the same downwards.
    """

    presence: Tensor
    assignment: Tensor
    shift_x: Tensor
    shift_y: Tensor
    background: Tensor
    offset_x: Tensor | None = None
    offset_y: Tensor | None = None

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
            offset_x=None if logits.offset_x is None else logits.offset_x.softmax(-1),
            offset_y=None if logits.offset_y is None else logits.offset_y.softmax(-1),
        )

    def harden(self) -> "SpriteScene":
        """Rounds: the likeliest sprite and shifts (the first of equals), presence >= 0.5 to 1."""
        return SpriteScene(
            presence=(self.presence >= 0.5).to(self.presence.dtype),
            assignment=_one_hot(self.assignment),
            shift_x=_one_hot(self.shift_x),
            shift_y=_one_hot(self.shift_y),
            background=self.background,
            offset_x=None if self.offset_x is None else _one_hot(self.offset_x),
            offset_y=None if self.offset_y is None else _one_hot(self.offset_y),
        )

    def straight_through(self) -> "SpriteScene":
        """Has exactly the values of `harden()`, and the gradient of the soft scene.

        Steps on these close the gap between soft and hard reconstructions, because the loss then
        sees what will be shown.
        """
        inferred = {
            name: _with_gradient_of(getattr(self, name), part)
            for name, part in self.harden()._asdict().items()
            if name != "background" and part is not None
        }
        return self._replace(**inferred)

    def likeliest(self) -> "LikeliestSprites":
        """Picks the likeliest sprite and shifts of every anchor, without waiting for a GPU."""
        return LikeliestSprites(
            presence=self.presence,
            sprite=self.assignment.argmax(-1),
            shift_x=self.shift_x.argmax(-1) - self.shift_x.shape[-1] // 2,
            shift_y=self.shift_y.argmax(-1) - self.shift_y.shape[-1] // 2,
        )

    def placed(self, anchor_stride: int) -> PlacedSprites:
        """As `LikeliestSprites.placed`."""
        return self.likeliest().placed(anchor_stride)


def _one_hot(weights: Tensor) -> Tensor:
    best = weights.argmax(-1, keepdim=True)
    return torch.zeros_like(weights).scatter_(-1, best, 1.0)


def _with_gradient_of(soft: Tensor, hard: Tensor) -> Tensor:
    # The bracket is exactly zero, so the values stay exactly hard.
    return hard + (soft - soft.detach())
