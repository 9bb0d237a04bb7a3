"""Trains a PPO agent on objects, on their sprites or, for comparison, on pixels or true objects.

python agents/train_ppo.py --env ALE/Pong-v5 --model pong --total-timesteps 1000000
python agents/train_ppo.py --env ALE/Pong-v5 --obs pixels --total-timesteps 1000000
python agents/train_ppo.py --resume runs/pong

Writes into the run's folder: `config.json` (all settings), `agent.zip` (SB3), `result.json`,
`progress.csv` and TensorBoard's events, `episodes.csv`, `evaluations.npz`, `best_model.zip`,
`checkpoints/`.
"""

import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from callbacks import build_callbacks
from joined_frames import settle_join_frames
from ppo_settings import Args, check_settings, parse_args
from runs import VISITS, agent_to_resume, config_to_resume, load_to_learn_on
from stable_baselines3 import PPO
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv
from training import begin_run, build_envs, check_fits, evaluation_env, fail_in_one_line, learn

from sprite_obs.config import from_dict
from sprite_obs.devices import choose_device
from sprite_obs.extractors.attention import AttentionExtractor
from sprite_obs.extractors.deep_set import DeepSetExtractor
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.vector.visit_bonus import VecVisitBonus

ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
EXTRACTORS = {
    "pairs": SpriteExtractor,
    "attention": AttentionExtractor,
    "deep_set": DeepSetExtractor,
}


def train(args: Args) -> None:
    """Trains an agent and writes the run's folder.

    Raises:
        SpriteObsError: when model, environment, device, folder or a setting cannot be used.
    """
    check_settings(args)
    torch.set_num_threads(args.num_threads)
    device = choose_device(args.device)  # SB3 would silently replace one that is not there
    args = settle_join_frames(args)
    env = with_bonus(build_envs(args, args.num_envs, args.seed), args)
    out = begin_run(args)
    callbacks = build_callbacks(args, out, evaluation_env(args))
    agent = build_agent(env, args, device)  # seeds all random numbers, so it comes last
    with closing(env):
        learn(agent, args, out, callbacks)


def resume(run: Path) -> None:
    """Goes on with an interrupted run; its environments begin new episodes.

    Raises:
        SpriteObsError: when there is no such run, or it cannot be read.
    """
    newest = agent_to_resume(run)
    args = from_dict(Args, config_to_resume(run, "ppo"))
    torch.set_num_threads(args.num_threads)
    agent = load_to_learn_on(newest, PPO, choose_device(args.device))
    seed = args.seed + agent.num_timesteps  # not the episodes that it began with
    env = build_envs(args, args.num_envs, seed)
    check_fits(agent, env, args)
    agent.set_env(with_bonus(env, args, getattr(agent, VISITS, None)))
    callbacks = build_callbacks(args, run, evaluation_env(args), agent.num_timesteps)
    with closing(env):
        learn(agent, args, run, callbacks)


def with_bonus(env: VecEnv, args: Args, visits: np.ndarray | None = None) -> VecEnv:
    """Returns environments to learn in, with the bonus for visits if the settings have one."""
    if args.ppo.visit_bonus and args.obs != "pixels":
        return VecVisitBonus(env, args.ppo.visit_bonus, visits)
    return env


def build_agent(env: VecEnv, args: Args, device: torch.device, **policy: Any) -> PPO:
    """Builds SB3's PPO with the features extractor that fits the observation.

    Args:
        env: the environments.
        args: settings of the run.
        device: where the policy is trained.
        **policy: settings of the policy in place of those that `args` ask for.
    """
    config = args.ppo
    policy_kwargs: dict[str, Any] = {
        "net_arch": [config.hidden_size] * config.hidden_layers,
        "activation_fn": ACTIVATIONS[config.activation],
    }
    if args.obs != "pixels":
        policy_kwargs["features_extractor_class"] = EXTRACTORS[config.features]
    if args.obs != "pixels" and config.features == "pairs":
        policy_kwargs["features_extractor_kwargs"] = {"num_pairs_slots": config.num_pairs_slots}
    return PPO(
        "CnnPolicy" if args.obs == "pixels" else "MultiInputPolicy",
        env,
        learning_rate=LinearSchedule(
            config.learning_rate, config.learning_rate * config.final_rate, end_fraction=1
        ),
        n_steps=config.n_steps,
        batch_size=config.batch_size,
        n_epochs=config.n_epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip_range,
        ent_coef=config.ent_coef,
        vf_coef=config.vf_coef,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs=policy_kwargs | policy,
        seed=args.seed,
        device=device,
    )


def main() -> None:
    """Runs the command; what the user can mend ends in one line and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the agent is kept
    with fail_in_one_line():
        args = parse_args(sys.argv[1:])
        resume(Path(args.resume)) if args.resume else train(args)


if __name__ == "__main__":
    main()
