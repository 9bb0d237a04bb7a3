"""How much an agent attends to each slot of its observation."""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.preprocessing import preprocess_obs
from torch import Tensor

Slots = dict[str, np.ndarray]


@torch.no_grad()
def slot_attention(agent: BaseAlgorithm, observation: Slots, action: np.ndarray) -> np.ndarray:
    """Says which slots made an agent act as it did.

    Where the features extractor has a method ``attention(observations) -> (B, M)``, its weights
    are the answer. Else each slot is emptied in turn: what counts is by how much that changes the
    logarithm of the action's probability or, with DQN, the action's value. Unlike a gradient, this
    is finite for every extractor, and it weighs what a thing is as well as where.

    Args:
        agent: PPO, A2C, DQN or another agent whose policy has a distribution or Q-values.
        observation: what `SpriteObservation` gives, of one environment: `(1, M, ...)` each.
        action: what the agent chose there, `(1, ...)`.

    Returns:
        `(M,)` float32, 0 for empty slots; their sum is 1, or 0 if nothing matters.
    """
    policy: Any = agent.policy
    policy.set_training_mode(False)
    extractor = getattr(policy, "q_net", policy).features_extractor
    if hasattr(extractor, "attention"):
        tensors, _ = policy.obs_to_tensor(observation)
        weights = extractor.attention(preprocess_obs(tensors, agent.observation_space))[0]  # (M,)
    else:
        scores = _scores(policy, _with_each_emptied(observation), action)  # (M + 1,)
        weights = (scores[1:] - scores[0]).abs()
    return _shares(weights.cpu().numpy(), observation["presence"][0])


def _with_each_emptied(observation: Slots) -> Slots:
    """Returns the observation, and after it one for each slot without that slot: `(M + 1, ...)`."""
    slots = np.arange(observation["presence"].shape[1])
    emptied = {key: array.repeat(len(slots) + 1, axis=0) for key, array in observation.items()}
    for array in emptied.values():
        array[slots + 1, slots] = 0
    return emptied


def _scores(policy: Any, observations: Slots, action: np.ndarray) -> Tensor:
    """Returns `(B,)`, how good the policy finds one action in each of some observations."""
    tensors, _ = policy.obs_to_tensor(observations)
    actions = torch.as_tensor(action, device=policy.device)
    actions = actions.expand(len(observations["presence"]), *actions.shape[1:])  # (B, ...)
    if hasattr(policy, "q_net"):
        return policy.q_net(tensors).gather(1, actions.reshape(-1, 1).long())[:, 0]
    return policy.get_distribution(tensors).log_prob(actions)


def _shares(weights: np.ndarray, presence: np.ndarray) -> np.ndarray:
    weights = np.where(presence > 0, weights, 0).astype(np.float32)
    total = weights.sum()
    return weights / total if total > 0 else weights
