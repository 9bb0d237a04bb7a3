"""How a NES game is played: the keys of its YAML file, their defaults and what is refused."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sprite_obs.config import from_dict, read_yaml
from sprite_obs.envs.nes.buttons import BUTTONS, COMBINATIONS
from sprite_obs.errors import ConfigError


@dataclass(frozen=True)
class Press:
    """A step of the boot script."""

    press: tuple[str, ...] = ()
    """Buttons held."""
    frames: int = 1
    """For how many frames."""


@dataclass(frozen=True)
class NesSettings:
    """How a NES game is played."""

    rom: str = ""
    """The game's iNES file; in a YAML file, relative to its folder."""
    frameskip: int = 4
    """Frames that a step plays with one action; the last one is observed."""
    boot: tuple[Press, ...] = (Press(frames=60),)
    """What is done from power-on until the game begins; episodes begin with the state after it."""
    idle_frames: int = 0
    """Up to so many frames without a button after a reset, their number drawn with its seed."""
    action_space: Literal["discrete", "multibinary"] = "discrete"
    """discrete: one action for each of `actions`; multibinary: a bit for each of `buttons`."""
    actions: tuple[tuple[str, ...], ...] = COMBINATIONS
    """Buttons that each action holds."""
    buttons: tuple[str, ...] = BUTTONS
    """Buttons that have a bit."""
    repeat_action_probability: float = 0.0
    """Probability, in each frame, that the last frame's buttons stay held (sticky actions)."""
    reward: str = "0"
    """Expression of a step's reward."""
    terminated: str = "0"
    """Expression that is not 0 when the episode is over."""
    max_frames: int | None = None
    """Frames after which an episode is cut; null for no limit."""
    info: dict[str, str] = field(default_factory=dict)
    """Expressions by the names under which infos give their values."""

    def __post_init__(self) -> None:
        _at_least("frameskip", self.frameskip, 1)
        _at_least("idle_frames", self.idle_frames, 0)
        _at_least("max_frames", self.max_frames or 1, 1)
        for step in self.boot:
            _at_least("boot: frames", step.frames, 1)
        if not 0 <= self.repeat_action_probability < 1:
            raise ConfigError(
                "repeat_action_probability: expected 0 or more and less than 1, got "
                f"{self.repeat_action_probability}"
            )
        _check_info(self.info)


def _at_least(key: str, value: float, lowest: float) -> None:
    if not lowest <= value < math.inf:
        raise ConfigError(f"{key}: expected {lowest} or more, got {value}")


def _check_info(info: Any) -> None:
    """Refuses what `from_dict` lets pass, and names that the environment itself uses."""
    if not isinstance(info, dict) or not all(isinstance(x, str) for x in (*info, *info.values())):
        raise ConfigError(f"info: expected a mapping of names to expressions, got {info!r}")
    if "oam" in info:
        raise ConfigError("info: expected names other than 'oam', under which the sprites are")


def read_settings(config: str | None, rom: str | None, changes: dict[str, Any]) -> NesSettings:
    """Reads how a game is played.

    Args:
        config: a YAML file with what differs from the defaults; None for the defaults.
        rom: the game's iNES file; None for the one that the YAML file names.
        changes: settings that differ from the file's.

    Raises:
        ConfigError: when the file is missing, has an unknown key or a wrong value, or there is no
            ROM.
    """
    values = read_yaml(config) if config else {}
    where = config or "NES game"
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected keys with values, got {type(values).__name__}")
    if config and isinstance(values.get("rom"), str):
        values = values | {"rom": str(Path(config).parent / values["rom"])}
    try:
        settings = from_dict(NesSettings, values | changes | ({"rom": rom} if rom else {}), where)
    except ConfigError as error:
        raise _named(error, where) from None
    if not settings.rom:
        raise ConfigError(
            f"{where}: expected the key rom with the path of an iNES file, got none; name the file "
            "of a game that you own"
        )
    return settings


def _named(error: ConfigError, where: str) -> ConfigError:
    """Returns an error whose text names the file."""
    return error if str(error).startswith(where) else ConfigError(f"{where}: {error}")
