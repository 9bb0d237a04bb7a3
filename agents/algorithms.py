"""The algorithms that train agents here, and the settings of each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import dqn_settings
import ppo_settings
from run_settings import RunArgs
from stable_baselines3 import DQN, PPO

from sprite_obs.config import from_dict


class Algorithm(NamedTuple):
    """A class of Stable-Baselines3, its script, and the types and flags of the script's settings.

    Hyper-parameters are those of the first preset if no flag names another.
    """

    agent: type[PPO] | type[DQN]
    name: str
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
        PPO,
        "ppo",
        ppo_settings.Args,
        ppo_settings.PPOConfig,
        ppo_settings.parse_args,
        ("fast", "best"),
    ),
    "dqn": Algorithm(
        DQN, "dqn", dqn_settings.Args, dqn_settings.DQNConfig, dqn_settings.parse_args
    ),
}


def algorithm_of(config: dict[str, Any]) -> Algorithm:
    """Returns the algorithm of a run with these settings."""
    return ALGORITHMS["dqn" if "dqn" in config else "ppo"]
