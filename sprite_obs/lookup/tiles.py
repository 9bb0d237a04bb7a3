"""Tiles of walls: each is there or not, at a place where it always is."""

import numba
import numpy as np

MIN_SHOWN = 0.75
"""Share of a tile's pixels that must show; something may pass in front of the rest."""

NO_TILES = np.zeros((0, 5), np.int32)
"""Left, top, width, height and palette index of each tile."""


@numba.njit(cache=True)
def claim_tiles(index: np.ndarray, mask: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    """Tells which tiles a frame shows, and takes their pixels out of a mask.

    Args:
        index: `(H, W)` uint8 palette indices of the frame.
        mask: `(H, W)` bool, what differs from the background; changed in place.
        tiles: `(n, 5)` int32, left, top, width, height and palette index.

    Returns:
        `(n,)` bool.
    """
    there = np.zeros(len(tiles), np.bool_)
    for i in range(len(tiles)):
        left, top, width, height, color = tiles[i]
        shown = 0
        for y in range(top, top + height):
            for x in range(left, left + width):
                shown += index[y, x] == color
        there[i] = shown >= MIN_SHOWN * width * height
        if there[i]:
            for y in range(top, top + height):
                for x in range(left, left + width):
                    if index[y, x] == color:
                        mask[y, x] = False
    return there


def tile_drawings(tiles: np.ndarray) -> list[np.ndarray]:
    """Returns the `(h, w)` uint8 drawing of each tile."""
    return [np.full((height, width), color, np.uint8) for _, _, width, height, color in tiles]
