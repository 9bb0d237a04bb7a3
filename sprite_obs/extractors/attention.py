"""AttentionExtractor: looks at the things that matter, however many there are and in any order."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from sprite_obs.extractors.slots import SlotEncoder, SlotFeatures


class AttentionExtractor(BaseFeaturesExtractor):
    """Attention pooling over the slots that hold something, with learned queries.

    Each slot becomes a token; each of Q queries gives every present token a weight, by the scalar
    product with the token, and takes the mean of their values with these weights. The features are
    the Q means, one after the other, so they do not depend on the order of the slots. For games
    with many equal things, in which it does not matter which of them is in which slot.

    Example:
        >>> from stable_baselines3 import PPO
        >>> kwargs = {"features_extractor_class": AttentionExtractor}
        >>> agent = PPO("MultiInputPolicy", env, policy_kwargs=kwargs)
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        num_queries: int = 8,
        token_dim: int = 32,
        embedding_dim: int = 8,
    ):
        """Reads sizes and scales off the observation space.

        Args:
            observation_space: the space of `SpriteObservation`.
            num_queries: Q, number of learned queries.
            token_dim: D, length of tokens and values.
            embedding_dim: E, length of the embedding of type and sprite.

        Raises:
            TypeError: when the space is not the one of `SpriteObservation`.
        """
        slots = SlotEncoder(observation_space, embedding_dim)
        super().__init__(observation_space, num_queries * token_dim)
        self.slots = slots
        self.token = nn.Sequential(
            nn.Linear(4 + embedding_dim, token_dim),
            nn.ReLU(),
            nn.Linear(token_dim, token_dim),
            nn.ReLU(),
        )
        self.queries = nn.Linear(token_dim, num_queries)
        self.value = nn.Linear(token_dim, token_dim)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Returns `(B, features_dim)` float32 features of a batch of observations."""
        weights, tokens = self._weights(self.slots(observations))
        return (weights.transpose(1, 2) @ self.value(tokens)).flatten(1)  # (B, Q * D)

    def attention(self, observations: dict[str, Tensor]) -> Tensor:
        """Returns `(B, M)` float32, the mean weight that the queries give each slot.

        Weights of an observation sum to 1, or to 0 where all slots are empty.
        """
        return self._weights(self.slots(observations))[0].mean(2)

    def _weights(self, slots: SlotFeatures) -> tuple[Tensor, Tensor]:
        """Returns weights `(B, M, Q)`, 0 for empty slots, and tokens `(B, M, D)`."""
        tokens = self.token(torch.cat((slots.motion, slots.look), 2))  # (B, M, D)
        empty = slots.presence == 0  # (B, M, 1)
        scores = self.queries(tokens).masked_fill(empty, torch.finfo(tokens.dtype).min)  # (B, M, Q)
        return scores.softmax(1).masked_fill(empty, 0), tokens
