"""The game's drawings, made for it: 0 is transparent, 1 to 3 are colours of a palette."""

import numpy as np

# Sixteen rows each; those of eight columns are the left half of a symmetrical drawing.
HERO = """
................
.....333333.....
....33333333....
....322322......
....322322......
....22222222....
.....222222.....
...1111111......
..11111111112...
.11.111111.122..
.22.111111......
....333333......
....333.333.....
....33...33.....
...333...333....
................
"""
GEM = """
.......3
......31
.....312
....3112
...31122
..311222
.3112222
31122222
31122222
.3112222
..311222
...31122
....3112
.....312
......31
.......3
"""
BAT_UP = """
........
11......
111....1
1111..11
11111111
11111113
.1111123
.1111111
..111111
...11111
....1133
......13
.......1
........
........
........
"""
BAT_DOWN = """
........
........
.......1
......11
....1111
...11113
..111123
.1111111
11111111
1111.111
111..133
11....13
1......1
1.......
........
........
"""
SLUG_LONG = """
................
................
................
.............3.3
.............3.3
.............111
............1123
............1113
...11111111.1111
..1122112211111.
.11111111111111.
.12211221122111.
111111111111111.
222222222222222.
................
................
"""
SLUG_SHORT = """
................
................
...........3.3..
...........3.3..
...........111..
..........1123..
..........1113..
....11111.1111..
...1122111111...
..1111111111....
..1221122111....
.11111111111....
.12211221122....
.22222222222....
................
................
"""
ACTORS = (HERO, GEM, BAT_UP, BAT_DOWN, SLUG_LONG, SLUG_SHORT)

# Five columns of seven rows.
DIGITS = (
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111",
    "11111 00010 00100 00010 00001 10001 01110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
)
FIRST_DIGIT = 0x30
SKY, BRICK, GRASS, CLOUD, PILLAR, BUSH, CRATE, STONE, ROOT = range(9)
CODE_END = 15000
"""Bytes of code that may be followed by the name tables."""


def pixels(drawing: str) -> np.ndarray:
    """Returns a drawing as (16, 16) uint8, colours 0..3."""
    rows = [row + row[::-1] if len(row) == 8 else row for row in drawing.split()]
    return np.array([[0 if c == "." else int(c) for c in row] for row in rows], np.uint8)


def digit(rows: str) -> np.ndarray:
    """Returns a digit as (8, 8) uint8."""
    tile = np.zeros((8, 8), np.uint8)
    tile[:7, 1:6] = [[3 * int(bit) for bit in row] for row in rows.split()]
    return tile


def tiles_of(drawing: np.ndarray) -> list[np.ndarray]:
    """Cuts (16, 16) pixels into four tiles: upper left, upper right, lower left, lower right."""
    return [drawing[top : top + 8, left : left + 8] for top in (0, 8) for left in (0, 8)]


def scenery() -> list[np.ndarray]:
    """Returns the background's tiles, (8, 8) uint8 each, in the order of their names above."""
    rows, columns = np.mgrid[0:8, 0:8]
    brick = np.where((rows % 4 == 3) | ((columns + 4 * (rows // 4)) % 8 == 7), 3, 1)
    grass = np.where(rows < 3, 2, np.where((rows == 3) & (columns % 2 == 0), 2, 1))
    cloud = np.where((rows - 4) ** 2 + (columns - 4) ** 2 < 14, 1, 2)
    pillar = np.array([3, 1, 1, 2, 1, 1, 2, 3])[columns]
    bush = np.where((rows * 3 + columns * 5) % 7 < 3, 1, 2)
    crate = np.where((rows % 7 == 0) | (columns % 7 == 0) | (rows == columns), 3, 2)
    stone = np.where((rows - 3.5) ** 2 + (columns - 3.5) ** 2 < 11, 2, 1)
    root = np.where((rows + columns) % 8 < 2, 3, 1)
    tiles = (np.zeros((8, 8)), brick, grass, cloud, pillar, bush, crate, stone, root)
    return [tile.astype(np.uint8) for tile in tiles]


def world() -> tuple[np.ndarray, np.ndarray]:
    """Returns the scenery of both screens.

    Returns:
        Tiles `(30, 64)` and, for each 4 by 4 of them, the palette, `(8, 16)`; uint8 both.
    """
    tiles = np.full((30, 64), SKY, np.uint8)
    earth = np.array([BRICK, BRICK, STONE, ROOT], np.uint8)
    tiles[26:], tiles[25] = earth[np.random.default_rng(7).integers(0, 4, (4, 64))], GRASS
    clouds = ((3, 5, 4), (12, 8, 3), (22, 4, 5), (35, 7, 4), (44, 5, 2), (50, 9, 5), (59, 6, 3))
    for left, top, width in clouds:
        tiles[top, left : left + width] = CLOUD
        tiles[top + 1, left + 1 : left + width - 1] = CLOUD
    for left, height in ((6, 5), (17, 3), (29, 7), (40, 4), (48, 6), (61, 3)):
        tiles[25 - height : 25, left : left + 2] = PILLAR
    for left, width in ((10, 4), (22, 3), (34, 5), (54, 4)):
        tiles[24, left : left + width] = BUSH
    for left, top in ((14, 14), (15, 14), (26, 16), (37, 13), (38, 13), (39, 13), (52, 15)):
        tiles[top, left] = CRATE
    palettes = np.zeros((8, 16), np.uint8)
    palettes[:3], palettes[3:5] = 2, 1
    return tiles, palettes
