"""Slots and main sprites of one environment, step by step: what compiled loops do for many."""

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.objects.slots import NEVER, NOBODY, assign_slots


class SlotTable:
    """The slots of one environment; see `slot_ranges` and `assign_slots`."""

    def __init__(self, ranges: np.ndarray, max_sprites: int):
        """Takes what `slot_ranges` returned for M = `max_sprites` slots."""
        self._ranges = ranges
        self._max_sprites = max_sprites
        self.reset()

    def reset(self) -> None:
        """Empties all slots and forgets what they held, as at the start of an episode."""
        self._now = 0
        self._used_at = np.full(self._max_sprites, NEVER)
        self._owner = np.full(self._max_sprites, NOBODY)  # the track; its type is that of the range

    def update(self, types: np.ndarray, tracks: np.ndarray, display: np.ndarray) -> np.ndarray:
        """Assigns the instances of one frame to slots.

        Args:
            types: `(N,)` integers, type ids 0..T.
            tracks: `(N,)` integers, numbers of the things, all different.
            display: `(N,)` bool, which of them belong to the display.

        Returns:
            `(N,)` int64, slot 0..M-1 of each instance, -1 where it was dropped.
        """
        self._now += 1
        table = self._ranges, self._used_at, self._owner
        slots = np.full(len(types), -1)
        assign_slots(types, tracks, display, *table, self._now, slots)
        return slots


def main_rows(found: Detections) -> np.ndarray:
    """Returns `(N,)` int64, for each sprite the row of the main one of its object."""
    size = found.box[:, 2].astype(np.int64) * found.box[:, 3]
    order = np.lexsort((-size, found.object))
    _, first, member = np.unique(found.object[order], return_index=True, return_inverse=True)
    rows = np.empty(len(order), np.int64)
    rows[order] = order[first][member]
    return rows
