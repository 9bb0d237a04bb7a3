"""What chooses the actions while frames are recorded."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from sprite_obs.errors import SpriteObsError

Policy = Callable[[np.ndarray], Any]
"""Takes the current frame, (H, W, 3) uint8, and returns an action."""

LONGEST_HOLD = 12
PLAIN_SHARE = 0.3


class RandomPolicy:
    """Draws every action uniformly."""

    def __init__(self, space: spaces.Space, seed: int):
        space.seed(seed)
        self.space = space

    def __call__(self, frame: np.ndarray) -> Any:
        """Returns the next action, whatever the frame shows."""
        return self.space.sample()


class StickyPolicy:
    """Holds a random action for 1 to 12 steps, or acts plainly at random for as long.

    Held actions carry a player across the screen, where single random steps cancel out; plain
    stretches, 3 of 10, keep short reactions in the recording.
    """

    def __init__(self, space: spaces.Space, seed: int):
        space.seed(seed)
        self.space = space
        # A stream of its own: the space's and the environment's generators start from `seed`.
        self.random = np.random.default_rng([seed, 1])
        self.steps_left = 0
        self.plain = False
        self.action: Any = None

    def __call__(self, frame: np.ndarray) -> Any:
        """Returns the next action, whatever the frame shows."""
        if self.steps_left == 0:
            self.steps_left = int(self.random.integers(1, LONGEST_HOLD + 1))
            self.plain = self.random.random() < PLAIN_SHARE
            self.action = self.space.sample()
        elif self.plain:
            self.action = self.space.sample()
        self.steps_left -= 1
        return self.action


POLICIES: dict[str, Callable[[spaces.Space, int], Policy]] = {
    "random": RandomPolicy,
    "sticky": StickyPolicy,
}


def make_policy(
    policy: str, space: spaces.Space, frame_shape: tuple[int, ...], seed: int
) -> Policy:
    """Builds a policy by name, or from the file of a trained agent.

    Args:
        policy: `"random"`, `"sticky"`, or the path of a model that Stable-Baselines3 saved. Such
            a file contains pickled parts, which run code when loaded: only use your own.
        space: the environment's action space.
        frame_shape: (H, W, 3) of the frames on which the policy acts.
        seed: seed of the actions.

    Raises:
        SpriteObsError: when there is no such policy, or the agent does not fit the environment.
    """
    if policy in POLICIES:
        return POLICIES[policy](space, seed)
    if not Path(policy).is_file():
        raise SpriteObsError(
            f"policy: expected {', '.join(map(repr, POLICIES))} or the path of a model saved by "
            f"Stable-Baselines3 (.zip), got {policy!r}, which is neither"
        )
    return _AgentPolicy(policy, space, frame_shape, seed)


class _AgentPolicy:
    """A trained agent; samples its actions, which shows more of the game than the best ones."""

    def __init__(self, path: str, space: spaces.Space, frame_shape: tuple[int, ...], seed: int):
        self.agent = _load_agent(path)
        _check_fit(self.agent, path, space, frame_shape)
        self.agent.set_random_seed(seed)

    def __call__(self, frame: np.ndarray) -> Any:
        action, _ = self.agent.predict(frame, deterministic=False)
        return action if action.ndim else action.item()


def _load_agent(path: str) -> Any:
    # Imported here because it takes seconds and only trained agents need it.
    from stable_baselines3 import A2C, DQN, PPO

    try:
        with zipfile.ZipFile(path) as archive:
            settings = json.loads(archive.read("data"))
        # The file does not name its algorithm; these settings belong to one algorithm each.
        algorithm: Any = A2C
        if "exploration_fraction" in settings:
            algorithm = DQN
        elif "n_epochs" in settings:
            algorithm = PPO
        # Loading makes DQN's replay buffer anew, which for frames can exceed the memory.
        return algorithm.load(path, device="cpu", custom_objects={"buffer_size": 1})
    except Exception as error:  # unpickling a file of another kind or version can raise anything
        raise SpriteObsError(
            f"policy: expected a PPO, A2C or DQN model saved by Stable-Baselines3, but {path} does "
            f"not load as one: {type(error).__name__}: {error}"
        ) from error


def _check_fit(agent: Any, path: str, space: spaces.Space, frame_shape: tuple[int, ...]) -> None:
    height, width, channels = frame_shape
    seen = agent.observation_space
    # Stable-Baselines3 puts channels first when it trains on images.
    if seen.dtype != np.uint8 or seen.shape not in (frame_shape, (channels, height, width)):
        raise SpriteObsError(
            f"policy: the agent {path} observes a {type(seen).__name__} of shape {seen.shape}, but "
            f"the environment's frames are uint8 {frame_shape}; use an agent trained on these "
            "frames, without wrappers that change them"
        )
    if agent.action_space != space:
        raise SpriteObsError(
            f"policy: the agent {path} acts in {agent.action_space}, but the environment expects "
            f"{space}; use an agent trained on this environment"
        )
