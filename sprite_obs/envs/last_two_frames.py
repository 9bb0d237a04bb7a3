"""Plays several frames per step and keeps the last but one: what flickers is in one of the two."""

from typing import Any, SupportsFloat

import gymnasium
import numpy as np

from sprite_obs.envs.make import make_env, rgb_frame
from sprite_obs.errors import SpriteObsError


class LastTwoFrames(gymnasium.Wrapper, gymnasium.utils.RecordConstructorArgs):
    """Repeats an action for several frames, as `frameskip` does, and keeps the last but one.

    Consoles draw more things than they can show at once by drawing each in every other frame. A
    game that skips frames by itself shows the last one only, in which such things are missing;
    `SpriteObservation` over this wrapper finds the sprites of both.

    Rewards are summed, and a step ends early where the episode does. Atari games play the same
    frames as with their own `frameskip`: sticky actions are drawn for every frame there, too.

    Attributes:
        earlier_frame: `(H, W, 3)` uint8, the frame before the one that the last step returned; None
            after a reset, and where the episode ended before the last frame.
        final_earlier_frame: what it was when the environment was reset, for vector environments,
            which reset it by themselves.

    Example:
        >>> import ale_py, gymnasium
        >>> from sprite_obs.envs.last_two_frames import LastTwoFrames
        >>> env = LastTwoFrames(gymnasium.make("ALE/MsPacman-v5", frameskip=1), frames_per_step=4)
    """

    earlier_frame: np.ndarray | None
    final_earlier_frame: np.ndarray | None

    def __init__(self, env: gymnasium.Env, frames_per_step: int = 4):
        """Checks that the environment leaves the skipping of frames to this wrapper.

        Args:
            env: an environment that plays one frame per step.
            frames_per_step: frames played with one action.

        Raises:
            ValueError: when the environment skips frames itself, or `frames_per_step` is below 2.
        """
        if frames_per_step < 2:
            raise ValueError(
                f"LastTwoFrames expects frames_per_step of at least 2, got {frames_per_step}"
            )
        skips = _frameskip(env) or 1
        if skips != 1:
            raise ValueError(
                "LastTwoFrames expects an environment that plays one frame per step, got "
                f"{env.spec.id if env.spec else env} with frameskip={skips}; make it with "
                "frameskip=1"
            )
        gymnasium.utils.RecordConstructorArgs.__init__(self, frames_per_step=frames_per_step)
        gymnasium.Wrapper.__init__(self, env)
        self._frames_per_step = frames_per_step
        self.earlier_frame = self.final_earlier_frame = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environment; its first frame has none before it."""
        self.final_earlier_frame, self.earlier_frame = self.earlier_frame, None
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Plays the frames of a step; the observation and the info are those of the last one."""
        self.earlier_frame = None
        total = 0.0
        for num_left in reversed(range(self._frames_per_step)):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
            if num_left == 1:
                self.earlier_frame = rgb_frame(self.env, observation).copy()
        return observation, total, terminated, truncated, info


def make_last_two_frames(env_id: str, **kwargs: Any) -> LastTwoFrames:
    """Builds an environment as `make_env` does, with its skipping of frames left to the wrapper.

    Args:
        env_id: id of the environment.
        kwargs: settings that differ from its registered ones; `frameskip` is the frames per step.

    Raises:
        SpriteObsError: when the environment cannot be built or skips no fixed number of frames.
    """
    with make_env(env_id, **kwargs) as skipping:
        spec = skipping.spec
    assert spec is not None  # gymnasium.make sets it
    frames, limit = frames_per_step(skipping), spec.max_episode_steps
    if frames is None:
        raise SpriteObsError(
            "expected an environment that skips a fixed number of frames, so that the last two of "
            f"a step can be joined, got {env_id} with frameskip={_frameskip(skipping)}; choose one "
            "such as 'ALE/Pong-v5', or play it as it is"
        )
    # The limit of steps becomes one of frames: that is what the environment counts from now on.
    limits = {"max_episode_steps": limit * frames} if limit else {}
    return LastTwoFrames(make_env(env_id, **{**kwargs, **limits, "frameskip": 1}), frames)


def frames_per_step(env: gymnasium.Env) -> int | None:
    """Returns how many frames a step has, None if that is one or differs from step to step."""
    frames = _frameskip(env)
    return frames if isinstance(frames, int) and frames > 1 else None


def _frameskip(env: gymnasium.Env) -> Any:
    """Returns the frames of a step: what the environment says, or what it was made with."""
    made_with = env.spec.kwargs if env.spec else {}
    return getattr(env.unwrapped, "frameskip", made_with.get("frameskip"))
