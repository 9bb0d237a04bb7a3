"""Gives every thing on the screen a slot of the observation and keeps it there."""

from collections.abc import Sequence
from itertools import pairwise

import numba
import numpy as np

from sprite_obs.objects.tracks import MAX_UNSEEN

NEVER = -(10**9)
NOBODY = 0
"""Stands for the track of a slot that nothing has taken yet; tracks begin with 1."""


def slot_ranges(
    capacity: np.ndarray, counts: np.ndarray, max_sprites: int, former_types: Sequence[int] = ()
) -> np.ndarray:
    """Shares the M slots of an observation out among the types.

    Each type owns a contiguous range of slots, in the order of type ids: as many as its capacity
    if there are enough for all, else as `share_slots` says. Types that the model was extended by
    get what former ones leave, so that these keep their slots.

    Args:
        capacity: `(T + 1,)` integers, slots that each type asks for; entry 0 is not used.
        counts: `(T + 1,)` integers, how often things of each type were seen; likewise.
        max_sprites: M, number of slots.
        former_types: number of types before each extension of the model, rising.

    Returns:
        `(T + 1, 2)` int64, first slot and end (exclusive) of each type's range.
    """
    given = np.zeros(len(capacity), np.int64)  # (T + 1,)
    firsts = [1, *(count + 1 for count in former_types), len(capacity)]
    for first, end in pairwise(firsts):
        of_types = slice(first, end)
        left = max_sprites - int(given.sum())
        given[of_types] = share_slots(capacity[of_types], counts[of_types], left)
    ends = np.cumsum(given)
    return np.stack([ends - given, ends], 1)


def slot_types(ranges: np.ndarray, max_sprites: int) -> np.ndarray:
    """Returns `(M,)` int32, the type whose things a slot may hold; the last one's if there is none.

    Args:
        ranges: as `slot_ranges` returns them.
        max_sprites: M.
    """
    owners = np.repeat(np.arange(len(ranges), dtype=np.int32), ranges[:, 1] - ranges[:, 0])
    return np.pad(owners, (0, max_sprites - len(owners)), "edge")


def share_slots(capacity: np.ndarray, counts: np.ndarray, num_slots: int) -> np.ndarray:
    """Shares slots out as seats are in parliaments, by highest averages (Sainte-Laguë).

    What a type has to show for its k-th slot is how full its slots are on average, divided by
    2 k - 1: a slot that stays empty is of no use, and a further thing of a type tells less than the
    first. Of equal types, the first one gets the slot.

    Args:
        capacity: `(T,)` integers, the most slots that each type can get.
        counts: `(T,)` integers, how often things of each type were seen.
        num_slots: slots to share out.

    Returns:
        `(T,)` int64, slots of each type.
    """
    given = np.zeros(len(capacity), np.int64)
    fullness = counts / np.maximum(capacity, 1)
    for _ in range(min(num_slots, int(np.sum(capacity)))):
        average = np.where(given < capacity, fullness / (2 * given + 1), -1.0)
        given[np.argmax(average)] += 1
    return given


@numba.njit(cache=True)
def assign_slots(
    types: np.ndarray,
    tracks: np.ndarray,
    display: np.ndarray,
    ranges: np.ndarray,
    used_at: np.ndarray,
    owner: np.ndarray,
    now: int,
    slots: np.ndarray,
) -> None:
    """Assigns the things of a frame to slots.

    A thing keeps its slot as long as it is of that type, also if it is not seen for a while. One
    that is new takes the first slot of its type that is free: not in use in this frame, and not
    reserved for a thing that the tracker still remembers; where all are reserved, the one that was
    left first. Things of the display come last, and give way: a digit may be taken for a paddle.
    What finds no slot is dropped: things beyond the range, types without one, and type 0.

    Args:
        types: `(N,)` integers, type ids 0..T.
        tracks: `(N,)` integers, numbers of the things, all different.
        display: `(N,)` bool, which of them belong to the display.
        ranges: `(T + 1, 2)` int64, first slot and end of each type's range.
        used_at: `(M,)` int64, when each slot was used last; written.
        owner: `(M,)` int64, the track that had it; written.
        now: number of the frame.
        slots: `(N,)` int64, -1 throughout; written: slot 0..M-1 of each thing, -1 where it was
            dropped.
    """
    is_full = np.zeros(len(ranges), np.bool_)  # all slots of a type are in use now
    for of_display in (False, True):
        for row in range(len(types)):
            if display[row] == of_display:
                first, end = ranges[types[row], 0], ranges[types[row], 1]
                slots[row] = _kept(first, end, tracks[row], used_at, owner, now)
        for row in range(len(types)):
            if slots[row] < 0 and display[row] == of_display and not is_full[types[row]]:
                first, end = ranges[types[row], 0], ranges[types[row], 1]
                slots[row] = _first_free(first, end, used_at, now)
                if slots[row] >= 0:
                    owner[slots[row]], used_at[slots[row]] = tracks[row], now
                else:
                    is_full[types[row]] = True


@numba.njit(cache=True)
def _kept(first, end, track, used_at, owner, now):
    """Returns the slot that a track has, -1 if it has none or another one took it now."""
    for slot in range(first, end):
        if owner[slot] == track and used_at[slot] < now:
            used_at[slot] = now
            return slot
    return -1


@numba.njit(cache=True)
def _first_free(first, end, used_at, now):
    """Returns the slot left first; all that are no longer reserved count as left equally long."""
    best, least = -1, now
    forgotten = now - MAX_UNSEEN - 1
    for slot in range(first, end):
        left_at = max(used_at[slot], forgotten)
        if left_at < least:
            best, least = slot, left_at
    return best
