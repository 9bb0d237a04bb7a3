"""Plays an environment and keeps its frames as a recording."""

from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from tqdm import tqdm

from sprite_obs.envs.make import make_env, rgb_frame
from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.frames.policies import POLICIES, RANDOM_SHARE, Policy, make_policy
from sprite_obs.frames.store import Episode, RecordingInfo, RecordingWriter
from sprite_obs.frames.trained import Observe

RECORDED_VERSIONS = ("sprite_obs", "gymnasium", "ale_py", "numpy")


class RecordingSummary(NamedTuple):
    """What a finished recording holds; `num_bytes` is the size of its files."""

    num_frames: int
    num_episodes: int
    num_bytes: int


class FrameObservation(gymnasium.ObservationWrapper[np.ndarray, Any, Any]):
    """Shows the environment's frame, whatever its own observation is, and keeps the last one.

    Wrappers around this one may show an agent something else; `frame` stays what is recorded.
    """

    def __init__(self, env: gymnasium.Env, frame_shape: tuple[int, int, int]):
        super().__init__(env)
        self.observation_space = gymnasium.spaces.Box(0, 255, frame_shape, np.uint8)
        self.frame = np.zeros(frame_shape, np.uint8)

    def observation(self, observation: Any) -> np.ndarray:
        """Returns the frame, `(H, W, 3)` uint8, an array of its own."""
        self.frame = rgb_frame(self.env, observation).copy()
        return self.frame


class Game(NamedTuple):
    """What is played: the screen that is recorded, the same as the player sees it, the player."""

    screen: FrameObservation
    seen: gymnasium.Env
    act: Policy


def record(
    env_id: str,
    num_frames: int,
    out: str | Path,
    seed: int = 0,
    policy: str = "sticky",
    random_share: float = RANDOM_SHARE,
    observe: Observe | None = None,
) -> RecordingSummary:
    """Plays episodes until `num_frames` frames are stored, with a progress bar on stderr.

    The same arguments and library versions give the same files. An episode is held in memory until
    it ends and then stored; the last one is cut where the requested number of frames is reached.

    Args:
        env_id: id of the environment, played with its registered settings.
        num_frames: frames to store, the first frame of each episode included.
        out: folder of the recording; must not hold one already.
        seed: seed of the environment and of the policy, 0 to 2**32 - 1.
        policy: `"sticky"`, `"random"`, or the path of a model that Stable-Baselines3 saved. Such a
            file contains pickled parts, which run code when loaded: only use your own.
        random_share: share of the time, 0 to 1, in which held random actions take an agent's place.
        observe: wraps an environment so that it shows sprites, for an agent trained on them; what
            is recorded are frames in any case.

    Raises:
        SpriteObsError: when an argument is wrong or the files cannot be written.
        KeyboardInterrupt: on Ctrl-C. The whole episodes played so far stay in `out`, a readable
            recording unless there is none yet; the exception's text says what was kept.
    """
    _check_numbers(num_frames, seed, random_share)
    with make_env(env_id) as env:
        frame_shape = _frame_shape(env, seed)
        screen = FrameObservation(env, frame_shape)
        act, seen = make_policy(policy, screen, seed, random_share, observe)
        chosen_by = policy if policy in POLICIES else f"{policy}, random_share {random_share:g}"
        writer = RecordingWriter(out, _info(env, env_id, chosen_by, seed, frame_shape))
        try:
            _play(Game(screen, seen, act), writer, num_frames, seed)
        except KeyboardInterrupt:
            kept = f"{writer.info.num_frames} frames in {len(writer.info.episodes)} whole episodes"
            raise KeyboardInterrupt(f"interrupted; {out} keeps {kept}") from None
    return RecordingSummary(writer.info.num_frames, len(writer.info.episodes), writer.num_bytes)


def _check_numbers(num_frames: int, seed: int, random_share: float) -> None:
    if num_frames < 1:
        raise ConfigError(f"num_frames: expected at least 1, got {num_frames}")
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed: expected 0 to 2**32 - 1, got {seed}")
    if not 0 <= random_share <= 1:
        raise ConfigError(f"random_share: expected 0 to 1, got {random_share}")


def _frame_shape(env: gymnasium.Env, seed: int) -> tuple[int, int, int]:
    if env.action_space.shape is None:
        raise SpriteObsError(
            f"{type(env.unwrapped).__name__}: expected actions that are single arrays, got "
            f"{env.action_space}; choose an environment whose action space is Discrete or Box"
        )
    observation, _ = env.reset(seed=seed)
    height, width, channels = rgb_frame(env, observation).shape
    return height, width, channels


def _info(
    env: gymnasium.Env, env_id: str, policy: str, seed: int, frame_shape: tuple[int, int, int]
) -> RecordingInfo:
    assert env.spec is not None  # gymnasium.make sets it
    versions = {name: _version(name) for name in RECORDED_VERSIONS}
    return RecordingInfo(env_id, dict(env.spec.kwargs), policy, seed, versions, frame_shape)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # run from a checkout
        return None


def _play(game: Game, writer: RecordingWriter, num_frames: int, seed: int) -> None:
    with tqdm(total=num_frames, desc=writer.info.env_id, unit="frame") as bar:
        while (num_left := num_frames - writer.info.num_frames) > 0:
            # Later episodes go on with the random numbers; seeded again, all would start alike.
            first = not writer.info.episodes
            writer.add(_play_episode(game, seed if first else None, num_left, bar))


def _play_episode(game: Game, seed: int | None, max_frames: int, bar: tqdm) -> Episode:
    observation, _ = game.seen.reset(seed=seed)
    frames, actions, rewards = [game.screen.frame], [], []
    terminated = truncated = False
    bar.update()
    while not (terminated or truncated) and len(frames) < max_frames:
        actions.append(game.act(observation))
        observation, reward, terminated, truncated, _ = game.seen.step(actions[-1])
        frames.append(game.screen.frame)
        rewards.append(reward)
        bar.update()
    space = game.seen.action_space
    return Episode(
        frames=np.stack(frames),  # (T, H, W, 3)
        actions=np.array(actions, space.dtype).reshape(len(actions), *(space.shape or ())),
        rewards=np.array(rewards, np.float32),
        terminated=bool(terminated),
        truncated=bool(truncated) or not terminated,
    )
