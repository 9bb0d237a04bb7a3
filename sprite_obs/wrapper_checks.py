"""What `SpriteObservation` refuses, and why: arguments, environments, models of other games."""

import typing
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

from sprite_obs.games import game_name

Level = Literal["object", "sprite"]


def check_arguments(env: gymnasium.Env, max_sprites: int, render_sprites: bool) -> None:
    """Refuses arguments of the wrong type or value.

    Raises:
        TypeError: when `env` is no environment or `max_sprites` no integer.
        ValueError: when there is no slot, or frames to draw on are not rendered.
    """
    if not isinstance(env, gymnasium.Env):
        raise TypeError(
            f"SpriteObservation expects a gymnasium.Env, got {type(env).__name__}; make one with "
            "gymnasium.make()"
        )
    if isinstance(max_sprites, bool) or not isinstance(max_sprites, int | np.integer):
        raise TypeError(
            f"SpriteObservation expects max_sprites to be an int, got {described(max_sprites)}"
        )
    if max_sprites < 1:
        raise ValueError(f"SpriteObservation expects max_sprites of at least 1, got {max_sprites}")
    if render_sprites and env.render_mode != "rgb_array":
        raise ValueError(
            "SpriteObservation renders sprites over an environment of render_mode='rgb_array', got "
            f"render_mode={env.render_mode!r}; pass it to gymnasium.make()"
        )


def check_content(level: str, display: bool) -> None:
    """Refuses what is no level, with a ValueError, and no bool, with a TypeError."""
    if not isinstance(display, bool):
        raise TypeError(
            f"SpriteObservation expects display to be True or False, got {described(display)}"
        )
    if level not in typing.get_args(Level):
        raise ValueError(f"SpriteObservation expects level 'object' or 'sprite', got {level!r}")


def check_game(env: gymnasium.Env, learned_on: str | None, model: Any) -> None:
    """Refuses a model that was learned on another game, where both are known, with a ValueError."""
    if env.spec is None or learned_on is None:
        return
    if game_name(env.spec.id) != game_name(learned_on):
        raise ValueError(
            f"SpriteObservation expects a model of the environment's game {env.spec.id}, got "
            f"{model}, which was learned on {learned_on}; use a model of this game, or pass "
            "any_game=True to the wrapper to use this one all the same"
        )


def needs_render(env: gymnasium.Env, shape: tuple[int, ...], model: Any) -> bool:
    """Returns whether frames come from ``render()`` because the observation shows none."""
    space = env.observation_space
    if isinstance(space, spaces.Box) and space.shape == shape and space.dtype == np.uint8:
        return False
    if env.render_mode == "rgb_array":
        return True
    kind = ValueError if isinstance(space, spaces.Box) else TypeError
    raise kind(
        f"SpriteObservation expects RGB frames as a uint8 Box of shape {shape}, the size that "
        f"{model} was learned on, got {space} and render_mode={env.render_mode!r}; make the "
        "environment with render_mode='rgb_array' or use a model of this environment"
    )


def described(value: Any) -> str:
    """Says what a wrong argument was."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return f"{value!r} ({type(value).__name__})"
