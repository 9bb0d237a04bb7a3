"""Tracks: what is known of the things that are followed, from one frame to the next."""

from typing import NamedTuple

import numba
import numpy as np

MAX_UNSEEN = 8
"""Updates for which a thing that is not seen is remembered."""


class Tracks(NamedTuple):
    """Things that are followed, T of them; those of the newest frame first, in its order.

    Attributes:
        id: `(T,)` int32, number of the thing, from 1, never used again.
        type: `(T,)` int32, type id when it was seen last.
        place: `(T, 2)` float32, centre (x, y) in pixels when it was seen last.
        size: `(T, 2)` float32, width and height in pixels, likewise.
        velocity: `(T, 2)` float32, pixels per update between the last two sights; 0 at first sight.
        unseen: `(T,)` int32, updates since it was seen.
        fresh: `(T,)` bool, whether it was seen once only.
    """

    id: np.ndarray
    type: np.ndarray
    place: np.ndarray
    size: np.ndarray
    velocity: np.ndarray
    unseen: np.ndarray
    fresh: np.ndarray


@numba.njit(cache=True)
def continued(tracks, found, types, places, sizes, next_id):
    """Returns the tracks after a frame: its instances in their order, then what is remembered.

    Arrays are taken out of tuples before loops, which would count references in each turn.
    """
    old_id, _, old_place, _, _, old_unseen, _ = tracks
    is_left, num_left = _are_left(old_unseen, found)
    count = len(types)
    after = _room_for(count + num_left)
    ids, kinds, place, size, velocity, unseen, fresh = after
    for row in range(count):
        before = found[row]
        kinds[row], unseen[row], fresh[row] = types[row], 0, before < 0
        if before < 0:
            ids[row] = next_id
            next_id += 1
        else:
            ids[row] = old_id[before]
        for axis in range(2):
            place[row, axis], size[row, axis] = places[row, axis], sizes[row, axis]
            velocity[row, axis] = 0
            if before >= 0:
                moved = places[row, axis] - old_place[before, axis]
                velocity[row, axis] = moved / (old_unseen[before] + 1)
    copy_tracks(tracks, np.flatnonzero(is_left), after, count)
    for row in range(count, len(unseen)):
        unseen[row] += 1
    return after


@numba.njit(cache=True)
def _are_left(unseen, found):
    """Returns which tracks are not seen now and remembered, `(T,)` bool, and how many."""
    is_left, count = np.empty(len(unseen), np.bool_), 0
    for track in range(len(is_left)):
        is_left[track] = unseen[track] < MAX_UNSEEN
    for row in range(len(found)):
        if found[row] >= 0:
            is_left[found[row]] = False
    for track in range(len(is_left)):
        count += is_left[track]
    return is_left, count


@numba.njit(cache=True)
def _room_for(count):
    """Returns tracks of which nothing is written yet."""
    return Tracks(
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty((count, 2), np.float32),
        np.empty((count, 2), np.float32),
        np.empty((count, 2), np.float32),
        np.empty(count, np.int32),
        np.empty(count, np.bool_),
    )


@numba.njit(cache=True)
def copy_tracks(tracks: Tracks, chosen: np.ndarray, others: Tracks, start: int) -> None:
    """Writes the chosen tracks, `(n,)` int64, over the rows of others that begin there."""
    ids, kinds, place, size, velocity, unseen, fresh = tracks
    to_id, to_type, to_place, to_size, to_velocity, to_unseen, to_fresh = others
    for k in range(len(chosen)):
        track, row = chosen[k], start + k
        to_id[row], to_type[row] = ids[track], kinds[track]
        to_unseen[row], to_fresh[row] = unseen[track], fresh[track]
        for axis in range(2):
            to_place[row, axis], to_size[row, axis] = place[track, axis], size[track, axis]
            to_velocity[row, axis] = velocity[track, axis]
