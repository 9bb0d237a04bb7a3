"""How well learned sprites, and where they were found, agree with what is true."""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from sprite_obs.detections import Detections
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank
from sprite_obs.metrics.detection import Rates, score_detections
from synthetic.scenes import Scenes, paint

OPAQUE = 128
"""Alpha from which on a pixel belongs to a sprite."""


class Recovered(NamedTuple):
    """Which of D drawings are in a dictionary.

    Attributes:
        num_recovered: drawings that have a sprite of their own.
        best_iou: `(D,)` float64, IoU of each drawing's outline with the most similar sprite's.
        color_error: mean absolute difference of R, G and B, in 8-bit levels, within what such
            pairs both cover; nan without pairs.
    """

    num_recovered: int
    best_iou: np.ndarray
    color_error: float


def recovered(sprites: np.ndarray, drawings: list[np.ndarray], iou: float = 0.9) -> Recovered:
    """Looks for drawings in a dictionary, wherever on their canvases they are.

    Args:
        sprites: `(K, S, S, 4)` uint8 RGBA; opaque is what has an alpha of at least 128.
        drawings: `(h, w, 4)` uint8 RGBA each.
        iou: of the outlines, from which on a sprite is the drawing. One sprite serves one drawing.
    """
    aligned = [_align(sprites, drawing) for drawing in drawings]
    overlap = np.stack([quality for quality, _ in aligned], axis=1)  # (K, D)
    fits = overlap >= iou
    # Worth more than all overlaps together, so that one pair more beats any better ones.
    rows, columns = linear_sum_assignment(fits * (len(drawings) + 1 + overlap), maximize=True)
    pairs = [(k, d) for k, d in zip(rows, columns, strict=True) if fits[k, d]]
    errors = [_color_error(sprites[k], drawings[d], aligned[d][1][k]) for k, d in pairs]
    best = overlap.max(axis=0, initial=0)
    return Recovered(len(pairs), best, float(np.mean(errors)) if errors else math.nan)


def _align(sprites: np.ndarray, drawing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moves a drawing over each sprite to where most opaque pixels coincide.

    Returns:
        `(K,)` float64, the IoU there, and `(K, 2)` int64, left and top of the drawing there.
    """
    masks, outline = sprites[..., 3] >= OPAQUE, drawing[..., 3] >= OPAQUE
    side = sprites.shape[1] + max(outline.shape)  # so that nothing wraps around
    spectrum = np.fft.rfft2(masks, (side, side)) * np.fft.rfft2(outline, (side, side)).conj()
    shared = np.fft.irfft2(spectrum, (side, side)).round().reshape(-1, side**2)
    best, most = shared.argmax(1), shared.max(1)
    top, left = best // side, best % side
    place = np.stack([left, top], axis=1)
    place[place >= sprites.shape[1]] -= side
    return most / (masks.sum((1, 2)) + outline.sum() - most), place


def _color_error(sprite: np.ndarray, drawing: np.ndarray, place: np.ndarray) -> float:
    canvas = np.zeros((*sprite.shape[:2], 4), np.uint8)
    paint(canvas, drawing, drawing[..., 3] >= OPAQUE, *place)
    both = (canvas[..., 3] >= OPAQUE) & (sprite[..., 3] >= OPAQUE)
    difference = canvas[both, :3].astype(float) - sprite[both, :3]
    return float(np.abs(difference).mean())


def sprite_rates(found: Detections, scenes: Scenes) -> Rates:
    """Returns precision and recall of found sprites against all visible instances.

    A hit is a box with an IoU of at least 0.5, one per instance. Things that the look-up finds
    without knowing them (sprite 0) count as found like any other; the network finds none of them.
    """
    figures = score_detections(found, scenes.ground_truth(), len(scenes.images))
    return figures["all"].overlap


def shown_sprites(
    found: Detections, bank: SpriteBank, num_frames: int, height: int, width: int
) -> np.ndarray:
    """Draws found sprites as `FrozenEncoder.reconstruct` does, but with their ids for colours.

    Args:
        found: in the order of the frames, back to front.
        bank: the dictionary's drawings.
        num_frames: N.
        height: H, of the frames in pixels.
        width: W.

    Returns:
        `(N, H, W)` int32 sprite ids; 0 where the background is seen.
    """
    shown = np.zeros((num_frames, height, width), np.int32)
    for frame, sprite, box in zip(found.frame, found.sprite, found.box, strict=True):
        if sprite:
            opaque = bank.drawing(sprite - 1) != TRANSPARENT
            paint(shown[frame], np.full(opaque.shape, sprite), opaque, box[0], box[1])
    return shown


def mask_iou(found: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union of two `(N, H, W)` bool masks, over all pixels; nan without any."""
    union = int((found | true).sum())
    return int((found & true).sum()) / union if union else math.nan
