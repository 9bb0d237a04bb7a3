"""The settings of a training by DQN: hyper-parameters, and those of all trainings."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro
from run_settings import ANY, CONFIGS, RunArgs, check_ranges, check_run

from sprite_obs.config import load_yaml
from sprite_obs.errors import ConfigError

DQN_CONFIGS = CONFIGS / "dqn"
RANGES = {
    "learning_rate": (0, ANY),
    "final_rate": (0, ANY),
    "buffer_size": (1, ANY),
    "learning_starts": (0, ANY),
    "batch_size": (1, ANY),
    "n_steps": (1, ANY),
    "train_freq": (1, ANY),
    "gradient_steps": (1, ANY),
    "target_update_interval": (1, ANY),
    "exploration_steps": (0, ANY),
    "exploration_final_eps": (0, 1),
    "gamma": (0, 1),
    "hidden_layers": (0, ANY),
    "hidden_size": (1, ANY),
    "num_quantiles": (0, ANY),
    "visit_bonus": (0, ANY),
}
"""The least and the most that a hyper-parameter may be."""


@dataclass(frozen=True)
class DQNConfig:
    """Hyper-parameters; those that Stable-Baselines3 has too are preset as there."""

    learning_rate: float = 1e-4
    """Adam's step size at the start."""
    final_rate: float = 1.0
    """Share of `learning_rate` at the end; linear in between."""
    buffer_size: int = 1_000_000
    """Steps that the replay memory holds; 100,000 of 32 slots take a quarter of a gigabyte."""
    learning_starts: int = 100
    """Steps of random actions before the first update."""
    batch_size: int = 32
    """Steps per gradient step."""
    n_steps: int = 1
    """Rewards that are added up before a value is looked up."""
    train_freq: int = 4
    """Steps of each environment between updates."""
    gradient_steps: int = 1
    """Gradient steps of an update."""
    target_update_interval: int = 10_000
    """Environment steps between two copies of the network to the target network."""
    exploration_steps: int = 100_000
    """Steps, of a shorter run all, in which the share of random actions falls from 1 to
    `exploration_final_eps`."""
    exploration_final_eps: float = 0.05
    """Share of random actions from then on."""
    gamma: float = 0.99
    """Discount."""
    hidden_layers: int = 2
    """Layers of the network."""
    hidden_size: int = 64
    """Units of such a layer."""
    layer_norm: bool = False
    """Whether what follows such a layer is normalised first."""
    num_quantiles: int = 0
    """Quantiles of the return that are learned for each action, by sb3-contrib's QR-DQN; 0 for its
    mean alone, by DQN."""
    visit_bonus: float = 0.0
    """Bonus for a thing that is the first of its type in its part of the screen; the N-th gets this
    divided by N."""


@dataclass(frozen=True)
class Args(RunArgs):
    """Trains an agent on objects or sprites by QR-DQN, or by DQN."""

    obs: Literal["objects", "sprites"] = "objects"
    """What has a slot: each object, or each of the sprites that objects are drawn from."""
    dqn: DQNConfig = field(default_factory=DQNConfig)


def parse_args(argv: list[str]) -> Args:
    """Reads the flags twice: to learn which file to read, then again to override what it says."""
    usual = DQN_CONFIGS / "fast.yaml"  # what `--help` shows
    args = tyro.cli(Args, args=argv, default=Args(dqn=load_yaml(DQNConfig, usual)))
    dqn = load_yaml(DQNConfig, Path(args.config or usual))
    return tyro.cli(Args, args=argv, default=dataclasses.replace(args, dqn=dqn))


def check_settings(args: Args) -> None:
    """Refuses settings that leave nothing to do or to do it with, or that make no sense.

    Raises:
        ConfigError: when there is such a setting.
    """
    check_run(args)
    check_ranges("dqn.", args.dqn, RANGES)
    if args.dqn.buffer_size < args.num_envs:
        raise ConfigError(
            f"expected --dqn.buffer-size of at least --num-envs, {args.num_envs}, got "
            f"{args.dqn.buffer_size}"
        )
