"""The agent that a training by DQN begins with: SB3's DQN, or sb3-contrib's QR-DQN."""

from typing import TYPE_CHECKING, Any

import torch
from dqn_settings import Args, DQNConfig
from stable_baselines3 import DQN
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv

from sprite_obs.errors import SpriteObsError
from sprite_obs.extractors.normed_relu import NormedReLU

if TYPE_CHECKING:
    from sb3_contrib import QRDQN


def agent_class(config: DQNConfig) -> "type[DQN] | type[QRDQN]":
    """Returns DQN, or QR-DQN if quantiles are learned, which takes the same settings.

    Raises:
        SpriteObsError: when it is not installed.
    """
    if not config.num_quantiles:
        return DQN
    try:
        from sb3_contrib import QRDQN
    except ModuleNotFoundError as error:
        raise SpriteObsError(
            f"expected sb3-contrib for --dqn.num-quantiles {config.num_quantiles}, but it is not "
            "installed: pip install 'sprite-obs[contrib]', or --dqn.num-quantiles 0"
        ) from error
    return QRDQN


def build_agent(env: VecEnv, args: Args, device: torch.device) -> "DQN | QRDQN":
    """Builds an agent that has learned nothing.

    Raises:
        SpriteObsError: when its class is not installed.
    """
    config = args.dqn
    agent = agent_class(config)(
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
        policy_kwargs=_policy_kwargs(config),
        seed=args.seed,
        device=device,
    )
    return without_memory_class(agent)


def _policy_kwargs(config: DQNConfig) -> dict[str, Any]:
    network = {
        "net_arch": [config.hidden_size] * config.hidden_layers,
        "activation_fn": NormedReLU if config.layer_norm else torch.nn.ReLU,
    }
    return network | ({"n_quantiles": config.num_quantiles} if config.num_quantiles else {})


def without_memory_class(agent: "DQN | QRDQN") -> "DQN | QRDQN":
    """Returns an agent whose file SB3 reads without taking the memory's class for a user's.

    It would warn that `n_steps` is ignored, which it is not.
    """
    agent.replay_buffer_class = None  # used when the agent is built, and chosen again when read
    return agent
