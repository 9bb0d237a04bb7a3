"""Made-up frames of known sprites, so that a network that learns more forgets nothing."""

import numpy as np

from sprite_obs.detections import Detections, Row, from_rows
from sprite_obs.discover.screens import rooms_of
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank
from sprite_obs.lookup.rooms import Behind

NUM_FRAMES = 600
"""Frames that are made up."""
THINGS = 24
"""Sprites that are tried to be put into a frame; what would touch another one is left out."""
STATE_SHARE = 0.5
"""Share of the rows of a background that take on another colour."""


def rehearse(
    bank: SpriteBank,
    sprite_type: np.ndarray,
    behind: Behind,
    tiles: np.ndarray,
    chosen: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Detections]:
    """Puts sprites anywhere over all backgrounds; no frame of a recording is needed.

    Args:
        bank: K sprites.
        sprite_type: `(K,)` integers, type id of each.
        behind: the backgrounds.
        tiles: `(n, 6)` int32, tiles of walls, each of which is shown half of the time.
        chosen: `(n,)` integers, ids of the sprites to put into frames.
        rng: draws everything.

    Returns:
        `(N, H, W)` uint8 palette indices, and what they show.
    """
    rooms = rooms_of(behind)
    frames = np.empty((NUM_FRAMES, *behind.image.shape), np.uint8)
    rows: list[Row] = []
    for n, image in enumerate(frames):
        image[:] = _state(rooms[n % len(rooms)], rng)
        taken = np.zeros(image.shape, bool)
        for left, top, *_, sprite in tiles[rng.random(len(tiles)) < 0.5].tolist():
            rows += _put(image, taken, bank, sprite, left, top, n)
        for sprite in chosen[rng.integers(len(chosen), size=THINGS * (len(chosen) > 0))].tolist():
            width, height = bank.sizes[sprite - 1].tolist()
            if width < image.shape[1] and height < image.shape[0]:
                left = int(rng.integers(image.shape[1] - width + 1))
                top = int(rng.integers(image.shape[0] - height + 1))
                rows += _put(image, taken, bank, sprite, left, top, n)
    return frames, from_rows(rows, sprite_type)


def _state(room: Background, rng: np.random.Generator) -> np.ndarray:
    """Returns a room in some of the colours that it can take on, `(H, W)` uint8."""
    image = room.image.copy()
    for y, left, right, color in room.bands[rng.random(len(room.bands)) < STATE_SHARE].tolist():
        part = image[y, left:right]
        part[part == room.image[y, left]] = color
    return image


def _put(
    image: np.ndarray, taken: np.ndarray, bank: SpriteBank, sprite: int, left: int, top: int, n: int
) -> list[Row]:
    """Paints a sprite where there is none yet, and returns what was painted."""
    drawing = bank.drawing(sprite - 1)
    height, width = drawing.shape
    place = np.s_[top : top + height, left : left + width]
    if taken[place].any():
        return []
    taken[place] = True
    image[place][drawing != TRANSPARENT] = drawing[drawing != TRANSPARENT]
    return [(n, sprite, 0, left, top, width, height, 1.0)]
