"""Dead sprites get a new life as copies of what recurs where frames are explained worst.

A sprite that nothing selects gets no gradient, and one that is a blur of many things is selected by
none of them. Re-assignment from the data is what keeps all entries of a dictionary alive in
Baltaci, Loiseau and Aubry, "Deep Sprite-based Image Models: An Analysis". Not in the paper.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.recurring import MIN_PIXELS, find_recurring

AT_ONCE = 8
"""Frames that are rendered at once."""
OPAQUE = 0.5
UNUSED = 0.1
"""A sprite is dead if it has less than this share of an even share of all uses, ..."""
UNEXPLAINED = 0.5
"""... or where it lies, more than this share of the background's error is left."""
SAME = 0.2
"""Two drawings are the same if they differ in less than this share of the larger one's energy."""
MARGIN = 0.005
"""New drawings stay this far from 0 and 1, so that the gradient can change them."""


@torch.no_grad()
def reassign(
    model: SpriteModel, frames: Tensor, rng: np.random.Generator, max_active: int | None = None
) -> int:
    """Turns dead sprites into copies of what recurs where the model explains little.

    Args:
        model: changed in place: the last layer of the generator.
        frames: `(N, 3, H, W)` in [0, 1], in which sprites are used and errors looked for.
        rng: of the search for what recurs.
        max_active: as in `SpriteModel.reconstruct`.

    Returns:
        The number of sprites that were replaced.
    """
    drawings = model.dictionary()
    parts = [_explain(model, batch, drawings[:, 3], max_active) for batch in frames.split(AT_ONCE)]
    uses, left, alone = (torch.stack(part).sum(0) for part in list(zip(*parts, strict=True))[:3])
    wrong = torch.cat([part[3] for part in parts])  # (N, H, W)
    blank = (drawings[:, 3] >= OPAQUE).sum((1, 2)) < MIN_PIXELS
    useless = (uses <= UNUSED * uses.mean()) | (left > UNEXPLAINED * alone)
    dead = (blank | useless).cpu().numpy()
    drawings = drawings.cpu()
    found = find_recurring(frames.cpu(), wrong.cpu(), drawings.shape[-1], int(dead.sum()), rng)
    new = _replacements(found, drawings, dead)
    for index, drawing in new.items():
        drawings[index] = drawing.clamp(MARGIN, 1 - MARGIN)
    if new:
        model.dictionary.fit(drawings)
    return len(new)


def _explain(
    model: SpriteModel, frames: Tensor, alpha: Tensor, max_active: int | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Measures what each sprite explains in a few frames.

    Args:
        model: finds the sprites.
        frames: `(B, 3, H, W)` in [0, 1].
        alpha: `(K, S, S)`, of the dictionary.
        max_active: as in `SpriteModel.reconstruct`.

    Returns:
        `(K,)` uses; `(K,)` squared error that is left where the sprite lies; `(K,)` that of the
        background there; `(B, H, W)` largest error of a pixel's colours.
    """
    scene = model(frames).harden()
    difference = model.reconstruct(scene, max_active) - frames
    placed = scene.placed(model.encoder.anchor_stride)
    count, side, _ = alpha.shape
    canvas = torch.arange(side, device=alpha.device) - side // 2
    # An anchor may lie beyond the border by half a cell, its sprite by its shift further out.
    margin = side + model.encoder.anchor_stride + model.max_shift
    rows = (placed.y[:, None] + canvas + margin)[:, :, None]  # (n, S, 1), in padded errors
    columns = (placed.x[:, None] + canvas + margin)[:, None]  # (n, 1, S)

    def covered(error: Tensor) -> Tensor:
        padded = F.pad(error.square().sum(1), (margin,) * 4)  # (B, H + 2 margin, W + 2 margin)
        under = padded[placed.frame[:, None, None], rows, columns]
        sums = (under * alpha[placed.sprite]).sum((1, 2))  # (n,)
        return sums.new_zeros(count).index_add(0, placed.sprite, sums)

    uses = placed.sprite.bincount(minlength=count).float()
    alone = covered(scene.background - frames)
    return uses, covered(difference), alone, difference.abs().amax(1)


def _replacements(found: list[Tensor], drawings: Tensor, dead: np.ndarray) -> dict[int, Tensor]:
    """Chooses drawings `(4, S, S)` for the places of dead sprites; those left over become blank.

    A dead sprite that looks like something found stays: it is the encoder that misses it yet.
    """
    if not found:
        return {}
    known = _same(torch.stack(found), torch.stack([_centred(drawing) for drawing in drawings]))
    dead = dead & ~known.any(0)
    blank = torch.zeros_like(drawings[0])
    new = [drawing for drawing, by in zip(found, known, strict=True) if not by.any()]
    new += [blank] * len(dead)
    return dict(zip(np.flatnonzero(dead).tolist(), new, strict=False))


def _centred(drawing: Tensor) -> Tensor:
    """Moves the opaque part of a drawing `(4, S, S)` to the middle of its canvas."""
    y, x = torch.nonzero(drawing[3] >= OPAQUE, as_tuple=True)
    if not len(y):
        return drawing
    half = drawing.shape[-1] // 2
    middle = [int(a.min() + (a.max() + 1 - a.min()) // 2) for a in (y, x)]
    return drawing.roll((half - middle[0], half - middle[1]), (1, 2))


def _same(some: Tensor, others: Tensor) -> np.ndarray:
    """Compares drawings `(a, 4, S, S)` and `(b, 4, S, S)`, premultiplied: `(a, b)` bool."""
    a, b = (torch.cat([d[:, :3] * d[:, 3:], d[:, 3:]], 1).flatten(1) for d in (some, others))
    energy = torch.maximum(a.square().sum(1)[:, None], b.square().sum(1))
    return (torch.cdist(a, b).square() < SAME * energy).numpy()
