"""A NES with a game in it: plays frames, saves and loads states, shows its memory."""

from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sprite_obs.envs.nes.layout import find_layout
from sprite_obs.envs.nes.oam import drawn_sprites
from sprite_obs.errors import SpriteObsError

MAGIC = b"NES\x1a"
FRAME_SHAPE = (240, 256, 3)
UNSET_BYTE = {"0.1.2": 24}
"""By versions of cynes: a byte of the state, of the processor, that is not set at power-on."""


class Moment(NamedTuple):
    """All that there is at a moment of a game; only for the console that it came from.

    Attributes:
        state: the emulator's saved state. It holds addresses of this process's memory.
        frame: `(240, 256, 3)` uint8, the last frame.
    """

    state: np.ndarray
    frame: np.ndarray


class Console:
    """A NES with a game in it, just switched on.

    Args:
        rom: the game's iNES file.

    Raises:
        SpriteObsError: when cynes is not installed, or the file is missing, no iNES file, or of a
            kind of cartridge that cynes does not know.

    Attributes:
        frame: `(240, 256, 3)` uint8 RGB, the last frame; a new array after each `play`.
    """

    def __init__(self, rom: str):
        _check_rom(Path(rom))
        self._rom = rom
        self._nes = _load(rom)
        _set_unset_byte(self._nes)
        self._layout = find_layout(self._nes)
        self.frame = np.zeros(FRAME_SHAPE, np.uint8)

    def play(self, held: int, frames: int = 1) -> None:
        """Plays frames while buttons are held, given as the joypad's byte.

        Raises:
            SpriteObsError: when the game ran into an instruction that there is not.
        """
        self._nes.controller = held
        self.frame = np.array(self._nes.step(frames=frames))  # the emulator reuses its own
        if self._nes.has_crashed:
            raise SpriteObsError(
                f"{self._rom}: the game ran into an invalid instruction; expected an intact iNES "
                "file of a cartridge that cynes emulates, so try another copy"
            )

    def ram(self, address: int) -> int:
        """Returns a byte of memory, 0..255."""
        return self._nes[address]

    def oam(self) -> np.ndarray:
        """Returns `(64, 6)` int32: the sprites of the last frame, see `drawn_sprites`."""
        # A frame is drawn before the game may change the table, in the pause that begins the next.
        state = self._nes.save()
        start, tall, shown = self._layout
        table = state[start : start + 256]
        return drawn_sprites(table, 16 if state[tall] else 8, bool(state[shown]))

    def save(self) -> Moment:
        """Returns this moment, to which `load` comes back."""
        return Moment(self._nes.save(), self.frame)

    def load(self, moment: Moment) -> None:
        """Comes back to a moment of this console."""
        self._nes.load(moment.state)
        self.frame = moment.frame


def _set_unset_byte(nes: Any) -> None:
    """Makes power-on the same each time; what memory held could start a game a frame late."""
    place = UNSET_BYTE.get(version("cynes"))
    if place is not None:
        state = nes.save().copy()
        state[place] = 0
        nes.load(state)


def _check_rom(path: Path) -> None:
    if not path.is_file():
        raise SpriteObsError(
            f"expected a game's iNES file (.nes), but there is no file {path}; mend the path"
        )
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start != MAGIC:
        raise SpriteObsError(
            f"{path}: expected an iNES file, which begins with {MAGIC!r}, got {start!r}; name the "
            ".nes file of a game that you own, unpacked"
        )


def _load(rom: str) -> Any:
    try:
        import cynes
    except ImportError:
        raise SpriteObsError(
            "NES games are played by the package cynes, which is not installed; install it: "
            "pip install 'sprite-obs[nes]'"
        ) from None
    try:
        return cynes.NES(rom)
    except (RuntimeError, UnicodeDecodeError) as error:  # the text of some errors is no text
        raise SpriteObsError(
            f"{rom}: expected a cartridge that cynes emulates (iNES mappers 0 to 4, 7, 9, 10, 66 "
            "and 71), got another one, or a damaged file; play another game"
        ) from error
