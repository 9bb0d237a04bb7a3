"""Gives every thing on the screen a slot of the observation and keeps it there."""

import numpy as np

from sprite_obs.objects.tracker import MAX_UNSEEN

NEVER = -(10**9)


class SlotTable:
    """Assigns the things that a `Tracker` follows to the M slots of an observation.

    Each type owns a contiguous range of slots, as many as its capacity, in the order of type ids
    until the M slots are used up. A thing keeps its slot as long as it is of that type, also if it
    is not seen for a while. One that is new takes the first slot of its type that is free: not in
    use in this frame, and not reserved for a thing that the tracker still remembers; where all are
    reserved, the one that was left first. What finds no slot is dropped: things beyond the range,
    types without one, and type 0.
    """

    def __init__(self, type_capacity: np.ndarray, max_sprites: int):
        """Shares the slots out among the types.

        Args:
            type_capacity: `(T + 1,)` integers, slots that each type asks for; entry 0 is not used.
            max_sprites: M, number of slots.
        """
        wanted = np.array(type_capacity, dtype=np.int64)  # (T + 1,)
        wanted[0] = 0
        ends = np.minimum(np.cumsum(wanted), max_sprites).tolist()
        self._ranges = [range(*ends_of) for ends_of in zip([0, *ends[:-1]], ends, strict=True)]
        self._has_slots = np.array([len(own) > 0 for own in self._ranges])  # (T + 1,) bool
        self._max_sprites = max_sprites
        self.reset()

    def reset(self) -> None:
        """Empties all slots and forgets what they held, as at the start of an episode."""
        self._now = 0
        self._used_at = [NEVER] * self._max_sprites
        self._owner: list[tuple[int, int] | None] = [None] * self._max_sprites
        self._slot_of: dict[tuple[int, int], int] = {}  # by type and track

    def update(self, types: np.ndarray, tracks: np.ndarray) -> np.ndarray:
        """Assigns the instances of one frame to slots.

        Args:
            types: `(N,)` integers, type ids 0..T.
            tracks: `(N,)` integers, numbers of the things, all different.

        Returns:
            `(N,)` int64, slot 0..M-1 of each instance, -1 where it was dropped.
        """
        self._now += 1
        slots = np.full(len(types), -1)
        rows = np.flatnonzero(self._has_slots[types])
        slots[rows] = self._slots(
            list(zip(types[rows].tolist(), tracks[rows].tolist(), strict=True))
        )
        return slots

    def _slots(self, things: list[tuple[int, int]]) -> list[int]:
        slots = [self._slot_of.get(thing, -1) for thing in things]
        for slot in slots:
            if slot >= 0:
                self._used_at[slot] = self._now
        full = set()
        for row, thing in enumerate(things):
            if slots[row] < 0 and thing[0] not in full:
                slots[row] = self._settle(thing)
                if slots[row] < 0:
                    full.add(thing[0])
        return slots

    def _settle(self, thing: tuple[int, int]) -> int:
        """Gives a slot to a thing that has none and returns it, -1 if its type has none left."""
        free = [slot for slot in self._ranges[thing[0]] if self._used_at[slot] < self._now]
        if not free:
            return -1
        forgotten = self._now - MAX_UNSEEN - 1
        slot = min(free, key=lambda slot: max(self._used_at[slot], forgotten))
        if (owner := self._owner[slot]) is not None:
            del self._slot_of[owner]
        self._owner[slot], self._slot_of[thing], self._used_at[slot] = thing, slot, self._now
        return slot
