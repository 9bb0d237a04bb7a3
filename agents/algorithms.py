"""The algorithms that train agents here, and the settings of each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import dqn_agent
import dqn_settings
import ppo_settings
from run_settings import RunArgs
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from sprite_obs.config import from_dict


class Algorithm(NamedTuple):
    """Its name, the types and flags of its script's settings, and the class of its agents.

    The class depends on hyper-parameters. These are those of the first preset if no flag names
    another.
    """

    name: str
    agent_class: Callable[[Any], type[BaseAlgorithm]]
    settings: type[RunArgs]
    hyper_parameters: type[Any]
    parse_args: Callable[[list[str]], RunArgs]
    presets: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The file that trains such agents."""
        return f"train_{self.name}.py"

    def read_settings(self, config: dict[str, Any]) -> tuple[RunArgs, Any]:
        """Returns the settings of a run, and its hyper-parameters among them."""
        args = from_dict(self.settings, config)
        return args, getattr(args, self.name)


ALGORITHMS = {
    "ppo": Algorithm(
        "ppo",
        lambda config: PPO,
        ppo_settings.Args,
        ppo_settings.PPOConfig,
        ppo_settings.parse_args,
        ("fast", "best"),
    ),
    "dqn": Algorithm(
        "dqn",
        dqn_agent.agent_class,
        dqn_settings.Args,
        dqn_settings.DQNConfig,
        dqn_settings.parse_args,
    ),
}


def algorithm_of(config: dict[str, Any]) -> Algorithm:
    """Returns the algorithm of a run with these settings."""
    return ALGORITHMS["dqn" if "dqn" in config else "ppo"]
