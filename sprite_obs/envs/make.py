"""The one way in which commands build an environment and get its RGB frames."""

from importlib import metadata
from typing import Any

import ale_py
import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import namespace
from gymnasium.wrappers import AddRenderObservation

from sprite_obs.envs.rendered import ByteRendering, as_bytes
from sprite_obs.errors import SpriteObsError
from sprite_obs.games import NES_ID, is_game_file

RETRO = "Retro/"
"""Namespace of stable-retro's games; the module registers them."""
RETRO_MODULE = "sprite_obs.envs.retro"

# Importing ale_py registers the Atari games; the call itself only makes the import look used.
gymnasium.register_envs(ale_py)


def make_env(env_id: str, **kwargs: Any) -> gymnasium.Env:
    """Builds a registered environment of which `rgb_frame` can get frames.

    Atari games observe RGB frames by default. An environment that observes anything else is built
    with `render_mode="rgb_array"` where it supports that and `kwargs` do not say otherwise; what it
    renders are bytes then, also where it draws with floats.

    Args:
        env_id: id as `gymnasium.make` takes it, such as `"ALE/Pong-v5"`, `"module:Name-v0"` or
            `"Retro/Airstriker-Genesis-v0"`; for a NES game its `.yaml` or `.nes` file.
        kwargs: settings of the environment that differ from its registered ones.

    Raises:
        SpriteObsError: when no such environment is registered or it does not accept `kwargs`.
    """
    env = _make(env_id, kwargs)
    if _is_rgb_space(env.observation_space):
        return env
    renders_rgb = "rgb_array" in env.metadata.get("render_modes", ())
    if renders_rgb and "render_mode" not in kwargs:
        env.close()
        env = _make(env_id, {**kwargs, "render_mode": "rgb_array"})
    return ByteRendering(env) if env.render_mode == "rgb_array" else env


def make_frame_env(env_id: str, **kwargs: Any) -> gymnasium.Env:
    """Builds an environment as `make_env` does and makes its frames its observations.

    Where it observes something else and renders, the renderings become the observations; where it
    does neither, it is left as it is.

    Args:
        env_id: as for `make_env`.
        kwargs: as for `make_env`.

    Raises:
        SpriteObsError: as `make_env` does, and when it does not render.
    """
    env = make_env(env_id, **kwargs)
    if _is_rgb_space(env.observation_space) or env.render_mode != "rgb_array":
        return env
    try:
        return AddRenderObservation(env)
    except gymnasium.error.Error as error:  # what draws is not installed, say
        raise SpriteObsError(f"cannot render {env_id}: {error}") from error


def _make(env_id: str, kwargs: dict[str, Any]) -> gymnasium.Env:
    _register_plugins(env_id)
    try:
        return gymnasium.make(**_registered(env_id), **kwargs)
    except (gymnasium.error.UnregisteredEnv, ModuleNotFoundError) as error:
        raise SpriteObsError(
            f"expected the id of a registered environment such as 'ALE/Pong-v5', got {env_id!r}: "
            f"{error}"
        ) from error
    except (gymnasium.error.Error, TypeError) as error:
        raise SpriteObsError(f"cannot build {env_id!r} with settings {kwargs}: {error}") from error


def _register_plugins(env_id: str) -> None:
    """Registers what an installed package declares for a namespace that nothing registered yet.

    MinAtar declares its games so; Gymnasium reads no such declarations any more.
    """
    name, slash, _ = env_id.partition("/")
    if not slash or any(spec.namespace == name for spec in gymnasium.registry.values()):
        return
    for plugin in metadata.entry_points(group="gymnasium.envs", name=name):
        try:
            with namespace(name):
                plugin.load()()
        except Exception as error:  # whatever a package runs into
            raise SpriteObsError(
                f"cannot register the games of {name} with {plugin.value}: {error!r}; install what "
                "it lacks"
            ) from error


def needs_own_process(env_id: str) -> bool:
    """Tells whether a process can hold one such environment only, as stable-retro's emulators."""
    return env_id.startswith((RETRO, f"{RETRO_MODULE}:"))


def _registered(env_id: str) -> dict[str, Any]:
    """Returns what `gymnasium.make` is to be called with for an environment that a user names."""
    if is_game_file(env_id):
        return {"id": NES_ID, "rom" if env_id.lower().endswith(".nes") else "config": env_id}
    return {"id": f"{RETRO_MODULE}:{env_id}" if env_id.startswith(RETRO) else env_id}


def _is_rgb_space(space: spaces.Space) -> bool:
    return (
        isinstance(space, spaces.Box)
        and space.dtype == np.uint8
        and len(space.shape) == 3
        and space.shape[2] == 3
    )


def rgb_frame(env: gymnasium.Env, observation: Any) -> np.ndarray:
    """Returns the current frame of an environment: its observation if that is RGB, else a render.

    Args:
        env: an environment that was reset.
        observation: what its last `reset` or `step` returned.

    Returns:
        `(H, W, 3)` uint8 in the environment's own resolution. Environments may reuse the array in
        the next step, so copy what is to be kept.

    Raises:
        SpriteObsError: when the environment gives RGB frames in neither way.
    """
    if _is_rgb_space(env.observation_space):
        return observation
    name = type(env.unwrapped).__name__
    frame = np.asarray(as_bytes(_render(env, name)) if env.render_mode == "rgb_array" else None)
    if frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3:
        return frame
    came = "nothing" if frame.dtype == object else f"{frame.dtype} {frame.shape}"
    raise SpriteObsError(
        f"{name}: expected uint8 (H, W, 3) frames as observations or from render(), got "
        f"{env.observation_space} and, with render_mode={env.render_mode!r}, {came}; choose an "
        f"environment with image observations or build it with render_mode='rgb_array'"
    )


def _render(env: gymnasium.Env, name: str) -> Any:
    try:
        return env.render()
    except gymnasium.error.Error as error:  # such as a drawing library that is not installed
        raise SpriteObsError(f"{name} cannot render a frame: {error}") from error
