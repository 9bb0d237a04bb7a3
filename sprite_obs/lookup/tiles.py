"""Tiles of walls: each is there or not, at a place where it always is."""

import numba
import numpy as np

from sprite_obs.lookup.bank import SpriteBank, drawing_key

MIN_SHOWN = 0.75
"""Share of a tile's pixels that must show; something may pass in front of the rest."""

NO_TILES = np.zeros((0, 5), np.int32)
"""Left, top, width, height and palette index of each tile; in a dictionary also its sprite id."""


def claim_tiles(index: np.ndarray, mask: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    """Tells which tiles a frame shows, and takes their pixels out of a mask.

    Args:
        index: `(H, W)` uint8 palette indices of the frame.
        mask: `(H, W)` bool, what differs from the background; changed in place.
        tiles: `(n, 5)` or `(n, 6)` int32, see `NO_TILES`.

    Returns:
        `(n,)` bool.
    """
    there = np.zeros(len(tiles), bool)
    claim_shown_tiles(index, mask, tiles, there)
    return there


@numba.njit(cache=True)
def claim_shown_tiles(
    index: np.ndarray, mask: np.ndarray, tiles: np.ndarray, there: np.ndarray
) -> None:
    """Is `claim_tiles` for compiled loops: writes which tiles there are into `there`."""
    for i in range(len(tiles)):
        left, top, width, height, color = tiles[i, :5]
        shown, absent = 0, 0
        for y in range(top, top + height):
            for x in range(left, left + width):
                shown += index[y, x] == color
                absent += not mask[y, x]  # the background shows
        there[i] = absent == 0 and shown >= MIN_SHOWN * width * height
        if there[i]:
            for y in range(top, top + height):
                for x in range(left, left + width):
                    if index[y, x] == color:
                        mask[y, x] = False


def tile_drawings(tiles: np.ndarray) -> list[np.ndarray]:
    """Returns the `(h, w)` uint8 drawing of each tile."""
    sizes = tiles[:, 2:5].tolist()
    return [np.full((height, width), color, np.uint8) for width, height, color in sizes]


def with_sprites(tiles: np.ndarray, bank: SpriteBank) -> np.ndarray:
    """Appends the ids of the tiles' drawings, which are in a dictionary: `(n, 6)` int32."""
    sprite_of = {key: i + 1 for i, key in enumerate(bank.keys().tolist())}
    ids = [sprite_of[drawing_key(tile)] for tile in tile_drawings(tiles)]
    return np.column_stack([tiles[:, :5], np.array(ids, np.int32)]).astype(np.int32)


def tile_links(tiles: np.ndarray) -> np.ndarray:
    """Returns `(L, 4)` int32 as in `Links`: equal tiles beside each other are one object."""
    steps = sorted({(sprite, width) for width, sprite in tiles[:, [2, 5]].tolist()})
    links = [(sprite, sprite, width, 0) for sprite, width in steps]
    return np.array(links, np.int32).reshape(-1, 4)
