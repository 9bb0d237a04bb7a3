"""The console's own table of sprites (OAM): what a frame really shows of it."""

import numpy as np

COLUMNS = ("x", "y", "tile", "attributes", "height", "rows")
"""Of `info["oam"]`: left and top in pixels; number of the drawing; palette (bits 0 and 1), behind
the background (0x20), mirrored (0x40), upside down (0x80); 8 or 16 pixels; bit r set where row r is
drawn, so that 0 means that nothing of the sprite is."""
NUM_SPRITES = 64
PER_LINE = 8
"""Sprites that the picture unit draws in a line; later ones of the table are left out."""
NUM_LINES = 240


def drawn_sprites(table: np.ndarray, height: int, enabled: bool = True) -> np.ndarray:
    """Returns what a frame shows of the table of sprites.

    Args:
        table: `(256,)` uint8, four bytes a sprite: y, tile, attributes, x.
        height: 8, or 16 where the game draws two tiles above each other.
        enabled: whether sprites are drawn at all.

    Returns:
        `(64, 6)` int32, a row for each sprite in the table's order and the columns of `COLUMNS`. A
        sprite that is drawn may still be hidden by others and by the background.
    """
    y, tile, attributes, x = table.reshape(NUM_SPRITES, 4).astype(np.int32).T
    y = y + 1  # the table is read a line ahead
    offset = np.arange(NUM_LINES) - y[:, None]  # (64, 240)
    covers = (offset >= 0) & (offset < height) & enabled
    drawn = covers & (covers.cumsum(0) <= PER_LINE)
    rows = (drawn * (1 << np.clip(offset, 0, 15))).sum(1)
    return np.stack([x, y, tile, attributes, np.full(NUM_SPRITES, height), rows], 1).astype(
        np.int32
    )
