"""From frames to a dictionary by counting alone: background, sprites, types."""

from typing import NamedTuple

import numpy as np

from sprite_obs.config import DiscoverConfig
from sprite_obs.discover.background import common_background, remove_resting
from sprite_obs.discover.compose import find_compositions
from sprite_obs.discover.copies import cut_copies
from sprite_obs.discover.count import Occurrences, count_components
from sprite_obs.discover.identity import follow, link_types, moving_share
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank, make_bank

COPY_ROUNDS = 3
"""Searches in turn for known sprites in the background."""


class Discovery(NamedTuple):
    """What counting found in a recording.

    Attributes:
        background: `(H, W)` uint8 palette indices.
        bank: K recurring drawings, largest first, none of them composed of others.
        counts: `(K,)` int64, appearances in the frames.
        groups: `(K,)` int32, drawings of one group are views of one thing; from 0 without gaps.
        moving: `(K,)` float64, share of a drawing's appearances from which it moves on.
    """

    background: np.ndarray
    bank: SpriteBank
    counts: np.ndarray
    groups: np.ndarray
    moving: np.ndarray


def _select(
    seen: Occurrences, drawings: list[np.ndarray], keep: np.ndarray
) -> tuple[SpriteBank, Occurrences]:
    """Keeps some drawings, in the order given, and their occurrences."""
    renumber = np.full(len(drawings), -1, np.int64)
    renumber[keep] = np.arange(len(keep))
    drawing = renumber[seen.drawing]
    rows = drawing >= 0
    kept = Occurrences(seen.frame[rows], drawing[rows], seen.box[rows])
    return make_bank([drawings[i] for i in keep]), kept


def _recurring(
    seen: Occurrences, drawings: list[np.ndarray], min_count: int, max_size: int
) -> np.ndarray:
    """Returns the drawings that recur and fit on a sprite's canvas, largest first."""
    counts = np.bincount(seen.drawing, minlength=len(drawings))
    areas = np.array([(drawing != TRANSPARENT).sum() for drawing in drawings])
    fits = np.array([max(drawing.shape) <= max_size for drawing in drawings], bool)
    keep = np.flatnonzero((counts >= min_count) & fits)
    return keep[np.argsort(-areas[keep], kind="stable")]


def _most_used(bank: SpriteBank, counts: np.ndarray, limit: int) -> np.ndarray:
    """Returns the sprites that explain most pixels, in their former order."""
    explained = counts * bank.areas
    return np.sort(np.argsort(-explained, kind="stable")[:limit])


def discover(
    frames: np.ndarray,
    episode: np.ndarray,
    config: DiscoverConfig,
    max_size: int,
    max_sprites: int,
    background: np.ndarray | None = None,
) -> Discovery:
    """Learns background and sprites from exact repetition and motion, without labels.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        config: thresholds, the same for all games.
        max_size: side of a sprite's canvas in pixels; larger drawings are no sprites.
        max_sprites: entries of the dictionary at most.
        background: `(H, W)` uint8 palette indices; None to learn it too.
    """
    if background is None:
        background = _learn_background(frames[:: max(1, len(frames) // 1000)], config, max_size)
    background, seen, drawings, keep = _count(frames, background, config, max_size)
    bank, kept = _select(seen, drawings, keep)
    composed = find_compositions(bank, np.bincount(kept.drawing, minlength=len(bank)))
    keep = np.delete(keep, sorted(composed))
    bank, kept = _select(seen, drawings, keep)
    keep = keep[_most_used(bank, np.bincount(kept.drawing, minlength=len(bank)), max_sprites)]
    bank, kept = _select(seen, drawings, keep)
    pairs = follow(kept, episode)
    return Discovery(
        background,
        bank,
        np.bincount(kept.drawing, minlength=len(bank)),
        link_types(bank, kept, pairs),
        moving_share(kept, pairs, len(bank)),
    )


def _count(
    frames: np.ndarray, background: np.ndarray, config: DiscoverConfig, max_size: int
) -> tuple[np.ndarray, Occurrences, list[np.ndarray], np.ndarray]:
    """Counts components, again whenever known sprites turn out to lie in the background.

    Returns:
        The background, all occurrences, all drawings, and which of these recur, largest first.
    """
    for _ in range(COPY_ROUNDS):
        seen, drawings = count_components(frames, background, config.max_foreground)
        keep = _recurring(seen, drawings, config.min_count, max_size)
        cleared = cut_copies(background, make_bank([drawings[i] for i in keep]))
        if (cleared == background).all():
            break
        background = cleared
    return background, seen, drawings, keep


def _learn_background(frames: np.ndarray, config: DiscoverConfig, max_size: int) -> np.ndarray:
    background = common_background(frames, config.max_foreground)
    return remove_resting(frames, background, config.max_foreground, max_size)
