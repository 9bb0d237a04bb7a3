"""The algorithms that train agents here, and the settings of each."""

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import dqn_agent
import dqn_settings
import ppo_settings
from run_settings import RunArgs
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from sprite_obs.config import from_dict

COMMIT = "commit"
"""What the settings of a trained agent of the project say beside those of its run."""


class Algorithm(NamedTuple):
    """Its name, the class of its agents, by hyper-parameters, and its script's settings and flags.

    Where a script has presets, the first is that of a run without the flag.
    """

    name: str
    agent_class: Callable[[Any], type[BaseAlgorithm]]
    settings: type[RunArgs]
    parse_args: Callable[[list[str]], RunArgs]
    presets: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The file that trains such agents."""
        return f"train_{self.name}.py"

    def read_settings(self, config: dict[str, Any]) -> tuple[RunArgs, Any]:
        """Returns the settings of a run or a trained agent, and its hyper-parameters among them."""
        known = {name: value for name, value in config.items() if name != COMMIT}
        args = from_dict(self.settings, known)
        return args, getattr(args, self.name)


ALGORITHMS = {
    "ppo": Algorithm(
        "ppo",
        lambda config: PPO,
        ppo_settings.Args,
        ppo_settings.parse_args,
        get_args(ppo_settings.Preset),
    ),
    "dqn": Algorithm(
        "dqn",
        dqn_agent.agent_class,
        dqn_settings.Args,
        dqn_settings.parse_args,
    ),
}


def algorithm_of(config: dict[str, Any]) -> Algorithm:
    """Returns the algorithm of a run with these settings."""
    return ALGORITHMS["dqn" if "dqn" in config else "ppo"]
