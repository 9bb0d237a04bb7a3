"""Trains a DQN agent on features of objects or of their sprites: fewer steps than PPO, slower ones.

python agents/train_dqn.py --env ALE/Pong-v5 --model pong --total-timesteps 300000
python agents/train_dqn.py --resume runs/pong

Environments, evaluation and the run's folder are those of `agents/train_ppo.py`. Returns of several
steps, from which it learns much faster, are there in Stable-Baselines3 for vectors, not for
dictionaries, so the agent sees slots as one vector.
"""

import dataclasses
import signal
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import tyro
from callbacks import build_callbacks
from flat_env import VecFlatFeatures
from joined_frames import settle_join_frames
from run_settings import ANY, CONFIGS, RunArgs, check_range, check_run
from runs import VISITS, agent_to_resume, config_to_resume, load_to_learn_on
from stable_baselines3 import DQN
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv
from training import begin_run, build_envs, evaluation_env, fail_in_one_line, learn

from sprite_obs.config import from_dict, load_yaml
from sprite_obs.devices import choose_device
from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.vector.visit_bonus import VecVisitBonus

DEFAULTS = CONFIGS.parent / "dqn" / "fast.yaml"
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
    "visit_bonus": (0, ANY),
}
"""The least and the most that a hyper-parameter may be."""


@dataclass(frozen=True)
class DQNConfig:
    """Hyper-parameters, named and preset as in Stable-Baselines3."""

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
    """Steps in which the share of random actions falls from 1 to `exploration_final_eps`."""
    exploration_final_eps: float = 0.05
    """Share of random actions from then on."""
    gamma: float = 0.99
    """Discount."""
    hidden_layers: int = 2
    """Layers of the network."""
    hidden_size: int = 64
    """Units of such a layer."""
    visit_bonus: float = 0.0
    """Bonus for a thing that is the first of its type in its part of the screen; the N-th gets this
    divided by N."""


@dataclass(frozen=True)
class Args(RunArgs):
    """Trains a DQN agent on objects or sprites."""

    obs: Literal["objects", "sprites"] = "objects"
    """What has a slot: each object, or each of the sprites that objects are drawn from."""
    dqn: DQNConfig = field(default_factory=DQNConfig)


def train(args: Args) -> None:
    """Trains an agent and writes the run's folder.

    Raises:
        SpriteObsError: when model, environment, device, folder or a setting cannot be used.
    """
    check_settings(args)
    torch.set_num_threads(args.num_threads)
    device = choose_device(args.device)
    args = settle_join_frames(args)
    env = learning_env(args, args.seed)
    out = begin_run(args)
    callbacks = build_callbacks(args, out, flat_evaluation_env(args))
    agent = build_agent(env, args, device)  # seeds all random numbers, so it comes last
    with closing(env):
        learn(agent, args, out, callbacks)


def resume(run: Path) -> None:
    """Goes on with an interrupted run, with new episodes and an empty replay memory.

    Raises:
        SpriteObsError: when there is no such run, or it cannot be read.
    """
    newest = agent_to_resume(run)
    args = from_dict(Args, config_to_resume(run, "dqn"))
    torch.set_num_threads(args.num_threads)
    agent = load_to_learn_on(newest, DQN, choose_device(args.device))
    env = learning_env(args, args.seed + agent.num_timesteps, getattr(agent, VISITS, None))
    if env.observation_space != agent.observation_space or env.action_space != agent.action_space:
        raise SpriteObsError(
            f"{newest} was trained on other observations or actions than those of {args.env} with "
            f"model {args.model}; bring that model back, or train anew"
        )
    agent.set_env(env)
    agent.learning_starts = agent.num_timesteps + args.dqn.batch_size  # a batch is there by then
    callbacks = build_callbacks(args, run, flat_evaluation_env(args), agent.num_timesteps)
    with closing(env):
        learn(agent, args, run, callbacks)


def learning_env(args: Args, seed: int, visits: np.ndarray | None = None) -> VecEnv:
    """Builds the environments to learn in, with the bonus for visits if the settings have one."""
    env = build_envs(args, args.num_envs, seed)
    if args.dqn.visit_bonus:
        env = VecVisitBonus(env, args.dqn.visit_bonus, visits)
    return VecFlatFeatures(env)


def flat_evaluation_env(args: Args) -> VecEnv | None:
    """Returns what `evaluation_env` does, with the features of slots."""
    env = evaluation_env(args)
    return VecFlatFeatures(env) if env else None


def build_agent(env: VecEnv, args: Args, device: torch.device) -> DQN:
    """Builds SB3's DQN."""
    config = args.dqn
    return DQN(
        "MlpPolicy",
        env,
        learning_rate=LinearSchedule(
            config.learning_rate, config.learning_rate * config.final_rate, end_fraction=1
        ),
        buffer_size=config.buffer_size,
        learning_starts=config.learning_starts,
        batch_size=config.batch_size,
        n_steps=config.n_steps,
        train_freq=config.train_freq,
        gradient_steps=config.gradient_steps,
        target_update_interval=config.target_update_interval,
        exploration_fraction=min(config.exploration_steps / args.total_timesteps, 1.0),
        exploration_final_eps=config.exploration_final_eps,
        gamma=config.gamma,
        policy_kwargs={"net_arch": [config.hidden_size] * config.hidden_layers},
        seed=args.seed,
        device=device,
    )


def check_settings(args: Args) -> None:
    """Refuses settings that leave nothing to do or to do it with, or that make no sense.

    Raises:
        ConfigError: when there is such a setting.
    """
    check_run(args)
    for name, (least, most) in RANGES.items():
        check_range(f"dqn.{name}", getattr(args.dqn, name), least, most)
    if args.dqn.buffer_size < args.num_envs:
        raise ConfigError(
            f"expected --dqn.buffer-size of at least --num-envs, {args.num_envs}, got "
            f"{args.dqn.buffer_size}"
        )


def parse_args(argv: list[str]) -> Args:
    """Reads the flags twice: to learn which file to read, then again to override what it says."""
    args = tyro.cli(Args, args=argv)
    dqn = load_yaml(DQNConfig, Path(args.config or DEFAULTS))
    return tyro.cli(Args, args=argv, default=dataclasses.replace(args, dqn=dqn))


def main() -> None:
    """Runs the command; what the user can mend ends in one line and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the agent is kept
    with fail_in_one_line():
        args = parse_args(sys.argv[1:])
        resume(Path(args.resume)) if args.resume else train(args)


if __name__ == "__main__":
    main()
