"""The environments of all sides of the comparison: objects, sprites, pixels or true objects.

Everything here but the observation is alike: the game with its own frame skip and sticky actions (a
step is a decision, four frames in `ALE/*-v5`), rewards clipped to their sign for learning, and
returns counted by a `Monitor` below all that, so that they are the game's own score.
"""

from functools import partial
from typing import Any, Literal, get_args

import ale_py
import gymnasium
import numpy as np
from ram import VecRamObservation
from stable_baselines3.common.atari_wrappers import AtariWrapper, ClipRewardEnv, FireResetEnv
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecEnv,
    VecFrameStack,
    VecTransposeImage,
)

from sprite_obs.envs.last_two_frames import make_last_two_frames
from sprite_obs.envs.make import make_env, make_frame_env, needs_own_process
from sprite_obs.errors import SpriteObsError
from sprite_obs.games import game_name
from sprite_obs.vector.sb3 import VecSpriteObservation
from sprite_obs.wrapper_checks import Level
from sprite_obs.zoo.find import zoo_names

Obs = Literal["objects", "sprites", "pixels", "ram"]

ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # no banner for each environment


def build_vec_env(
    env_id: str,
    obs: Obs,
    model: str | None,
    max_sprites: int,
    num_envs: int,
    seed: int,
    rendered: bool = False,
    display: bool = False,
    sticky_actions: float | None = None,
    join_frames: bool = False,
) -> VecEnv:
    """Builds environments that step one after the other in this process, where it can hold several.

    With a process for each environment, a step took twice the CPU time, most of it for messages.
    Sprites are found on the CPU, as in films, so that both show the same.

    Args:
        env_id: the game.
        obs: what the agent sees: a slot for each object, a slot for each sprite, pixels, or a slot
            for each object that the console's memory holds.
        model: folder of the checkpoint that finds the sprites; not used with pixels and ram.
        max_sprites: slots of the observation; not used with pixels.
        num_envs: how many.
        seed: environment i is seeded with `seed + i`.
        rendered: whether `render()` gives a picture, with the sprites drawn into it.
        display: whether score, lives and logos have slots; not used with pixels.
        sticky_actions: probability that a game of Atari repeats the last action instead of taking
            the next; its own if not given.
        join_frames: whether the last two frames of a step are seen instead of the last one: their
            sprites, or their brighter pixels. Not used with ram, which holds all.

    Raises:
        SpriteObsError: when there is no such observation, when the environment does not exist or
            does not fit the model, or when sticky actions cannot be set or frames not be joined.
    """
    if obs not in get_args(Obs):
        raise SpriteObsError(f"expected an observation of {get_args(Obs)}, got {obs!r}")
    settings = game_settings(env_id, rendered, sticky_actions)
    vec_env: VecEnv
    if obs == "pixels":
        vec_env = DummyVecEnv([partial(_pixel_env, env_id, settings, join_frames)] * num_envs)
        vec_env = VecTransposeImage(VecFrameStack(vec_env, n_stack=4))
    elif obs == "ram":
        vec_env = DummyVecEnv([partial(_memory_env, env_id, settings)] * num_envs)
        vec_env = VecRamObservation(vec_env, game_name(env_id), max_sprites, display)
    else:
        frames = _frame_envs(env_id, settings, num_envs, join_frames)
        level: Level = "object" if obs == "objects" else "sprite"
        vec_env = _sprite_envs(frames, model, max_sprites, level, display, rendered)
    vec_env.seed(seed)
    return vec_env


def game_settings(env_id: str, rendered: bool, sticky_actions: float | None) -> dict[str, Any]:
    """Returns what `gymnasium.make` is told beside the id of a game.

    Raises:
        SpriteObsError: when sticky actions are no probability, or the game is none of ALE/*.
    """
    settings: dict[str, Any] = {"render_mode": "rgb_array"} if rendered else {}
    if sticky_actions is None:
        return settings
    if not env_id.startswith("ALE/"):
        raise SpriteObsError(
            f"sticky actions can be set for games ALE/*-v5 only, got {env_id}; leave "
            "--sticky-actions out"
        )
    if not 0 <= sticky_actions <= 1:
        raise SpriteObsError(f"expected --sticky-actions between 0 and 1, got {sticky_actions}")
    return settings | {"repeat_action_probability": sticky_actions}


def _frame_envs(env_id: str, settings: dict[str, Any], num_envs: int, join_frames: bool) -> VecEnv:
    vec_env = SubprocVecEnv if needs_own_process(env_id) else DummyVecEnv
    return vec_env([partial(_frame_env, env_id, settings, join_frames)] * num_envs)


def _sprite_envs(
    envs: VecEnv, model: str | None, max_sprites: int, level: Level, display: bool, rendered: bool
) -> VecEnv:
    """Returns environments whose frames are read in one pass per step."""
    if model is None:
        names = ", ".join(zoo_names())
        raise SpriteObsError(
            f"expected --model with the folder of a checkpoint or a name of the zoo ({names}), got "
            "none; make one with `sprite-obs pretrain`"
        )
    try:
        return VecSpriteObservation(
            envs,
            model,
            max_sprites,
            render_sprites=rendered,
            level=level,
            display=display,
            device="cpu",
        )
    except (TypeError, ValueError) as error:
        raise SpriteObsError(str(error)) from error


def _frame_env(env_id: str, settings: dict[str, Any], join_frames: bool) -> gymnasium.Env:
    build = make_last_two_frames if join_frames else make_frame_env
    return _with_returns(build(env_id, **settings))


def _memory_env(env_id: str, settings: dict[str, Any]) -> gymnasium.Env:
    if not env_id.startswith("ALE/"):
        raise SpriteObsError(f"memory is read of games ALE/*-v5 only, got {env_id}; use sprites")
    return _with_returns(make_env(env_id, obs_type="ram", **settings))


def _with_returns(game: gymnasium.Env) -> gymnasium.Env:
    """Returns a game whose own score is counted, while rewards are clipped to their sign."""
    env: gymnasium.Env = Monitor(game)
    if "FIRE" in getattr(env.unwrapped, "get_action_meanings", list)():
        env = FireResetEnv(env)  # as in SB3's pixel pipeline
    return ClipRewardEnv(env)


class BrighterOfTwo(gymnasium.ObservationWrapper):
    """Shows the brighter pixels of the last two frames of a step, as Atari agents usually see."""

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Returns the brighter pixels of a frame and the one before."""
        earlier = self.env.get_wrapper_attr("earlier_frame")
        return observation if earlier is None else np.maximum(observation, earlier)


def _pixel_env(env_id: str, settings: dict[str, Any], join_frames: bool) -> gymnasium.Env:
    build = make_last_two_frames if join_frames else make_env
    env: gymnasium.Env = Monitor(build(env_id, **settings))
    env = BrighterOfTwo(env) if join_frames else env
    if not hasattr(env.unwrapped, "ale"):
        raise SpriteObsError(f"pixels are prepared for Atari games only, got {env_id}; use sprites")
    # Frames are skipped below, so the wrapper must not: steps are counted alike on both sides.
    # Lost lives end no episode, as for sprites and as Machado et al. (2018) recommend.
    return AtariWrapper(env, noop_max=0, frame_skip=1, terminal_on_life_loss=False)
