"""Dreams: scenes made up from the model's own sprites, whose truth is known.

The reconstruction's gradient must find at once what sprites look like and where they are. In a
dream only the second is open: the encoder learns to name what the dictionary drew (the sleep phase
of Hinton et al., "The wake-sleep algorithm for unsupervised neural networks", 1995). Not in the
paper.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sprite_obs.model.scene import SpriteScene
from sprite_obs.model.scroll import ScrollBackground
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.parallel import total, world_size
from sprite_obs.pretrain.reassign import MIN_PIXELS, OPAQUE

SPARSEST, DENSEST = 1 / 16, 1 / 2
"""Sprites per anchor cell in a dream, in the mean, at least and at most."""


class Dreams(NamedTuple):
    """Made-up frames and what they show.

    Attributes:
        frames: `(B, 3, H, W)` in [0, 1].
        sprite: `(B, L, R, C)` int64, sprite id, 0 for none.
        shift: `(B, L, R, C, 2)` int64, classes (0..2m) of the shift in x and y.
        offset: `(B, 2)` int64, where a scrolling background is cut, in x and y.
    """

    frames: Tensor
    sprite: Tensor
    shift: Tensor
    offset: Tensor


@torch.no_grad()
def dream(model: SpriteModel, scene: SpriteScene, seeds: Sequence[int]) -> Dreams:
    """Makes up a scene per seed and renders it.

    Sprites lie anywhere, or right beside each other. One that covers an earlier one lies on the
    layer above it, all others on layer 0: a convention, without which a frame would not say on
    which layer a sprite is.

    Args:
        model: whose sprites and background are drawn.
        scene: of real frames; dreams are about as crowded.
        seeds: one per dream.
    """
    sprites = model.dictionary()
    grid = scene.presence.shape[2:]
    crowd = int(grid.numel() * _crowding(scene))
    extents = _extents(sprites[:, 3])
    layers, stride, reach = model.encoder.num_layers, model.encoder.anchor_stride, model.max_shift
    sprite = np.zeros((len(seeds), layers, *grid), np.int64)
    shift = np.full((len(seeds), layers, *grid, 2), reach, np.int64)
    offset = np.zeros((len(seeds), 2), np.int64)
    for n, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        if len(extents):
            count = int(rng.integers(1, 2 * crowd + 2))
            _fill(sprite[n], shift[n], *_arrange(extents, count, grid, stride, rng), stride)
        offset[n] = rng.integers(0, np.array(_reach_of_background(model)) + 1)
    truth = (torch.from_numpy(a).to(sprites.device) for a in (sprite, shift, offset))
    return _render(model, len(sprites), *truth)


def _crowding(scene: SpriteScene) -> float:
    """Returns the sprites per anchor cell of real frames, over all layers."""
    # Counted, because a mean of means could be rounded to another number of sprites.
    placed = int(total((scene.presence >= 0.5).sum()))
    return min(max(placed / (scene.presence[:, 0].numel() * world_size()), SPARSEST), DENSEST)


def _reach_of_background(model: SpriteModel) -> tuple[int, int]:
    """Returns how far the background scrolls, (X, Y) in pixels."""
    if not isinstance(model.background, ScrollBackground):
        return 0, 0
    reach_y, reach_x = model.background.reach
    return reach_x, reach_y


def _extents(alpha: Tensor) -> np.ndarray:
    """Returns `(U, 5)`: index of each sprite that is not blank, and its opaque part.

    The part is left, top, right, bottom relative to the middle of the canvas.
    """
    opaque = (alpha >= OPAQUE).cpu().numpy()  # (K, S, S)
    half = opaque.shape[-1] // 2
    rows = []
    for index in np.flatnonzero(opaque.sum((1, 2)) >= MIN_PIXELS):
        y, x = np.nonzero(opaque[index])
        corners = x.min() - half, y.min() - half, x.max() + 1 - half, y.max() + 1 - half
        rows.append((index, *corners))
    return np.array(rows, np.int64).reshape(-1, 5)


def _arrange(
    extents: np.ndarray, count: int, grid: torch.Size, stride: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws sprites and their places: `(n, 5)` extents and `(n, 2)` middles (x, y), back to front.

    Half of them lie right beside the one before, half of those are the same again: things stand on
    things, and tiles in rows.
    """
    size = np.array([grid[1], grid[0]]) * stride
    chosen = extents[rng.integers(len(extents), size=count)]
    middles = rng.integers(0, size, (count, 2))  # (x, y)
    beside, again = rng.random((2, count)) < 0.5
    side, slide = rng.integers(4, size=count), rng.random(count)
    for i in np.flatnonzero(beside[1:]) + 1:
        if again[i]:
            chosen[i] = chosen[i - 1]
        (_, *low, right, bottom), before = chosen[i], chosen[i - 1]
        axis, far = side[i] % 2, side[i] >= 2
        length = np.array([right, bottom]) - low
        # Along one axis it begins where the other ends or the reverse, along the other it slides.
        first, last = before[1:3] + middles[i - 1], before[3:5] + middles[i - 1]
        start = first if again[i] else first - length + 1 + slide[i] * (last - first + length - 2)
        start = start.astype(np.int64)
        start[axis] = last[axis] if far else first[axis] - length[axis]
        middles[i] = start - low
    inside = ((middles >= 0) & (middles < size)).all(1)
    return chosen[inside], middles[inside]


def _fill(
    sprite: np.ndarray, shift: np.ndarray, extents: np.ndarray, middles: np.ndarray, stride: int
) -> None:
    """Writes sprites into one frame's `(L, R, C)` ids and `(L, R, C, 2)` shifts."""
    layers = len(sprite)
    boxes = extents[:, 1:] + np.tile(middles, 2)
    above = np.full(len(extents), -1)  # layers of what is placed
    for i, (x, y) in enumerate(middles):
        touched = (boxes[:i, :2] < boxes[i, 2:]) & (boxes[i, :2] < boxes[:i, 2:])
        layer = 1 + max(above[:i][touched.all(1)], default=-1)
        here = min(layer, layers - 1), y // stride, x // stride
        if layer >= layers or sprite[here]:
            continue
        above[i] = layer
        sprite[here] = extents[i, 0] + 1
        shift[here] += middles[i] % stride - stride // 2


def _render(
    model: SpriteModel, num_sprites: int, sprite: Tensor, shift: Tensor, offset: Tensor
) -> Dreams:
    one_hot = torch.nn.functional.one_hot
    x, y = one_hot(shift, 2 * model.max_shift + 1).float().unbind(-2)  # (B, L, R, C, 2m + 1)
    scene = SpriteScene(
        presence=(sprite > 0).float(),
        assignment=one_hot((sprite - 1).clamp(min=0), num_sprites).float(),
        shift_x=x,
        shift_y=y,
        background=sprite.new_empty(0),
    )
    if isinstance(model.background, ScrollBackground):
        reach_x, reach_y = _reach_of_background(model)
        scene = scene._replace(
            offset_x=one_hot(offset[:, 0], reach_x + 1).float(),
            offset_y=one_hot(offset[:, 1], reach_y + 1).float(),
        )
    else:
        scene = scene._replace(background=model.background().expand(len(sprite), -1, -1, -1))
    most = int((sprite > 0).flatten(1).sum(1).max())
    return Dreams(model.reconstruct(scene, max(most, 1)), sprite, shift, offset)
