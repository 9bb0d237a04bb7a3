"""Builds many sprite environments at once: games in threads of one process where that can be."""

import os
from functools import partial
from typing import Any

import ale_py
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from sprite_obs.decoders import DecoderName
from sprite_obs.devices import DeviceName
from sprite_obs.envs.make import make_env, make_frame_env, needs_own_process
from sprite_obs.vector.adapter import VectorAsVecEnv
from sprite_obs.vector.wrapper import VectorSpriteObservation
from sprite_obs.wrapper_checks import Level

# Settings of a game that `ale_py.AtariVectorEnv` knows as well.
ATARI_SETTINGS = {
    "frameskip",
    "repeat_action_probability",
    "full_action_space",
    "max_num_frames_per_episode",
}
# What the registered single games do: nothing but the game.
PLAIN: dict[str, Any] = {
    "grayscale": False,
    "maxpool": False,
    "stack_num": 1,
    "noop_max": 0,
    "reward_clipping": False,
    "use_fire_reset": False,
}


def make_sprite_vec_env(
    env_id: str,
    model: str | os.PathLike[str],
    num_envs: int,
    max_sprites: int = 32,
    *,
    any_game: bool = False,
    level: Level = "object",
    display: bool = True,
    flatten: bool = False,
    decoder: DecoderName | None = None,
    device: DeviceName = "auto",
    autoreset_mode: AutoresetMode = AutoresetMode.NEXT_STEP,
    **settings: Any,
) -> VectorSpriteObservation:
    """Builds environments behind one `VectorSpriteObservation`.

    Atari games are played by ``ale_py.AtariVectorEnv``, in threads of this process; with settings
    that it does not know, and for other environments, they step one after the other in it. Games of
    stable-retro have a process each. See docs/performance.md for what was measured.

    Args:
        env_id: id of the environment, such as ``"ALE/Pong-v5"``, or the file of a NES game.
        model: folder of the model's checkpoint, or the name of a model of the zoo.
        num_envs: number of environments.
        max_sprites: number of slots of each.
        any_game: allow a model that was learned on another game.
        level: as for `SpriteObservation`.
        display: as for `SpriteObservation`.
        flatten: as for `SpriteObservation`.
        decoder: as for `SpriteObservation`.
        device: as for `SpriteObservation`.
        autoreset_mode: when an environment whose episode ended is reset.
        **settings: settings of the environment that differ from its registered ones.

    Raises:
        SpriteObsError: when the environment does not exist or does not accept `settings`.
        TypeError: when it shows no frames, or an argument is of the wrong type.
        ValueError: when it does not fit the model, or there is no environment.
        CheckpointError: when `model` holds no usable checkpoint, or none for the decoder.
        DeviceError: when the device does not exist.
    """
    if num_envs < 1:
        raise ValueError(f"expected num_envs of at least 1, got {num_envs}")
    envs = _frame_envs(env_id, num_envs, autoreset_mode, settings)
    try:
        return VectorSpriteObservation(
            envs,
            model,
            max_sprites,
            any_game,
            level=level,
            display=display,
            flatten=flatten,
            decoder=decoder,
            device=device,
        )
    except BaseException:
        envs.close()
        raise


def make_sb3_sprite_vec_env(
    env_id: str,
    model: str | os.PathLike[str],
    num_envs: int,
    max_sprites: int = 32,
    *,
    seed: int | None = None,
    **settings: Any,
) -> VecEnv:
    """Builds the same environments for Stable-Baselines3, in its ``VecMonitor``.

    So its algorithms report returns and lengths of episodes, as with its own ``make_vec_env``.

    Args:
        env_id: as for `make_sprite_vec_env`.
        model: as for `make_sprite_vec_env`.
        num_envs: as for `make_sprite_vec_env`.
        max_sprites: as for `make_sprite_vec_env`.
        seed: environment i is seeded with ``seed + i`` at the first reset; None for any seed.
        **settings: all else that `make_sprite_vec_env` takes, but for `autoreset_mode`, which SB3
            prescribes.

    Raises:
        As `make_sprite_vec_env` does.
    """
    mode = AutoresetMode.SAME_STEP
    envs = make_sprite_vec_env(
        env_id, model, num_envs, max_sprites, autoreset_mode=mode, **settings
    )
    venv = VectorAsVecEnv(envs)
    if seed is not None:
        venv.seed(seed)
    return VecMonitor(venv)


def _frame_envs(
    env_id: str, num_envs: int, autoreset_mode: AutoresetMode, settings: dict[str, Any]
) -> VectorEnv:
    """Returns environments that observe frames; one is built to see of what kind they are."""
    with make_env(env_id, **settings) as single:
        atari, spec = isinstance(single.unwrapped, ale_py.AtariEnv), single.spec
        space = single.observation_space
    assert spec is not None  # gymnasium.make sets it
    is_plain = spec.namespace == "ALE" and spec.max_episode_steps is None
    supported = autoreset_mode != AutoresetMode.DISABLED and ATARI_SETTINGS.issuperset(settings)
    if not (atari and is_plain and supported and isinstance(spec.kwargs["frameskip"], int)):
        build = partial(make_frame_env, env_id, **settings)
        vector_env = AsyncVectorEnv if needs_own_process(env_id) else SyncVectorEnv
        return vector_env([build] * num_envs, autoreset_mode=autoreset_mode)
    height, width, _ = space.shape or ()  # or it would scale the frames
    kwargs = {key: spec.kwargs[key] for key in ATARI_SETTINGS if key in spec.kwargs}
    envs = ale_py.AtariVectorEnv(
        spec.kwargs["game"],
        num_envs,
        img_height=height,
        img_width=width,
        autoreset_mode=autoreset_mode,
        **PLAIN,
        **kwargs,
    )
    envs.spec = spec
    return envs
