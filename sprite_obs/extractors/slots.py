"""What every features extractor knows of a slot: what is there, where it is, how it moves."""

from typing import NamedTuple, cast

import torch
from gymnasium import spaces
from torch import Tensor, nn

from sprite_obs.flat import VELOCITY_UNIT, type_ranks

KEYS = ("sprite", "type", "position", "velocity", "presence")


class SlotFeatures(NamedTuple):
    """Features of the slots of a batch of observations.

    Attributes:
        presence: `(B, M, 1)` float32, 1 where a slot holds something.
        weight: `(B, M, 1)` float32, presence divided by the rank of the type.
        motion: `(B, M, 4)` float32, scaled position (x, y) and velocity (x, y).
        look: `(B, M, E)` float32, embedding of type and sprite.
    """

    presence: Tensor
    weight: Tensor
    motion: Tensor
    look: Tensor


class SlotEncoder(nn.Module):
    """Scales positions and velocities to the frame, and embeds types and sprites.

    Positions run from -1 to 1 over the frame, and a velocity of 1 is an eighth of the frame per
    step. Types are in order of importance, so a type's rank among those that have slots divides the
    weight of its things: what matters most is learned first.
    """

    rank: Tensor
    position_scale: Tensor
    velocity_scale: Tensor

    def __init__(self, observation_space: spaces.Space, embedding_dim: int):
        """Reads sizes and scales off the observation space.

        Args:
            observation_space: the space of `SpriteObservation`.
            embedding_dim: E, length of the embedding.

        Raises:
            TypeError: when the space is not the one of `SpriteObservation`.
        """
        super().__init__()
        highest = {key: box.high for key, box in _boxes(observation_space).items()}
        self.num_slots = len(highest["presence"])
        self.type_embedding = _embedding(highest["type"].max(), embedding_dim)
        self.sprite_embedding = _embedding(highest["sprite"][0], embedding_dim)
        nn.init.zeros_(self.sprite_embedding.weight)  # a thing's look counts once that has helped
        frame_size = torch.as_tensor(highest["position"][0])  # (2,)
        self.register_buffer("position_scale", 2 / frame_size)
        self.register_buffer("rank", torch.as_tensor(type_ranks(highest["type"])))  # (T + 1,)
        self.register_buffer("velocity_scale", 1 / (frame_size * VELOCITY_UNIT))

    def forward(self, observations: dict[str, Tensor]) -> SlotFeatures:
        """Returns the features of a batch of observations."""
        kind = observations["type"]  # (B, M)
        presence = observations["presence"].unsqueeze(2)  # (B, M, 1)
        position = observations["position"] * self.position_scale - 1  # (B, M, 2)
        velocity = observations["velocity"] * self.velocity_scale  # (B, M, 2)
        look = self.type_embedding(kind.long())  # (B, M, E)
        look = look + self.sprite_embedding(observations["sprite"].long())
        weight = presence / self.rank[kind.long()].unsqueeze(2)  # (B, M, 1)
        return SlotFeatures(presence, weight, torch.cat((position, velocity), 2), look)


def _boxes(space: spaces.Space) -> dict[str, spaces.Box]:
    if not isinstance(space, spaces.Dict) or not set(KEYS) <= set(space):
        raise TypeError(
            f"expected a Dict space with the keys {KEYS} for a features extractor, got {space}; "
            "wrap the environment in SpriteObservation, with flatten=False"
        )
    return {key: cast(spaces.Box, space[key]) for key in KEYS}


def _embedding(highest_id: int, length: int) -> nn.Embedding:
    return nn.Embedding(int(highest_id) + 1, length, padding_idx=0)
