"""Where a saved state of the emulator holds the table of sprites, found by writing and looking."""

from typing import Any, NamedTuple

import numpy as np

from sprite_obs.errors import SpriteObsError

CONTROL, MASK, OAM_ADDRESS, OAM_DATA = 0x2000, 0x2001, 0x2003, 0x2004
TALL_SPRITES, SHOW_SPRITES = 0x20, 0x10
UNUSED_BITS = 0xE3
"""The third byte of a sprite has three bits that the console does not keep."""


class StateLayout(NamedTuple):
    """Places in a saved state, in bytes from its beginning.

    Attributes:
        oam: of the 256 bytes of the table of sprites.
        tall: of the flag that sprites are 16 pixels high.
        shown: of the flag that sprites are drawn.
    """

    oam: int
    tall: int
    shown: int


def find_layout(nes: Any) -> StateLayout:
    """Writes into the console's registers, looks what changes in saved states, and undoes it.

    The emulator gives out the memory of programs only, not the picture unit's; saved states hold
    both, and where depends on its version and on the cartridge.

    Args:
        nes: a `cynes.NES` that was just switched on.

    Raises:
        SpriteObsError: when the places cannot be told.
    """
    before = nes.save()
    try:
        tall = _flag(nes, CONTROL, TALL_SPRITES)
        shown = _flag(nes, MASK, SHOW_SPRITES)
        return StateLayout(_table(nes), tall, shown)
    finally:
        nes.load(before)


def _table(nes: Any) -> int:
    pattern = np.random.default_rng(0).integers(0, 256, 256, np.uint8)
    pattern[2::4] &= UNUSED_BITS
    nes[MASK] = 0  # the table cannot be written while a picture is drawn
    nes[OAM_ADDRESS] = 0
    for value in pattern.tolist():
        nes[OAM_DATA] = value
    return _only([nes.save().tobytes().find(pattern.tobytes())], "the table of sprites")


def _flag(nes: Any, register: int, bit: int) -> int:
    states = []
    for value in (0, bit, 0):
        nes[register] = value
        states.append(nes.save())
    off, on, off_again = states
    return _only(np.nonzero((off == 0) & (on == 1) & (off_again == 0))[0].tolist(), "a register")


def _only(places: list[int], what: str) -> int:
    if len(places) != 1 or places[0] < 0:
        raise SpriteObsError(
            f"expected to find {what} at one place in the emulator's saved state, got {places}; "
            "this version of cynes is not known: install 0.1.2"
        )
    return places[0]
