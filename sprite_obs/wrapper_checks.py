"""What `SpriteObservation` refuses, and why: arguments, environments, models of other games."""

import typing
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from sprite_obs.games import game_name, game_of

Level = Literal["object", "sprite"]
WRAPPER = "SpriteObservation"


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
    check_max_sprites(max_sprites)
    if render_sprites and env.render_mode != "rgb_array":
        raise ValueError(
            "SpriteObservation renders sprites over an environment of render_mode='rgb_array', got "
            f"render_mode={env.render_mode!r}; pass it to gymnasium.make()"
        )


def check_max_sprites(max_sprites: int, wrapper: str = WRAPPER) -> None:
    """Refuses what is no number of slots: no integer with a TypeError, none with a ValueError."""
    if isinstance(max_sprites, bool) or not isinstance(max_sprites, int | np.integer):
        raise TypeError(f"{wrapper} expects max_sprites to be an int, got {described(max_sprites)}")
    if max_sprites < 1:
        raise ValueError(f"{wrapper} expects max_sprites of at least 1, got {max_sprites}")


def check_content(level: str, display: bool, flatten: bool, wrapper: str = WRAPPER) -> None:
    """Refuses what is no level, with a ValueError, and no bool, with a TypeError."""
    for name, value in (("display", display), ("flatten", flatten)):
        if not isinstance(value, bool):
            raise TypeError(f"{wrapper} expects {name} to be True or False, got {described(value)}")
    if level not in typing.get_args(Level):
        raise ValueError(f"{wrapper} expects level 'object' or 'sprite', got {level!r}")


def check_game(
    spec: EnvSpec | None, learned_on: str | None, model: Any, wrapper: str = WRAPPER
) -> None:
    """Refuses a model that was learned on another game, where both are known, with a ValueError."""
    if spec is None or learned_on is None:
        return
    if game_of(spec) != game_name(learned_on):
        raise ValueError(
            f"{wrapper} expects a model of the environment's game {spec.id}, got "
            f"{model}, which was learned on {learned_on}; use a model of this game, or, in "
            "code of your own, this one all the same with any_game=True"
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
