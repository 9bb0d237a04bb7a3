"""Small environments for what Atari games do not do; registered as `Fake...-v0` on import."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pong_model
from gymnasium import spaces

SIZE = (8, 6, 3)
LARGE_SIZE = (40, 36, 3)  # the least that the CNN of Stable-Baselines3 takes is 36
EPISODE_STEPS = 5


class FakeFrameEnv(gymnasium.Env):
    """Shows its count of steps as red and a random number of the episode as green.

    It observes the frame, or the count only, and renders. Every step overwrites the same array.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012

    def __init__(
        self,
        observes: bool = False,
        render_mode: str | None = None,
        render_error: bool = False,
        grows: bool = False,
        size: tuple[int, int, int] = SIZE,
        action_space: spaces.Space | None = None,
    ):
        counts = spaces.Box(0, 255, (1,), np.float32)
        self.observation_space = spaces.Box(0, 255, size, np.uint8) if observes else counts
        self.action_space = action_space or spaces.Discrete(3)
        self.render_mode = render_mode
        self.observes, self.render_error, self.grows = observes, render_error, grows
        self.frame = np.zeros(size, np.uint8)
        self.num_steps = 0
        self.num_resets = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.num_steps = 0
        self.num_resets += 1
        self.frame[..., 1] = self.np_random.integers(256)
        return self._observation(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.num_steps += 1
        return self._observation(), 1.5, self.num_steps == EPISODE_STEPS, False, {}

    def render(self) -> np.ndarray:
        if self.render_error:
            raise gymnasium.error.DependencyNotInstalled("drawing needs `pip install drawing`")
        rows = self.num_resets if self.grows else 1
        return np.repeat(self.frame, rows, axis=0)

    def _observation(self) -> np.ndarray:
        self.frame[..., 0] = self.num_steps
        return self.frame if self.observes else np.array([self.num_steps], np.float32)


class FlickeringEnv(FakeFrameEnv):
    """Shows Pong's left paddle in all frames and the right one in some; both move down."""

    metadata = {"render_modes": []}  # noqa: RUF012
    episode_steps = 40

    def __init__(self, shown: Sequence[bool] = (False, True)):
        """`shown` says of frames, in turn, whether they show the right paddle."""
        super().__init__(observes=True, size=pong_model.BACKGROUND.shape)
        self.shown = shown

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        observation, *_ = super().step(action)
        return observation, 1.5, self.num_steps == self.episode_steps, False, {"action": action}

    def _observation(self) -> np.ndarray:
        self.frame[:] = pong_model.BACKGROUND
        top = 50 + self.num_steps
        self.frame[top : top + 16, 16:20] = pong_model.ORANGE
        if self.shown[self.num_steps % len(self.shown)]:
            self.frame[top : top + 16, 140:144] = pong_model.GREEN
        return self.frame


class BrightnessEnv(FakeFrameEnv):
    """Renders its frame as floats from 0 to 1, as MinAtar does."""

    def render(self) -> np.ndarray:
        return super().render() / 255


class BlindEnv(FakeFrameEnv):
    metadata = {"render_modes": []}  # noqa: RUF012


def _register(env_id: str, env: type[gymnasium.Env] = FakeFrameEnv, **kwargs: Any) -> None:
    # Gymnasium's checker warns of the reused array, which is there on purpose.
    gymnasium.register(env_id, env, disable_env_checker=True, kwargs=kwargs)


_register("FakeObserves-v0", observes=True)
_register("FakeRenders-v0")
_register("FakeBrightness-v0", BrightnessEnv)
_register("FakeBlind-v0", BlindEnv)
_register("FakeRenderError-v0", render_error=True)
_register("FakeGrows-v0", grows=True)
_register("FakeFlickers-v0", FlickeringEnv)
_register("FakeDictActions-v0", action_space=spaces.Dict({"left": spaces.Discrete(2)}))
_register("FakeBoxActions-v0", action_space=spaces.Box(-1, 1, (2,), np.float32))
_register("FakeLarge-v0", observes=True, size=LARGE_SIZE)
_register("FakeLargeTwoActions-v0", observes=True, size=LARGE_SIZE, action_space=spaces.Discrete(2))
