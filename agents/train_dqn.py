"""Trains an agent by QR-DQN or DQN on features of objects: fewer steps than PPO, slower ones.

python agents/train_dqn.py --env ALE/Pong-v5 --model pong --total-timesteps 300000
python agents/train_dqn.py --resume runs/pong

Environments, evaluation and the run's folder are those of `agents/train_ppo.py`. Returns of several
steps, from which it learns much faster, are there in Stable-Baselines3 for vectors, not for
dictionaries, so the agent sees slots as one vector.
"""

import signal
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from callbacks import build_callbacks
from dqn_agent import agent_class, build_agent, forget_memory_class
from dqn_settings import Args, check_settings, parse_args
from flat_env import VecFlatFeatures
from joined_frames import settle_join_frames
from runs import VISITS, agent_to_resume, config_to_resume, load_to_learn_on
from stable_baselines3.common.vec_env import VecEnv
from training import begin_run, build_envs, check_fits, evaluation_env, fail_in_one_line, learn

from sprite_obs.config import from_dict
from sprite_obs.devices import choose_device
from sprite_obs.errors import SpriteObsError
from sprite_obs.vector.visit_bonus import VecVisitBonus


def train(args: Args) -> None:
    """Trains an agent and writes the run's folder.

    Raises:
        SpriteObsError: when model, environment, device, folder or a setting cannot be used.
    """
    check_settings(args)
    check_installed(args)
    torch.set_num_threads(args.num_threads)
    device = choose_device(args.device)
    args = settle_join_frames(args)
    env = learning_env(args, args.seed)
    out = begin_run(args)
    callbacks = build_callbacks(args, out, flat_evaluation_env(args))
    agent = build_agent(env, args, device)  # seeds all random numbers, so it comes last
    with closing(env):
        learn(agent, args, out, callbacks)


def check_installed(args: Args) -> None:
    """Refuses settings that need what is not installed, before anything is built.

    Raises:
        SpriteObsError: when there is such a setting.
    """
    try:
        agent_class(args.dqn)
    except SpriteObsError as error:
        raise SpriteObsError(f"{error}, or take --dqn.num-quantiles 0, which is DQN") from error


def resume(run: Path) -> None:
    """Goes on with an interrupted run, with new episodes and an empty replay memory.

    Raises:
        SpriteObsError: when there is no such run, or it cannot be read.
    """
    newest = agent_to_resume(run)
    args = from_dict(Args, config_to_resume(run, "dqn"))
    torch.set_num_threads(args.num_threads)
    agent = load_to_learn_on(newest, agent_class(args.dqn), choose_device(args.device))
    env = learning_env(args, args.seed + agent.num_timesteps, getattr(agent, VISITS, None))
    check_fits(agent, env, args)
    agent.set_env(env)
    forget_memory_class(agent)
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


def main() -> None:
    """Runs the command; what the user can mend ends in one line and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the agent is kept
    with fail_in_one_line():
        args = parse_args(sys.argv[1:])
        resume(Path(args.resume)) if args.resume else train(args)


if __name__ == "__main__":
    main()
