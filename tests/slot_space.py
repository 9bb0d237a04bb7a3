"""A small space of observations, for tests of features."""

import numpy as np
from gymnasium import spaces

SLOTS, WIDTH, HEIGHT = 6, 160, 210
OWNERS = np.array([1, 1, 2, 3, 4, 4], np.int32)
"""Types whose things the slots may hold."""


def slot_space() -> spaces.Dict:
    """Returns the keys of `SpriteObservation`'s space that features are made of."""
    corner = np.tile(np.array([WIDTH, HEIGHT], np.float32), (SLOTS, 1))
    return spaces.Dict(
        {
            "sprite": spaces.Box(0, 9, (SLOTS,), np.int32),
            "type": spaces.Box(np.zeros(SLOTS, np.int32), OWNERS, dtype=np.int32),
            "layer": spaces.Box(0, 255, (SLOTS,), np.int32),
            "position": spaces.Box(corner * 0, corner, dtype=np.float32),
            "velocity": spaces.Box(-corner, corner, dtype=np.float32),
            "presence": spaces.Box(0, 1, (SLOTS,), np.int8),
        }
    )
