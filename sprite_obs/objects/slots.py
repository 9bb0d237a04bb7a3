"""Gives every sprite on the screen a slot of the observation and keeps it there."""

import numpy as np
from scipy.optimize import linear_sum_assignment

MAX_STEP = 48.0
"""Pixels per step; what seems to move further is something else, or has jumped."""
NEWCOMER = 16.0
"""Pixels that a slot filled for the first time counts as further away in the next step."""


class SlotTable:
    """Assigns sprite instances to the M slots of an observation so that slots are stable in time.

    Each type owns a contiguous range of slots, as many as its capacity, in the order of type ids
    until the M slots are used up. An instance keeps its slot as long as it is seen: the instances
    of a type are matched to its occupied slots, no further than `MAX_STEP`, so that the sum of
    squared distances is smallest. Squares, because a formation that moves as one is then matched
    correctly even if it moves further than its members are apart. A slot that was filled only the
    step before counts as `NEWCOMER` further away: where something passes in front of a sprite, two
    pieces of it are seen for a moment, and the sprite must go on in the slot that it had.

    An instance that is new takes the free slot that was left nearest to it, within `MAX_STEP`, so
    that what was hidden for a while comes back to its slot; otherwise the first free slot. What
    finds none is dropped: instances beyond the range, types without one, and type 0.

    Attributes:
        position: `(M, 2)` float32, centre (x, y) of each slot's instance in pixels; 0 when empty.
        velocity: `(M, 2)` float32, change of `position` since the previous step in pixels; 0 for an
            instance that is new.
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
        """Empties all slots and forgets what they held, as at the start of an episode."""
        self._left_at = np.full((self._max_sprites, 2), np.inf, np.float32)
        self._newcomer = np.zeros(self._max_sprites, bool)
        self._empty()

    def _empty(self) -> None:
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
        distance = _squared_distance(self.position[occupied][:, None], positions)  # (occupied, n)
        cost = distance + NEWCOMER**2 * self._newcomer[occupied][:, None]
        matched, rows = linear_sum_assignment(np.minimum(cost, MAX_STEP**2))
        near = distance[matched, rows] < MAX_STEP**2
        slots[rows[near]] = occupied[matched[near]]
        new = np.flatnonzero(slots < 0)
        if len(new):
            free = owned[~np.isin(owned, slots)]
            for row in new[: len(free)]:
                distance = _squared_distance(self._left_at[free], positions[row])  # (free,)
                slots[row] = free[np.minimum(distance, MAX_STEP**2).argmin()]
                free = free[free != slots[row]]
        return slots

    def _fill(self, slots: np.ndarray, positions: np.ndarray) -> None:
        old_position, old_presence = self.position, self.presence
        self._empty()
        kept = slots >= 0
        self.position[slots[kept]] = positions[kept]
        self.presence[slots[kept]] = True
        step = self.position - old_position
        same = self.presence & old_presence & (np.square(step).sum(1) < MAX_STEP**2)
        self.velocity[same] = step[same]
        self._left_at[same] = self.position[same]
        self._newcomer = self.presence & ~same


def _squared_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.square(first - second).sum(-1)
