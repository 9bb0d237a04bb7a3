"""How much an agent attends to each slot of its observation."""

from typing import Any

import numpy as np
import torch
from sight import Take
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.preprocessing import preprocess_obs
from torch import Tensor

Slots = dict[str, np.ndarray]


@torch.no_grad()
def slot_attention(
    agent: BaseAlgorithm, observation: Slots, action: np.ndarray, take: Take = dict
) -> np.ndarray:
    """Says which slots made an agent act as it did.

    Where the features extractor has a method ``attention(observations) -> (B, M)``, its weights
    are the answer. Else each slot is emptied in turn: what counts is by how much that changes the
    logarithm of the action's probability or, with DQN and QR-DQN, the action's value. Unlike a
    gradient, this is finite for every extractor, and it weighs what a thing is as well as where.

    Args:
        agent: PPO, A2C, DQN, QR-DQN or another agent whose policy has a distribution or Q-values.
        observation: what `SpriteObservation` gives, of one environment: `(1, M, ...)` each.
        action: what the agent chose there, `(1, ...)`.
        take: how the agent takes the slots; as they are, if not given.

    Returns:
        `(M,)` float32, 0 for empty slots; their sum is 1, or 0 if nothing matters.
    """
    policy: Any = agent.policy
    policy.set_training_mode(False)
    extractor = _network(policy).features_extractor
    if hasattr(extractor, "attention"):
        tensors, _ = policy.obs_to_tensor(observation)
        weights = extractor.attention(preprocess_obs(tensors, agent.observation_space))[0]  # (M,)
    else:
        scores = _scores(policy, take(_with_each_emptied(observation)), action)  # (M + 1,)
        weights = (scores[1:] - scores[0]).abs()
    return _shares(weights.cpu().numpy(), observation["presence"][0])


def _with_each_emptied(observation: Slots) -> Slots:
    """Returns the observation, and after it one for each slot without that slot: `(M + 1, ...)`."""
    slots = np.arange(observation["presence"].shape[1])
    emptied = {key: array.repeat(len(slots) + 1, axis=0) for key, array in observation.items()}
    for array in emptied.values():
        array[slots + 1, slots] = 0
    return emptied


def _network(policy: Any) -> Any:
    """Returns the part of a policy that has its features: the network of DQN or QR-DQN, or all."""
    return getattr(policy, "q_net", getattr(policy, "quantile_net", policy))


def _scores(policy: Any, observations: Any, action: np.ndarray) -> Tensor:
    """Returns `(B,)`, how good the policy finds one action in each of some observations."""
    tensors, _ = policy.obs_to_tensor(observations)
    network = _network(policy)
    if network is policy:
        return policy.get_distribution(tensors).log_prob(
            torch.as_tensor(action, device=policy.device)
        )
    values = network(tensors)[..., int(action[0])]  # (B,) or, of QR-DQN, (B, quantiles)
    return values.flatten(1).mean(1) if values.ndim > 1 else values


def _shares(weights: np.ndarray, presence: np.ndarray) -> np.ndarray:
    weights = np.where(presence > 0, weights, 0).astype(np.float32)
    total = weights.sum()
    return weights / total if total > 0 else weights
