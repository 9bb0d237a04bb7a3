"""The settings of a training run: hyper-parameters, their files, and what is trained on what."""

import dataclasses
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro
from environments import Obs

from sprite_obs.config import load_yaml
from sprite_obs.errors import ConfigError
from sprite_obs.games import game_name

CONFIGS = Path(__file__).parent.parent / "configs" / "ppo"


ANY = math.inf
RANGES = {
    "total_timesteps": (1, ANY),
    "num_envs": (1, ANY),
    "num_threads": (1, ANY),
    "max_sprites": (1, ANY),
    "seed": (0, 2**32 - 1),
    "eval_every": (0, ANY),
    "eval_episodes": (1, ANY),
    "checkpoint_every": (0, ANY),
}
"""The least and the most that a setting of a run may be."""
PPO_RANGES = {
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
"""The same of hyper-parameters."""


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
class RunArgs:
    """What all trainings have: what is played, what is seen, how long, and what is written."""

    env: str = "ALE/Pong-v5"
    """Id of the environment."""
    obs: Obs = "objects"
    """What the agent sees: a slot for each object, or for each of the sprites that objects are
    drawn from; pixels is SB3's Atari pipeline, and ram are the objects in the console's memory,
    which the others are not told; these two need no model."""
    model: str | None = None
    """Folder of the checkpoint that finds the sprites, or a name of the zoo."""
    display: bool = False
    """Whether score, lives and logos have slots, too."""
    sticky_actions: float | None = None
    """Probability that a game of Atari repeats the last action; its own, .25, if not given."""
    join_frames: bool | None = None
    """Whether the agent sees the last two frames of a step, not the last one only, which lacks what
    is drawn in every other frame, such as the bombs of SpaceInvaders. If not given: of pixels yes,
    as in SB3's pipeline, of sprites where the game is seen to do so. Not used with ram."""
    max_sprites: int = 32
    """Slots of the observation."""
    total_timesteps: int = 1_000_000
    """Environment steps of all environments together."""
    num_envs: int = 8
    """Environments that are stepped together."""
    seed: int = 0
    """Seed of environments, initial weights and exploration."""
    out: str | None = None
    """Folder of the run; `runs/GAME-OBS-SEED-TIME` if not given."""
    config: str | None = None
    """YAML file of hyper-parameters; flags override it."""
    eval_every: int = 100_000
    """Environment steps between two evaluations, 0 for none."""
    eval_episodes: int = 5
    """Episodes of an evaluation, played with the most probable actions."""
    checkpoint_every: int = 100_000
    """Environment steps between two checkpoints of the agent, 0 for none."""
    resume: str | None = None
    """Folder of an interrupted run that goes on with its own settings; other flags are ignored."""
    device: str = "cpu"
    """Where the policy is trained: cpu, fastest for sprites, or cuda or auto, for pixels."""
    num_threads: int = 1
    """CPU threads of PyTorch."""


@dataclass(frozen=True)
class Args(RunArgs):
    """Trains a PPO agent on objects, sprites or pixels."""

    preset: Literal["fast", "best"] | None = None
    """Hyper-parameters for sprites if there is no `--config`: `fast`, those without this flag, has
    most after some 100,000 steps, `best` is for runs of a million and more. Pixels have their own.
    They are the files of `configs/ppo`; flags override them."""
    ppo: PPOConfig = field(default_factory=PPOConfig)


def parse_args(argv: list[str]) -> Args:
    """Reads the flags twice: to learn which file to read, then again to override what it says."""
    args = tyro.cli(Args, args=argv)
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
    return Path(args.config or CONFIGS / f"{args.preset or own}.yaml")


def run_name(args: RunArgs) -> str:
    """Names a run that was not given a folder."""
    return f"{game_name(args.env)}-{args.obs}-{args.seed}-{time.strftime('%Y%m%d-%H%M%S')}"


def check_settings(args: Args) -> None:
    """Refuses settings that leave nothing to do or to do it with, or that make no sense.

    Raises:
        ConfigError: when there is such a setting.
    """
    check_run(args)
    for name, (least, most) in PPO_RANGES.items():
        check_range(f"ppo.{name}", getattr(args.ppo, name), least, most)
    if args.ppo.n_steps * args.num_envs < 2:
        raise ConfigError(
            "expected rollouts of at least 2 steps, got --ppo.n-steps 1 of --num-envs 1"
        )


def check_run(args: RunArgs) -> None:
    """Does that for the settings that all trainings have.

    Raises:
        ConfigError: likewise.
    """
    for name, (least, most) in RANGES.items():
        check_range(name, getattr(args, name), least, most)


def check_range(name: str, value: float, least: float, most: float = ANY) -> None:
    """Refuses a number that a setting cannot be.

    Raises:
        ConfigError: when it is below `least`, above `most` or not finite.
    """
    if not least <= value <= most or math.isinf(value):
        flag, kind = name.replace("_", "-"), "a finite " if isinstance(value, float) else ""
        limit = "" if most == ANY else f" and at most {most}"
        raise ConfigError(f"expected {kind}--{flag} of at least {least}{limit}, got {value}")
