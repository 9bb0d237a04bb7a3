"""Builds the game's ROM, and the file that says how to play it."""

from pathlib import Path

import numpy as np

from homebrew.assembler import assemble
from homebrew.drawings import (
    ACTORS,
    CODE_END,
    DIGITS,
    FIRST_DIGIT,
    digit,
    pixels,
    scenery,
    tiles_of,
    world,
)

ORIGIN, PROGRAM_SIZE, VECTORS, TABLE_SIZE = 0xC000, 0x4000, 0x3FFA, 0x1000
HEADER = b"NES\x1a" + bytes([1, 1, 1, 0]) + bytes(8)
"""One bank of program and drawings each, name tables side by side."""
SETTINGS = """\
rom: {rom}
boot:
  - {{frames: 20}}
  - {{press: [start], frames: 4}}
  - {{frames: 4}}
actions: [[], [right], [left], [down], [up], [right, down], [right, up], [left, down], [left, up]]
idle_frames: 40
max_frames: 1600
reward: delta(16 * ram[0x13] - ram[0x15] / 16)
terminated: ram[0x14] == 1
info:
  gems: ram[0x13]
  camera_x: 2 * ram[0x1f]
  hero_x: 2 * ram[0x20]
  gem_x: 2 * ram[0x21]
  gem_y: ram[0x29]
"""
"""The task: +16 a gem, and a little for every pixel nearer to it; an enemy ends the episode."""


def write_game(folder: Path) -> Path:
    """Writes `gemrun.nes` and `gemrun.yaml` into a folder; returns the path of the latter."""
    (folder / "gemrun.nes").write_bytes(build_rom())
    settings = folder / "gemrun.yaml"
    settings.write_text(SETTINGS.format(rom="gemrun.nes"))
    return settings


def build_rom() -> bytes:
    """Returns an iNES file of 24592 bytes, mapper 0."""
    source = (Path(__file__).parent / "game.asm").read_text()
    code, symbols = assemble(source, ORIGIN)
    code += name_tables()
    assert len(code) <= CODE_END, "the game is too large"
    program = bytearray(PROGRAM_SIZE)
    program[: len(code)] = code
    vectors = (symbols[name].to_bytes(2, "little") for name in ("nmi", "reset", "irq"))
    program[VECTORS:] = b"".join(vectors)
    return HEADER + bytes(program) + drawings()


def name_tables() -> bytes:
    """Returns what the picture unit reads of both screens: tiles, then two bits a palette."""
    tiles, palettes = world()
    screens = []
    for left in (0, 32):
        screens.append(tiles[:, left : left + 32].tobytes())
        # One byte for 4 by 4 tiles, whose quarters could differ; here they do not.
        screens.append((palettes[:, left // 4 : left // 4 + 8] * 0b01010101).tobytes())
    return b"".join(screens)


def drawings() -> bytes:
    """Returns the tiles of the sprites, and those of the background after them."""
    sprites = [tile for drawing in ACTORS for tile in tiles_of(pixels(drawing))]
    sprites += [np.zeros((8, 8), np.uint8)] * (FIRST_DIGIT - len(sprites))
    sprites += [digit(rows) for rows in DIGITS]
    tables = (b"".join(map(tile_bytes, tiles)) for tiles in (sprites, scenery()))
    return b"".join(table.ljust(TABLE_SIZE, b"\0") for table in tables)


def tile_bytes(tile: np.ndarray) -> bytes:
    """Returns a tile's 16 bytes: the low bits of all pixels, then the high ones."""
    return np.packbits(tile & 1, axis=1).tobytes() + np.packbits(tile >> 1, axis=1).tobytes()
