"""The joypad: names of buttons, and spaces of actions that are combinations of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from sprite_obs.errors import ConfigError

BUTTONS = ("right", "left", "down", "up", "start", "select", "b", "a")
"""In the order of the joypad's bits, the lowest first."""
OPPOSITES = (0b0011, 0b1100)
"""Directions that no joypad can hold at once."""
COMBINATIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("right",),
    ("left",),
    ("down",),
    ("up",),
    ("a",),
    ("b",),
    ("right", "a"),
    ("left", "a"),
    ("right", "b"),
    ("left", "b"),
    ("right", "a", "b"),
    ("left", "a", "b"),
)
"""Actions, if not given."""


def held(buttons: Sequence[str], where: str = "buttons") -> int:
    """Returns the joypad's byte while buttons are held.

    Raises:
        ConfigError: for a name that is no button.
    """
    for name in buttons:
        if name not in BUTTONS:
            raise ConfigError(
                f"{where}: expected buttons among {', '.join(BUTTONS)}, got {name!r}; mend the name"
            )
    return sum(1 << BUTTONS.index(name) for name in set(buttons))


class Combinations:
    """Discrete actions: action i holds the i-th combination of buttons.

    Args:
        combinations: names of the buttons that each action holds.
        where: how messages name them.

    Raises:
        ConfigError: for an unknown button, or without any action.
    """

    def __init__(self, combinations: Sequence[Sequence[str]], where: str = "actions"):
        if not combinations:
            raise ConfigError(f"{where}: expected a list of button combinations, got none")
        self._held = [held(buttons, where) for buttons in combinations]
        self.meanings = ["+".join(buttons).upper() or "NOOP" for buttons in combinations]
        self.space: spaces.Space = spaces.Discrete(len(self._held))

    def held(self, action: Any) -> int:
        """Returns the joypad's byte for an action of the space."""
        return self._held[int(action)]


class EveryButton:
    """MultiBinary actions: one bit for each button, in a given order; opposite directions cancel.

    Args:
        buttons: names of the buttons that there are bits for.
        where: how messages name them.

    Raises:
        ConfigError: for an unknown button, one that comes twice, or without any.
    """

    def __init__(self, buttons: Sequence[str], where: str = "buttons"):
        if not buttons or len(set(buttons)) != len(buttons):
            raise ConfigError(f"{where}: expected different buttons, got {list(buttons)}")
        self._bits = np.array([held([name], where) for name in buttons])
        self.meanings = [name.upper() for name in buttons]
        self.space: spaces.Space = spaces.MultiBinary(len(buttons))

    def held(self, action: Any) -> int:
        """Returns the joypad's byte for an action of the space."""
        byte = int(self._bits @ np.asarray(action, np.int64))
        for both in OPPOSITES:
            if byte & both == both:
                byte &= ~both
        return byte
