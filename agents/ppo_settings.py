"""The settings of a training by PPO: hyper-parameters, presets, and those of all trainings."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro
from run_settings import ANY, CONFIGS, RunArgs, check_ranges, check_run

from sprite_obs.config import load_yaml
from sprite_obs.errors import ConfigError

PPO_CONFIGS = CONFIGS / "ppo"
Preset = Literal["fast", "best"]
RANGES = {
    "learning_rate": (0, ANY),
    "final_rate": (0, ANY),
    "n_steps": (1, ANY),
    "batch_size": (2, ANY),  # advantages are normalised over it
    "n_epochs": (1, ANY),
    "gamma": (0, 1),
    "gae_lambda": (0, 1),
    "clip_range": (0, ANY),
    "max_grad_norm": (0, ANY),
    "hidden_layers": (0, ANY),
    "hidden_size": (1, ANY),
    "num_pairs_slots": (0, ANY),
    "visit_bonus": (0, ANY),
}
"""The least and the most that a hyper-parameter may be."""


@dataclass(frozen=True)
class PPOConfig:
    """Hyper-parameters, named and preset as in Stable-Baselines3."""

    learning_rate: float = 3e-4
    """Adam's step size at the start."""
    final_rate: float = 1.0
    """Share of `learning_rate` at the end; linear in between."""
    n_steps: int = 2048
    """Steps of each environment between two updates."""
    batch_size: int = 64
    """Steps per gradient step."""
    n_epochs: int = 10
    """Passes over the steps of an update."""
    gamma: float = 0.99
    """Discount."""
    gae_lambda: float = 0.95
    """Bias against variance of the advantages."""
    clip_range: float = 0.2
    """How far an update may move the policy's probabilities."""
    ent_coef: float = 0.0
    """Weight of the entropy."""
    vf_coef: float = 0.5
    """Weight of the value's loss."""
    max_grad_norm: float = 0.5
    """Longer gradients are cut to this length."""
    hidden_layers: int = 2
    """Layers of policy and value network each, after the features."""
    hidden_size: int = 64
    """Units of such a layer."""
    activation: Literal["tanh", "relu"] = "tanh"
    """What follows such a layer."""
    features: Literal["pairs", "attention", "deep_set"] = "pairs"
    """Features of the slots: all of them and differences, or a set's; not used with pixels."""
    num_pairs_slots: int = 8
    """Slots between which `pairs` takes differences."""
    visit_bonus: float = 0.0
    """Bonus for a thing that is the first of its type in its part of the screen; the N-th gets this
    divided by N. Not used with pixels."""


@dataclass(frozen=True)
class Args(RunArgs):
    """Trains a PPO agent on objects, sprites or pixels."""

    preset: Preset | None = None
    """Hyper-parameters for sprites if there is no `--config`: `fast`, those without this flag, has
    most after some 100,000 steps, `best` is for runs of a million and more. Pixels have their own.
    They are the files of `configs/ppo`; flags override them."""
    ppo: PPOConfig = field(default_factory=PPOConfig)


def parse_args(argv: list[str]) -> Args:
    """Reads the flags twice: to learn which file to read, then again to override what it says."""
    usual = load_yaml(PPOConfig, PPO_CONFIGS / "fast.yaml")  # what `--help` shows
    args = tyro.cli(Args, args=argv, default=Args(ppo=usual))
    ppo = load_yaml(PPOConfig, config_file(args))
    return tyro.cli(Args, args=argv, default=dataclasses.replace(args, ppo=ppo))


def config_file(args: Args) -> Path:
    """Returns the file of the hyper-parameters.

    Raises:
        ConfigError: when the flags name two, or a preset for pixels.
    """
    if args.preset and args.config:
        raise ConfigError(f"expected --preset or --config, got {args.preset} and {args.config}")
    if args.preset and args.obs == "pixels":
        raise ConfigError(
            f"--preset {args.preset} is for sprites; pixels need none, so leave it out"
        )
    own = "pixels" if args.obs == "pixels" else "fast"
    return Path(args.config or PPO_CONFIGS / f"{args.preset or own}.yaml")


def check_settings(args: Args) -> None:
    """Refuses settings that leave nothing to do or to do it with, or that make no sense.

    Raises:
        ConfigError: when there is such a setting.
    """
    check_run(args)
    check_ranges("ppo.", args.ppo, RANGES)
    if args.ppo.n_steps * args.num_envs < 2:
        raise ConfigError(
            "expected rollouts of at least 2 steps, got --ppo.n-steps 1 of --num-envs 1"
        )
