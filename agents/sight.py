"""How agents take what their environments show: as slots, as one vector of them, or as pixels."""

from collections.abc import Callable
from typing import Any, cast

from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from sprite_obs.flat import FlatView, num_slots_of

Take = Callable[[Any], Any]
"""Turns what an environment shows into what an agent was trained on."""


def slots_seen(space: spaces.Space[Any]) -> int:
    """Returns how many slots an agent of this observation space sees, 0 if it sees pixels."""
    if isinstance(space, spaces.Dict) and "presence" in space.spaces:
        return len(cast(spaces.Box, space["presence"]).high)
    return num_slots_of(space) or 0


def taken_by(agent: BaseAlgorithm, env: VecEnv) -> Take:
    """Returns how an agent takes what an environment of `build_vec_env` shows.

    Environments show slots also to an agent of ``flatten=True``, so that it can be filmed; it gets
    their features in one vector, the one that its own environment gave.
    """
    flat = _view(agent.observation_space, env.observation_space)
    if flat is None:
        return lambda observation: observation
    keys = ("type", "presence", "position", "velocity")
    return lambda slots: flat.flatten(*(slots[key] for key in keys))


def fits(agent: BaseAlgorithm, env: VecEnv) -> bool:
    """Returns whether an agent can take what an environment shows, and act there."""
    flat = _view(agent.observation_space, env.observation_space)
    space = flat.space if flat else env.observation_space
    return space == agent.observation_space and env.action_space == agent.action_space


def _view(taken: spaces.Space[Any], shown: spaces.Space[Any]) -> FlatView | None:
    if not isinstance(taken, spaces.Box) or not isinstance(shown, spaces.Dict):
        return None
    return flat_view(shown)


def flat_view(shown: spaces.Space[Any]) -> FlatView:
    """Returns what lists the features of slots, of whose space one is given."""
    shown = cast(spaces.Dict, shown)
    highest = cast(spaces.Box, shown["position"]).high  # (M, 2)
    slot_type = cast(spaces.Box, shown["type"]).high  # (M,)
    return FlatView((int(highest[0, 0]), int(highest[0, 1])), slot_type)
