"""FlatView: an observation as one vector, for networks that take nothing else."""

import numba
import numpy as np
from gymnasium import spaces

VELOCITY_UNIT = 1 / 8  # of the frame per step: most things are slower, so features stay within 1
CLOSE_UP = 8  # magnification: a hit or a miss is a matter of a few pixels
NUM_PAIRS_SLOTS = 8  # of all wrappers; more things than that are rarely of importance at once


class FlatView:
    """Lists the features of all slots, and of what lies between each two of the first P slots.

    They are those of `sprite_obs.extractors.pairs.SpriteExtractor`, which says what each is,
    without the learned embedding: M times presence, position (x, y) and velocity (x, y), then for
    each pair of slots the differences of positions and velocities, then for each pair the
    magnified differences of positions. All are 0 for empty slots.

    Attributes:
        space: `(F,)` float32, F = 5 M + 6 P (P - 1) / 2.
    """

    space: spaces.Box

    def __init__(
        self,
        frame_size: tuple[int, int],
        slot_type: np.ndarray,
        num_pairs_slots: int = NUM_PAIRS_SLOTS,
    ):
        """Prepares the space.

        Args:
            frame_size: width and height of the frame, in pixels.
            slot_type: `(M,)` int32, the type whose things each of M slots may hold.
            num_pairs_slots: P, slots between which differences are taken, at most all M.
        """
        num_slots, fastest = len(slot_type), 1 / VELOCITY_UNIT
        num_paired = min(num_pairs_slots, num_slots)
        pairs = np.stack(np.triu_indices(num_paired, 1), 1)  # (pairs, 2)
        bounds = np.array(
            [1, 1, 1, fastest, fastest] * num_slots
            + [2, 2, 2 * fastest, 2 * fastest] * len(pairs)
            + [1, 1] * len(pairs),
            np.float32,
        )
        self.space = spaces.Box(-bounds, bounds, dtype=np.float32)
        self._rank = type_ranks(slot_type)
        self._pairs = np.ascontiguousarray(pairs, np.int64)
        width, height = frame_size
        self._position_scale = np.array([2 / width, 2 / height], np.float32)
        self._velocity_scale = np.array([fastest / width, fastest / height], np.float32)

    def flatten(
        self, kind: np.ndarray, presence: np.ndarray, position: np.ndarray, velocity: np.ndarray
    ) -> np.ndarray:
        """Returns `(B, F)` float32 of B observations.

        Args:
            kind: `(B, M)` int32, types.
            presence: `(B, M)` int8, 1 where a slot holds something.
            position: `(B, M, 2)` float32, centres (x, y) in pixels.
            velocity: `(B, M, 2)` float32, in pixels per step.
        """
        flat = np.zeros((len(kind), *self.space.shape), np.float32)
        scales = self._position_scale, self._velocity_scale
        _flatten(self._rank[kind], presence, position, velocity, self._pairs, *scales, flat)
        return flat


def type_ranks(slot_type: np.ndarray) -> np.ndarray:
    """Numbers the types that have slots from 1 on, in the order of their ids.

    Args:
        slot_type: `(M,)` integers, the type whose things each slot may hold.

    Returns:
        `(T + 1,)` float32, the rank of each type; that of the next one where a type has no slot.
    """
    ids = np.arange(slot_type.max() + 1)
    return 1 + np.searchsorted(np.unique(slot_type), ids).astype(np.float32)


def num_slots_of(space: spaces.Space) -> int | None:
    """Returns M, the slots whose features a vector of `FlatView` holds; None of other spaces."""
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        return None
    length = space.shape[0]
    counts = (count for count in range(1, length // 5 + 1) if _length(count) == length)
    return next(counts, None)


def _length(num_slots: int, num_pairs_slots: int = NUM_PAIRS_SLOTS) -> int:
    paired = min(num_pairs_slots, num_slots)
    return 5 * num_slots + 6 * (paired * (paired - 1) // 2)


@numba.njit(cache=True)
def _flatten(rank, presence, position, velocity, pairs, position_scale, velocity_scale, flat):
    """Writes the features; `flat` `(B, F)` holds zeros."""
    num_slots = rank.shape[1]
    motion = np.empty((num_slots, 4), np.float32)
    for row in range(len(rank)):
        for slot in range(num_slots):
            if not presence[row, slot]:
                continue
            weight = np.float32(1) / rank[row, slot]
            flat[row, slot * 5] = weight
            for axis in range(2):
                motion[slot, axis] = position[row, slot, axis] * position_scale[axis] - 1
                motion[slot, 2 + axis] = velocity[row, slot, axis] * velocity_scale[axis]
            for column in range(4):
                flat[row, slot * 5 + 1 + column] = motion[slot, column] * weight
        for pair in range(len(pairs)):
            first, second = pairs[pair]
            if not (presence[row, first] and presence[row, second]):
                continue
            both = np.float32(1) / np.sqrt(rank[row, first] * rank[row, second])
            at, near = num_slots * 5 + pair * 4, num_slots * 5 + len(pairs) * 4 + pair * 2
            for column in range(4):
                difference = motion[first, column] - motion[second, column]
                flat[row, at + column] = difference * both
                if column < 2:
                    cut = min(max(difference * CLOSE_UP, np.float32(-1)), np.float32(1))
                    flat[row, near + column] = cut * both
