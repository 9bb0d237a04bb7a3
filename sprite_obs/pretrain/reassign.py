"""Dead sprites get a new life as copies of the regions that are explained worst.

A sprite that nothing selects gets no gradient, and one that is a blur of many things is selected by
none of them. Re-assignment from the data is what keeps all entries of a dictionary alive in
Baltaci, Loiseau and Aubry, "Deep Sprite-based Image Models: An Analysis". Not in the paper.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sprite_obs.model.scene import PlacedSprites
from sprite_obs.model.sprite_model import SpriteModel

OPAQUE = 0.5
MIN_PIXELS = 4
"""Drawings with fewer opaque pixels are blank."""
UNUSED = 0.1
"""A sprite is dead if it has less than this share of an even share of all uses, ..."""
UNEXPLAINED = 0.5
"""... or where it lies, more than this share of the background's error is left."""
WRONG = 0.1
"""A pixel is wrong if one of its colours, in [0, 1], is off by more."""
SAME = 0.2
"""Two drawings are the same if they differ in less than this share of the larger one's energy."""
MAX_REGIONS = 400
"""Regions that are compared, those of largest error."""
MARGIN = 0.005
"""New drawings stay this far from 0 and 1, so that the gradient can change them."""


class _Region(NamedTuple):
    """Connected wrong pixels, or the part of them that fits on a canvas.

    Attributes:
        frame: index of the frame.
        top: first row of the canvas on the frame, which may lie outside of it.
        left: first column, likewise.
        mask: `(S, S)` bool, the wrong pixels on the canvas.
        error: sum of their errors.
    """

    frame: int
    top: int
    left: int
    mask: np.ndarray
    error: float


@torch.no_grad()
def reassign(
    model: SpriteModel, frames: Tensor, rng: np.random.Generator, max_active: int | None = None
) -> int:
    """Turns dead sprites into copies of what the model explains worst.

    Regions vote for each other: of all that look the same, one becomes a sprite, and those with the
    largest error together come first. What recurs thus goes before what is seen once.

    Args:
        model: changed in place: the last layer of the generator.
        frames: `(N, 3, H, W)` in [0, 1], in which sprites are used and errors looked for.
        rng: chooses the end of a region that is larger than a canvas.
        max_active: as in `SpriteModel.reconstruct`.

    Returns:
        The number of sprites that were replaced.
    """
    scene = model(frames).harden()
    drawings = model.dictionary()
    difference = model.reconstruct(scene, max_active) - frames
    left, alone = (d.square().sum(1) for d in (difference, scene.background - frames))  # (N, H, W)
    placed = scene.placed(model.encoder.anchor_stride)
    dead = _dead(placed, drawings[:, 3], left, alone).cpu().numpy()
    drawings, wrong = drawings.cpu(), difference.abs().amax(1).cpu().numpy()
    regions = sorted(_regions(wrong, drawings.shape[-1], rng), key=lambda region: -region.error)
    new = _replacements(regions[:MAX_REGIONS], frames.cpu(), drawings, dead)
    for index, drawing in new.items():
        drawings[index] = drawing
    if new:
        model.dictionary.fit(drawings, MARGIN)
    return len(new)


def _dead(placed: PlacedSprites, alpha: Tensor, left: Tensor, alone: Tensor) -> Tensor:
    """Finds sprites that are blank, hardly used, or explain little of what they cover.

    Args:
        placed: the sprites of N frames.
        alpha: `(K, S, S)`, of the dictionary.
        left: `(N, H, W)`, squared error of the reconstruction.
        alone: `(N, H, W)`, squared error of the background alone.

    Returns:
        `(K,)` bool.
    """
    count, side, _ = alpha.shape
    uses = placed.sprite.bincount(minlength=count).float()
    canvas = torch.arange(side, device=alpha.device) - side // 2
    rows = (placed.y[:, None] + canvas + side)[:, :, None]  # (n, S, 1), in padded errors
    columns = (placed.x[:, None] + canvas + side)[:, None]  # (n, 1, S)

    def covered(error: Tensor) -> Tensor:
        under = F.pad(error, (side,) * 4)[placed.frame[:, None, None], rows, columns]
        sums = (under * alpha[placed.sprite]).sum((1, 2))  # (n,)
        return sums.new_zeros(count).index_add(0, placed.sprite, sums)

    blank = (alpha >= OPAQUE).sum((1, 2)) < MIN_PIXELS
    useless = covered(left) > UNEXPLAINED * covered(alone)
    return blank | (uses <= UNUSED * uses.mean()) | useless


def _replacements(
    regions: list[_Region], frames: Tensor, drawings: Tensor, dead: np.ndarray
) -> dict[int, Tensor]:
    """Chooses drawings `(4, S, S)` for the places of dead sprites.

    A dead sprite that looks like a region stays: it is the encoder that does not find it yet.
    """
    if not regions:
        return {}
    cut = torch.stack([_cut(frames, region) for region in regions])
    same = _same(cut, cut)
    known = _same(cut, torch.stack([_centred(drawing) for drawing in drawings]))
    error = np.array([region.error for region in regions])
    new: list[Tensor] = []
    while len(new) < dead.sum() and error.any():
        best = int((same @ error).argmax())
        if known[best].any():
            dead = dead & ~known[best]
        else:
            new.append(cut[best])
        error[same[best]] = 0
    return dict(zip(np.flatnonzero(dead).tolist(), new, strict=False))


def _regions(wrong: np.ndarray, side: int, rng: np.random.Generator) -> Iterator[_Region]:
    """Finds the connected regions of `(N, H, W)` errors."""
    for frame, errors in enumerate(wrong):
        mask = (errors > WRONG).view(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        labels, errors = np.pad(labels, side), np.pad(errors, side)
        for label in range(1, count):
            left, top, width, height, area = stats[label]
            if area < MIN_PIXELS:
                continue
            top = _canvas_start(top, height, side, rng)
            left = _canvas_start(left, width, side, rng)
            canvas = np.s_[top + side : top + 2 * side, left + side : left + 2 * side]
            region = labels[canvas] == label
            yield _Region(frame, top, left, region, float(errors[canvas][region].sum()))


def _canvas_start(first: int, length: int, side: int, rng: np.random.Generator) -> int:
    """Centres what fits on a canvas; of what is longer, takes either end: ends look alike."""
    if length <= side:
        return int(first + length // 2 - side // 2)
    return int(rng.choice([first, first + length - side]))


def _cut(frames: Tensor, region: _Region) -> Tensor:
    """Copies a region: `(4, S, S)`, opaque where it was wrong."""
    side = len(region.mask)
    padded = F.pad(frames[region.frame], (side,) * 4)
    top, left = region.top + side, region.left + side
    mask = torch.from_numpy(region.mask)
    return torch.cat([padded[:, top : top + side, left : left + side] * mask, mask[None].float()])


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
