"""SpriteExtractor: turns the slots of `SpriteObservation` into features for SB3's policies."""

from typing import cast

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

KEYS = ("sprite", "type", "position", "velocity", "presence")
VELOCITY_UNIT = 1 / 8  # of the frame per step: most things are slower, so features stay within 1
CLOSE_UP = 8  # magnification: a hit or a miss is a matter of a few pixels


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

    All features of a slot are divided by its type's id, those of a pair by the geometric mean of
    both. Types are numbered by importance, so what matters most is learned first; a game's score,
    say, is the same all through a rally and would be taken for the reason of what happens in it.

    Example:
        >>> from stable_baselines3 import PPO
        >>> kwargs = {"features_extractor_class": SpriteExtractor}
        >>> agent = PPO("MultiInputPolicy", env, policy_kwargs=kwargs)
    """

    first: Tensor
    second: Tensor
    position_scale: Tensor
    velocity_scale: Tensor

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
        highest = {key: box.high for key, box in _boxes(observation_space).items()}
        num_slots = len(highest["presence"])
        num_paired = min(num_pairs_slots, num_slots)
        first, second = torch.triu_indices(num_paired, num_paired, offset=1)  # (P * (P - 1) / 2,)
        super().__init__(observation_space, num_slots * (5 + embedding_dim) + len(first) * 6)
        self.type_embedding = _embedding(highest["type"][0], embedding_dim)
        self.sprite_embedding = _embedding(highest["sprite"][0], embedding_dim)
        nn.init.zeros_(self.sprite_embedding.weight)  # a thing's look counts once that has helped
        self.register_buffer("first", first)
        self.register_buffer("second", second)
        frame_size = torch.as_tensor(highest["position"][0])  # (2,)
        self.register_buffer("position_scale", 2 / frame_size)
        self.register_buffer("velocity_scale", 1 / (frame_size * VELOCITY_UNIT))

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Returns `(B, features_dim)` float32 features of a batch of observations."""
        presence = observations["presence"].unsqueeze(2)  # (B, M, 1)
        weight = presence / observations["type"].clamp(min=1).unsqueeze(2)  # (B, M, 1)
        position = observations["position"] * self.position_scale - 1  # (B, M, 2)
        velocity = observations["velocity"] * self.velocity_scale  # (B, M, 2)
        look = self.type_embedding(observations["type"].long())  # (B, M, E)
        look = look + self.sprite_embedding(observations["sprite"].long())
        motion = torch.cat((position, velocity), 2)  # (B, M, 4)
        slots = torch.cat((presence, motion, look), 2) * weight  # (B, M, 5 + E)
        both = (weight[:, self.first] * weight[:, self.second]).sqrt()  # (B, pairs, 1)
        pairs = motion[:, self.first] - motion[:, self.second]  # (B, pairs, 4)
        close_up = (pairs[:, :, :2] * CLOSE_UP).clamp(-1, 1) * both  # (B, pairs, 2)
        return torch.cat((slots.flatten(1), (pairs * both).flatten(1), close_up.flatten(1)), 1)


def _boxes(space: spaces.Space) -> dict[str, spaces.Box]:
    if not isinstance(space, spaces.Dict) or not set(KEYS) <= set(space):
        raise TypeError(
            f"SpriteExtractor expects a Dict space with the keys {KEYS}, got {space}; wrap the "
            "environment in SpriteObservation"
        )
    return {key: cast(spaces.Box, space[key]) for key in KEYS}


def _embedding(highest_id: int, length: int) -> nn.Embedding:
    return nn.Embedding(int(highest_id) + 1, length, padding_idx=0)
