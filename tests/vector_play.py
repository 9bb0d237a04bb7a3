"""Plays vector environments and compares what they return."""

from functools import partial
from pathlib import Path
from typing import Any

import fake_frame_env  # noqa: F401, registers the environments
import gymnasium
import numpy as np

from sprite_obs.envs.last_two_frames import LastTwoFrames
from sprite_obs.envs.make import make_env
from sprite_obs.wrapper import SpriteObservation

NUM_ENVS = 3
STEPS = 50
SHORT = 20  # steps of an episode: several end in a run, not all in the same step
NUM_ACTIONS = 6


def sprite_env(build: partial, model: Path, **settings: Any) -> gymnasium.Env:
    return SpriteObservation(build(), model, max_sprites=8, **settings)


def frame_envs() -> list[partial]:
    """Returns what builds games that are cut off after a few steps, after others in each."""
    # Nothing of this file: spawned processes would import it, and with it PyTorch.
    return [
        partial(make_env, "ALE/Pong-v5", max_episode_steps=SHORT + index)
        for index in range(NUM_ENVS)
    ]


def sprite_envs(model: Path, **settings: Any) -> list[partial]:
    return [partial(sprite_env, build, model, **settings) for build in frame_envs()]


class StepsInReset(gymnasium.Wrapper):
    """Has a frame before an episode's first one, like games in which FIRE is pressed for agents."""

    def reset(self, **settings: Any) -> tuple[Any, dict[str, Any]]:
        _, info = self.env.reset(**settings)
        return self.env.step(0)[0], info


def steps_in_reset() -> gymnasium.Env:
    """Returns a game whose last frame of each step lacks a paddle that the one before shows."""
    env = gymnasium.make("FakeFlickers-v0")
    copying = gymnasium.wrappers.TransformObservation(env, np.copy, env.observation_space)
    return StepsInReset(LastTwoFrames(copying, frames_per_step=4))


def play(envs: Any, seed: int = 3) -> list[tuple]:
    """Returns what reset and the steps of a Gymnasium vector environment returned."""
    rng = np.random.default_rng(seed)
    results: list[tuple] = [envs.reset(seed=seed)]
    results += [envs.step(rng.integers(NUM_ACTIONS, size=envs.num_envs)) for _ in range(STEPS)]
    envs.close()
    return results


def play_sb3(venv: Any, seed: int = 3) -> list[tuple]:
    """Returns what reset and the steps of an SB3 vector environment returned, and reset's infos."""
    rng = np.random.default_rng(seed)
    venv.seed(seed)
    results: list[tuple] = [(venv.reset(), list(venv.reset_infos))]
    for _ in range(STEPS):
        step = venv.step(rng.integers(NUM_ACTIONS, size=venv.num_envs))
        rewards = step[1].astype(np.float32)  # float64 from SubprocVecEnv
        results.append((step[0], rewards, *step[2:], list(venv.reset_infos)))
    venv.close()
    return results


def assert_equal(one: Any, other: Any, where: str = "") -> None:
    """Compares nested containers of arrays: keys, types, shapes, values."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_equal(one[key], other[key], f"{where}/{key}")
    elif isinstance(one, list | tuple) or (isinstance(one, np.ndarray) and one.dtype == object):
        assert len(one) == len(other), where
        for index, (first, second) in enumerate(zip(one, other, strict=True)):
            assert_equal(first, second, f"{where}/{index}")
    else:
        assert getattr(one, "dtype", type(one)) == getattr(other, "dtype", type(other)), where
        np.testing.assert_array_equal(one, other, err_msg=where)
