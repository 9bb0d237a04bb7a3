"""What chooses the actions while frames are recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sprite_obs.errors import SpriteObsError
from sprite_obs.frames.trained import Observe, load_agent, seen_by

Policy = Callable[[Any], Any]
"""Takes what the environment shows, a frame (H, W, 3) uint8 or what an agent learned to observe
instead, and returns an action."""

LONGEST_HOLD = 12
PLAIN_SHARE = 0.3
RANDOM_SHARE = 0.1
"""Share of the time in which an agent's place is taken by random actions, if not given."""


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
    policy: str,
    env: gymnasium.Env,
    seed: int,
    random_share: float = RANDOM_SHARE,
    observe: Observe | None = None,
) -> tuple[Policy, gymnasium.Env]:
    """Builds a policy by name, or from the file of a trained agent.

    Args:
        policy: `"random"`, `"sticky"`, or the path of a model that Stable-Baselines3 saved. Such
            a file contains pickled parts, which run code when loaded: only use your own.
        env: an environment that shows frames.
        seed: seed of the actions.
        random_share: share of the time, 0 to 1, in which random actions take an agent's place.
        observe: what makes the environment show what an agent observes, if not frames.

    Returns:
        The policy, and the environment as the policy sees it.

    Raises:
        SpriteObsError: when there is no such policy, or the agent does not fit the environment.
    """
    if policy in POLICIES:
        return POLICIES[policy](env.action_space, seed), env
    if not Path(policy).is_file():
        raise SpriteObsError(
            f"policy: expected {', '.join(map(repr, POLICIES))} or the path of a model saved by "
            f"Stable-Baselines3 (.zip), got {policy!r}, which is neither"
        )
    agent = load_agent(policy)
    seen = seen_by(agent, policy, env, observe)
    agent.set_random_seed(seed)
    return MixedPolicy(agent, env.action_space, seed, random_share), seen


class MixedPolicy:
    """A trained agent that hands over to held random actions now and then.

    The agent reaches what random actions do not, and those lead to what it would avoid. Its own
    actions are sampled, which shows more of the game than the best ones. Turns last 1 to 12 steps.
    """

    def __init__(self, agent: Any, space: spaces.Space, seed: int, random_share: float):
        self.agent = agent
        self.intruder = StickyPolicy(space, seed)
        self.random_share = random_share
        self.random = np.random.default_rng([seed, 2])
        self.steps_left = 0
        self.intrudes = False

    def __call__(self, observation: Any) -> Any:
        """Returns the next action."""
        if self.steps_left == 0:
            self.steps_left = int(self.random.integers(1, LONGEST_HOLD + 1))
            self.intrudes = self.random.random() < self.random_share
        self.steps_left -= 1
        if self.intrudes:
            return self.intruder(observation)
        action, _ = self.agent.predict(observation, deterministic=False)
        return action if action.ndim else action.item()
