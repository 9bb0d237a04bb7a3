"""Trained agents that play while frames are recorded, and what they observe."""

import json
import zipfile
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sprite_obs.errors import SpriteObsError

Observe = Callable[[gymnasium.Env, int], gymnasium.Env]
"""Wraps an environment that shows frames so that it shows sprites instead, in so many slots."""

UNUSED: dict[str, Any] = {
    "buffer_size": 1,  # loading makes DQN's replay buffer anew, which for frames can be too large
    "replay_buffer_class": None,  # DQN would warn of its own one
    # Schedules are pickled, by rl-zoo3 as classes of its own, which need not be installed here.
    "learning_rate": 0.0,
    "lr_schedule": None,
    "clip_range": 0.2,
    "clip_range_vf": None,
    "exploration_schedule": None,
}
"""What stands for settings that only learning needs."""


def load_agent(path: str) -> Any:
    """Reads a model that Stable-Baselines3 saved; what is pickled in it may run code.

    Raises:
        SpriteObsError: when it is no PPO, A2C, DQN or QR-DQN model that can be loaded, or one of
            QR-DQN without sb3-contrib.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            settings = json.loads(archive.read("data"))
        return _algorithm_of(settings).load(path, device="cpu", custom_objects=UNUSED)
    except SpriteObsError:
        raise
    except Exception as error:  # unpickling a file of another kind or version can raise anything
        raise SpriteObsError(
            f"policy: expected a PPO, A2C, DQN or QR-DQN model saved by Stable-Baselines3, but "
            f"{path} does not load as one: {type(error).__name__}: {error}"
        ) from error


def _algorithm_of(settings: dict[str, Any]) -> Any:
    """Returns the class of a saved agent; its file does not name it, but each has its settings."""
    # Imported here because it takes seconds and only trained agents need it.
    if "n_quantiles" in settings:
        return qr_dqn()
    from stable_baselines3 import A2C, DQN, PPO

    if "exploration_fraction" in settings:
        return DQN
    return PPO if "n_epochs" in settings else A2C


def qr_dqn() -> Any:
    """Returns the class of QR-DQN.

    Raises:
        SpriteObsError: when it is not installed.
    """
    try:
        from sb3_contrib import QRDQN
    except ModuleNotFoundError:
        message = "QR-DQN needs sb3-contrib: pip install 'sprite-obs[contrib]'"
        raise SpriteObsError(message) from None
    return QRDQN


def seen_by(agent: Any, path: str, env: gymnasium.Env, observe: Observe | None) -> gymnasium.Env:
    """Returns the environment as the agent observes it.

    Args:
        agent: the trained agent.
        path: its file, for messages.
        env: an environment that shows frames.
        observe: how frames become sprites, for an agent that was trained on them.

    Raises:
        SpriteObsError: when the agent cannot play this environment.
    """
    seen = env
    if isinstance(agent.observation_space, spaces.Dict):
        seen = _with_sprites(agent.observation_space, path, env, observe)
    else:
        _check_frames(agent.observation_space, path, env.observation_space.shape or ())
    if agent.action_space != env.action_space:
        raise SpriteObsError(
            f"policy: the agent {path} acts in {agent.action_space}, but the environment expects "
            f"{env.action_space}; use an agent trained on this environment"
        )
    return seen


def _with_sprites(
    space: spaces.Dict, path: str, env: gymnasium.Env, observe: Observe | None
) -> gymnasium.Env:
    if "presence" not in space.spaces:
        raise SpriteObsError(
            f"policy: expected an agent that observes frames or sprites, but {path} observes "
            f"{', '.join(space)}; use another agent"
        )
    if observe is None:
        raise SpriteObsError(
            f"policy: the agent {path} observes sprites, but there is no model that finds them; "
            "name the folder of the one that it was trained with: `sprite-obs record --model`"
        )
    (num_slots,) = space["presence"].shape or ()
    seen = observe(env, num_slots)
    if seen.observation_space != space:
        raise SpriteObsError(
            f"policy: the agent {path} was trained on other sprites than those of this model; use "
            "the model of its training"
        )
    return seen


def _check_frames(space: spaces.Space, path: str, frame_shape: tuple[int, ...]) -> None:
    if len(space.shape or ()) == 1:
        raise SpriteObsError(
            f"policy: the agent {path} observes vectors of {space.shape} numbers; expected one of "
            "frames, or of sprites in a dictionary, as `agents/train_ppo.py` trains them"
        )
    height, width, channels = frame_shape
    # Stable-Baselines3 puts channels first when it trains on images.
    if space.dtype != np.uint8 or space.shape not in (frame_shape, (channels, height, width)):
        raise SpriteObsError(
            f"policy: the agent {path} observes a {type(space).__name__} of shape {space.shape}, "
            f"but the environment's frames are uint8 {frame_shape}; use an agent trained on these "
            "frames, without wrappers that change them"
        )
