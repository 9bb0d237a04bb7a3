"""The NES game of benchmarks/homebrew, for tests: importing this skips them without cynes."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("cynes", reason="NES games need the extra: pip install 'sprite-obs[nes]'")
sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from homebrew.assembler import assemble
from homebrew.drawings import pixels, scenery, tiles_of, world
from homebrew.rom import build_rom, write_game
from homebrew.truth import TILES, Truth, owners, sprites_of, whole

__all__ = [
    "TILES", "Truth", "assemble", "build_rom", "owners", "pixels", "scenery", "sprites_of",
    "tiles_of", "whole", "world", "write_game",
]  # fmt: skip
RIGHT, LEFT, DOWN, UP = 1, 2, 3, 4
"""Actions of the game's settings; 0 is none."""
