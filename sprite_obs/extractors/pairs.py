"""SpriteExtractor: features of all slots, and of what lies between each two of the first ones."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from sprite_obs.extractors.slots import SlotEncoder
from sprite_obs.flat import CLOSE_UP


class SpriteExtractor(BaseFeaturesExtractor):
    """Flat features of all slots, and what lies between each two of the first P slots.

    Because slots are stable and ordered by type, a plain network can learn what each slot means;
    it needs no attention over an unordered set. Where things are relative to each other is what
    most decisions depend on and what such a network is slow to learn, so differences are given.

    Features of a slot, all 0 when it is empty:

    * presence
    * position, the frame's extent scaled to [-1, 1]
    * velocity, where 1 is an eighth of the frame per step
    * a learned embedding of type and sprite

    Features of a pair (i, j), i < j, all 0 unless both are present: the differences of the scaled
    positions and of the scaled velocities, and the former once more, eight times larger and cut at
    -1 and 1, because single pixels count where things nearly meet.

    All features of a slot are divided by the rank of its type among the types that have slots,
    those of a pair by the geometric mean of both. Types are in order of importance, so what matters
    most is learned first; a game's score, say, is the same all through a rally and would be taken
    for the reason of what happens in it.

    Without the embedding it is what `SpriteObservation` gives with ``flatten=True``.

    Example:
        >>> from stable_baselines3 import PPO
        >>> kwargs = {"features_extractor_class": SpriteExtractor}
        >>> agent = PPO("MultiInputPolicy", env, policy_kwargs=kwargs)
    """

    first: Tensor
    second: Tensor

    def __init__(
        self, observation_space: spaces.Space, num_pairs_slots: int = 8, embedding_dim: int = 4
    ):
        """Reads sizes and scales off the observation space.

        Args:
            observation_space: the space of `SpriteObservation`.
            num_pairs_slots: P, slots between which differences are taken, at most all M.
            embedding_dim: E, length of the embedding.

        Raises:
            TypeError: when the space is not the one of `SpriteObservation`.
        """
        encoder = SlotEncoder(observation_space, embedding_dim)
        num_paired = min(num_pairs_slots, encoder.num_slots)
        first, second = torch.triu_indices(num_paired, num_paired, offset=1)  # (P * (P - 1) / 2,)
        length = encoder.num_slots * (5 + embedding_dim) + len(first) * 6
        super().__init__(observation_space, length)
        self.slots = encoder
        self.register_buffer("first", first)
        self.register_buffer("second", second)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Returns `(B, features_dim)` float32 features of a batch of observations."""
        presence, weight, motion, look = self.slots(observations)
        both = (weight[:, self.first] * weight[:, self.second]).sqrt()  # (B, pairs, 1)
        pairs = motion[:, self.first] - motion[:, self.second]  # (B, pairs, 4)
        close_up = (pairs[:, :, :2] * CLOSE_UP).clamp(-1, 1) * both  # (B, pairs, 2)
        slots = torch.cat((presence, motion, look), 2) * weight  # (B, M, 5 + E)
        return torch.cat((slots.flatten(1), (pairs * both).flatten(1), close_up.flatten(1)), 1)
