"""Gives every sprite on the screen a slot of the observation and keeps it there."""

import numpy as np
from scipy.optimize import linear_sum_assignment


class SlotTable:
    """Assigns sprite instances to the M slots of an observation so that slots are stable in time.

    Each type owns a contiguous range of slots, as many as its capacity, in the order of type ids
    until the M slots are used up. An instance keeps its slot as long as it is seen: the instances
    of a type are matched to its occupied slots so that the sum of squared distances is smallest.
    Squares, because a formation that moves as one is then matched correctly however far it jumps.
    New instances take the free slots of the range in the order of their rows. What finds no slot
    is dropped: instances beyond the range, types without one, and type 0.

    Attributes:
        position: `(M, 2)` float32, centre (x, y) of each slot's instance in pixels; 0 when empty.
        velocity: `(M, 2)` float32, change of `position` since the previous step in pixels; 0 when
            the slot was empty before.
        presence: `(M,)` bool, whether the slot holds an instance.

    `update` replaces these arrays and never writes into them again.
    """

    position: np.ndarray
    velocity: np.ndarray
    presence: np.ndarray

    def __init__(self, type_capacity: np.ndarray, max_sprites: int):
        """Shares the slots out among the types.

        Args:
            type_capacity: `(T + 1,)` integers, slots that each type asks for; entry 0 is not used.
            max_sprites: M, number of slots.
        """
        wanted = np.array(type_capacity, dtype=np.int64)  # (T + 1,)
        wanted[0] = 0
        ends = np.minimum(np.cumsum(wanted), max_sprites)
        self._ranges = [
            np.arange(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)
        ]
        self._sizes = [len(slots) for slots in self._ranges]
        self._max_sprites = max_sprites
        self.reset()

    def reset(self) -> None:
        """Empties all slots, as at the start of an episode."""
        self.position = np.zeros((self._max_sprites, 2), np.float32)
        self.velocity = np.zeros((self._max_sprites, 2), np.float32)
        self.presence = np.zeros(self._max_sprites, bool)

    def update(self, types: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Assigns the instances of one frame to slots.

        Args:
            types: `(N,)` integers, type ids 0..T.
            positions: `(N, 2)` float32, centres (x, y) in pixels.

        Returns:
            `(N,)` int64, slot 0..M-1 of each instance, -1 where it was dropped.
        """
        rows_of_type: dict[int, list[int]] = {}
        for row, type_id in enumerate(types.tolist()):
            if self._sizes[type_id]:
                rows_of_type.setdefault(type_id, []).append(row)
        slots = np.full(len(types), -1)
        for type_id, rows in rows_of_type.items():
            if self._sizes[type_id] == len(rows) == 1:  # nothing to choose: most of the time
                slots[rows[0]] = self._ranges[type_id][0]
            else:
                slots[rows] = self._match(self._ranges[type_id], positions[rows])
        self._fill(slots, positions)
        return slots

    def _match(self, owned: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Returns `(n,)` slots out of `owned` for the n instances of one type, -1 for none."""
        slots = np.full(len(positions), -1)
        occupied = owned[self.presence[owned]]
        step = self.position[occupied][:, None] - positions  # (occupied, n, 2)
        matched, rows = linear_sum_assignment(np.square(step).sum(2))
        slots[rows] = occupied[matched]
        free = owned[~self.presence[owned]]
        new = np.flatnonzero(slots < 0)[: len(free)]
        slots[new] = free[: len(new)]
        return slots

    def _fill(self, slots: np.ndarray, positions: np.ndarray) -> None:
        old_position, old_presence = self.position, self.presence
        self.reset()
        kept = slots >= 0
        self.position[slots[kept]] = positions[kept]
        self.presence[slots[kept]] = True
        seen_twice = self.presence & old_presence
        self.velocity[seen_twice] = (self.position - old_position)[seen_twice]
