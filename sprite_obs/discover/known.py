"""What a model knows, read in frames that may show more."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sprite_obs.config import DiscoverConfig
from sprite_obs.detections import Row
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank
from sprite_obs.lookup.components import find_components
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.rooms import Behind
from sprite_obs.lookup.tiles import claim_tiles


class Known(NamedTuple):
    """A counted dictionary and what lies behind it.

    Attributes:
        bank: K sprites.
        counts: `(K,)` integers, how often each was seen.
        sprite_type: `(K,)` integers, type id 1..T of each.
        background: what lies behind the sprites.
        tiles: `(n, 6)` int32, tiles of walls.
        former_sizes: how many sprites there were each time before the dictionary grew, rising.
    """

    bank: SpriteBank
    counts: np.ndarray
    sprite_type: np.ndarray
    background: Behind
    tiles: np.ndarray
    former_sizes: Sequence[int]

    def decoder(self, config: DiscoverConfig) -> LookupDecoder:
        """Returns what finds these sprites."""
        thresholds = config.min_visible, config.min_explained, config.max_foreground
        return LookupDecoder(
            self.bank, self.counts, self.background, self.tiles, *thresholds, self.former_sizes
        )


def read_known(
    frames: np.ndarray, known: Known, config: DiscoverConfig
) -> tuple[list[Row], np.ndarray]:
    """Finds known sprites, and all components that they do not explain to the last pixel.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        known: the dictionary.
        config: thresholds.

    Returns:
        The sprites, and `(N, H, W)` bool, the pixels of components that are new as a whole or in
        part.
    """
    decoder = known.decoder(config)
    masks = np.empty(frames.shape, bool)
    rows: list[Row] = []
    for n, index in enumerate(frames):
        found = decoder.decode(index[None])
        masks[n] = _unexplained(index, found, known, decoder)
        rows += [(n, *row[1:]) for row in found]
    return rows, masks


def _unexplained(
    index: np.ndarray, rows: list[Row], known: Known, decoder: LookupDecoder
) -> np.ndarray:
    """Returns `(H, W)` bool, the components of a frame that found sprites do not rebuild."""
    shown = decoder.shown_background(index)
    mask = index != shown
    claim_tiles(index, mask, known.tiles)
    components = find_components(index, mask)
    rebuilt = shown.copy()
    for row in sorted(rows, key=lambda row: row[2]):
        _paint(rebuilt, known, row)
    is_open = np.zeros(len(components.boxes) + 1, bool)
    is_open[components.labels[(rebuilt != index) & mask]] = True
    is_open[0] = False
    return is_open[components.labels]


def _paint(image: np.ndarray, known: Known, row: Row) -> None:
    """Paints a found sprite over palette indices, in place; a covered one in the playing field."""
    _, sprite, _, left, top, width, height, score = row
    if sprite == 0:
        return
    whole = 0, 0, *image.shape[::-1]
    first_x, first_y, end_x, end_y = whole if score == 1 else known.background.window.tolist()
    x0, y0 = max(left, first_x), max(top, first_y)
    x1, y1 = min(left + width, end_x), min(top + height, end_y)
    if x0 >= x1 or y0 >= y1:
        return
    drawing = known.bank.drawing(sprite - 1)[y0 - top : y1 - top, x0 - left : x1 - left]
    window = image[y0:y1, x0:x1]
    window[drawing != TRANSPARENT] = drawing[drawing != TRANSPARENT]
