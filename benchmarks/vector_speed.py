"""The vector part of `wrapper_speed.py`: ways to let many environments show sprites, in turns."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import ale_py
import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv
from measure import number
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from sprite_obs.envs.make import make_env
from sprite_obs.vector.make import make_sb3_sprite_vec_env, make_sprite_vec_env
from sprite_obs.vector.sb3 import VecSpriteObservation
from sprite_obs.vector.wrapper import VectorSpriteObservation
from sprite_obs.wrapper import SpriteObservation

HEADER = (
    "game",
    "environments",
    "steps/s",
    "share of the bare batch",
    "the same by CPU time",
)
BARE = "bare AtariVectorEnv, RGB"


Ways = dict[str, Callable[[], Any]]


def rows(
    game: str, ways: Ways, num_envs: int, steps: int, repeats: int, seed: int
) -> list[list[str]]:
    """Measures ways of playing a game; a step is one of one environment."""
    players = {name: Player(build(), num_envs, seed) for name, build in ways.items()}
    each = max(steps // num_envs, 1)
    for player in players.values():  # compiles what is compiled, and fills what remembers
        player.run(each)
    runs = [{name: player.run(each) for name, player in players.items()} for _ in range(repeats)]
    for player in players.values():
        player.envs.close()
    return [row(game, name, runs) for name in players]


def row(game: str, name: str, runs: list[dict[str, tuple[float, float]]]) -> list[str]:
    """Returns medians over runs; the shares are medians over pairs of runs."""
    wall, cpu = np.array([run[name] for run in runs]).T
    bare_wall, bare_cpu = np.array([run[BARE] for run in runs]).T
    in_processes = "processes" in name
    return [
        game,
        name,
        number(1 / np.median(wall), 0),
        number(np.median(bare_wall / wall), 2),
        "-" if in_processes else number(np.median(bare_cpu / cpu), 2),
    ]


def ways(game: str, model: str, num_envs: int) -> Ways:
    """Returns what builds the environments of each way."""
    env_id = f"ALE/{game}-v5"
    frames: list[Any] = [partial(make_env, env_id)] * num_envs
    sprites: list[Any] = [partial(sprite_env, env_id, model)] * num_envs
    return {
        BARE: partial(bare, env_id, model, num_envs),
        "make_sprite_vec_env": partial(make_sprite_vec_env, env_id, model, num_envs),
        "VectorSpriteObservation over SyncVectorEnv": lambda: VectorSpriteObservation(
            SyncVectorEnv(frames), model
        ),
        "VectorSpriteObservation over AsyncVectorEnv (processes)": lambda: VectorSpriteObservation(
            AsyncVectorEnv(frames), model
        ),
        "SyncVectorEnv of SpriteObservation": lambda: SyncVectorEnv(sprites),
        "AsyncVectorEnv of SpriteObservation (processes)": lambda: AsyncVectorEnv(sprites),
        "make_sb3_sprite_vec_env": partial(make_sb3_sprite_vec_env, env_id, model, num_envs),
        "VecSpriteObservation over DummyVecEnv": lambda: VecSpriteObservation(
            DummyVecEnv(frames), model
        ),
        "VecSpriteObservation over SubprocVecEnv (processes)": lambda: VecSpriteObservation(
            SubprocVecEnv(frames), model
        ),
        "DummyVecEnv of SpriteObservation": lambda: DummyVecEnv(sprites),
        "SubprocVecEnv of SpriteObservation (processes)": lambda: SubprocVecEnv(sprites),
    }


def bare(env_id: str, model: str, num_envs: int) -> VectorEnv:
    """Returns the batch of frames that `make_sprite_vec_env` reads."""
    envs = make_sprite_vec_env(env_id, model, num_envs).env
    assert isinstance(envs, ale_py.AtariVectorEnv)
    return envs


def sprite_env(env_id: str, model: str) -> gymnasium.Env:
    """Returns a single environment; a function of a module, so that processes can build it."""
    return SpriteObservation(make_env(env_id), model)


class Player:
    """Plays environments with random actions, run after run; they reset themselves."""

    def __init__(self, envs: Any, num_envs: int, seed: int):
        self.envs, self._num_envs = envs, num_envs
        self._random = np.random.default_rng(seed)
        if isinstance(envs, VectorEnv):
            self._num_actions = int(envs.single_action_space.n)  # type: ignore[attr-defined]
            envs.reset(seed=seed)
        else:
            self._num_actions = int(envs.action_space.n)
            envs.seed(seed)
            envs.reset()

    def run(self, steps: int) -> tuple[float, float]:
        """Plays so many steps of all; returns seconds per step of one, by wall and by CPU clock."""
        actions = self._random.integers(self._num_actions, size=(steps, self._num_envs))
        wall, cpu = time.perf_counter(), time.process_time()
        for action in actions:
            self.envs.step(action)
        passed = time.perf_counter() - wall, time.process_time() - cpu
        return passed[0] / actions.size, passed[1] / actions.size
