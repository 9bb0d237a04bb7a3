"""The agent that a training by DQN begins with: SB3's DQN, or sb3-contrib's QR-DQN."""

from typing import TYPE_CHECKING, Any

import torch
from dqn_settings import Args, DQNConfig
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv

from sprite_obs.extractors.normed_relu import NormedReLU
from sprite_obs.frames.trained import qr_dqn

if TYPE_CHECKING:
    from sb3_contrib import QRDQN


def agent_class(config: DQNConfig) -> "type[DQN] | type[QRDQN]":
    """Returns DQN, or QR-DQN if quantiles are learned, which takes the same settings.

    Raises:
        SpriteObsError: when that is not installed.
    """
    return qr_dqn() if config.num_quantiles else DQN


def build_agent(env: VecEnv, args: Args, device: torch.device) -> "DQN | QRDQN":
    """Builds an agent that has learned nothing.

    Raises:
        SpriteObsError: when its class is not installed.
    """
    agent = agent_class(args.dqn)(
        "MlpPolicy",
        env,
        policy_kwargs=_policy_kwargs(args.dqn),
        seed=args.seed,
        device=device,
        **_learning_kwargs(args.dqn, args.total_timesteps),
    )
    forget_memory_class(agent)
    return agent


def _learning_kwargs(config: DQNConfig, total_timesteps: int) -> dict[str, Any]:
    last_rate = config.learning_rate * config.final_rate
    return {
        "learning_rate": LinearSchedule(config.learning_rate, last_rate, end_fraction=1),
        "buffer_size": config.buffer_size,
        "learning_starts": config.learning_starts,
        "batch_size": config.batch_size,
        "n_steps": config.n_steps,
        "train_freq": config.train_freq,
        "gradient_steps": config.gradient_steps,
        "target_update_interval": config.target_update_interval,
        "exploration_fraction": min(config.exploration_steps / total_timesteps, 1.0),
        "exploration_final_eps": config.exploration_final_eps,
        "gamma": config.gamma,
    }


def _policy_kwargs(config: DQNConfig) -> dict[str, Any]:
    network = {
        "net_arch": [config.hidden_size] * config.hidden_layers,
        "activation_fn": NormedReLU if config.layer_norm else torch.nn.ReLU,
    }
    return network | ({"n_quantiles": config.num_quantiles} if config.num_quantiles else {})


def forget_memory_class(agent: BaseAlgorithm) -> None:
    """Makes SB3 read the agent's file without taking the memory's class for a user's.

    It would warn that `n_steps` is ignored, which it is not.
    """
    if isinstance(agent, OffPolicyAlgorithm):
        agent.replay_buffer_class = None  # used when an agent is built, and chosen again when read
