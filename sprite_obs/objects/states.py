"""The tracks and slots of many environments in arrays, moved on by compiled loops."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.objects.slots import NEVER, NOBODY, assign_slots
from sprite_obs.objects.tracker import follow
from sprite_obs.objects.tracks import Tracks, copy_tracks


class States(NamedTuple):
    """What following and slots keep, for E environments with room for C tracks and M slots.

    Attributes:
        tracks: as in `Tracks`, but `(E, C, ...)`.
        num_tracks: `(E,)` int64, how many of them there are.
        next_id: `(E,)` int64, number of the next new track.
        used_at: `(E, M)` int64, the frame in which each slot was used last.
        owner: `(E, M)` int64, the track that had it.
        now: `(E,)` int64, frames so far.
    """

    tracks: Tracks
    num_tracks: np.ndarray
    next_id: np.ndarray
    used_at: np.ndarray
    owner: np.ndarray
    now: np.ndarray


def make_states(num_envs: int, num_tracks: int, num_slots: int) -> States:
    """Returns states in which nothing was seen yet."""
    ids = np.zeros((3, num_envs, num_tracks), np.int32)
    places = np.zeros((3, num_envs, num_tracks, 2), np.float32)
    fresh = np.zeros((num_envs, num_tracks), bool)
    states = States(
        Tracks(ids[0], ids[1], places[0], places[1], places[2], ids[2], fresh),
        np.zeros(num_envs, np.int64),
        np.zeros(num_envs, np.int64),
        np.zeros((num_envs, num_slots), np.int64),
        np.zeros((num_envs, num_slots), np.int64),
        np.zeros(num_envs, np.int64),
    )
    for env in range(num_envs):
        reset_state(states, env)
    return states


def reset_state(states: States, env: int) -> None:
    """Forgets the tracks of an environment and empties its slots."""
    states.num_tracks[env] = states.now[env] = 0
    states.next_id[env] = 1
    states.used_at[env], states.owner[env] = NEVER, NOBODY


def with_room(states: States, num_tracks: int) -> States:
    """Returns the states, or copies of them with room for at least so many tracks each."""
    num_envs, room = states.tracks.id.shape
    if num_tracks <= room:
        return states
    larger = make_states(num_envs, 2 * num_tracks, states.owner.shape[1])
    for old, new in zip(states.tracks, larger.tracks, strict=True):
        new[:, :room] = old
    return states._replace(tracks=larger.tracks)


@numba.njit(cache=True)
def follow_things(states, env, types, places, sizes, display, ranges):
    """Moves an environment on by a frame, for compiled loops alone.

    Args:
        states: those of all environments, changed in place, with room for all that may come.
        env: the environment.
        types: as for `Tracker.update`.
        places: likewise.
        sizes: likewise.
        display: as for `assign_slots`.
        ranges: as for `assign_slots`.

    Returns:
        `(N,)` int32 tracks, `(N, 2)` float32 velocities and `(N,)` int64 slots of the things.
    """
    now = _follow(states, env, types, places, sizes)
    slots = np.full(len(types), -1)
    track = now.id[: len(types)]
    states.now[env] += 1
    used_at, owner = states.used_at[env], states.owner[env]
    assign_slots(types, track, display, ranges, used_at, owner, states.now[env], slots)
    return track, now.velocity[: len(types)], slots


@numba.njit(cache=True, inline="always")
def _follow(states, env, types, places, sizes):
    """Replaces the tracks of an environment by those after a frame, and returns them."""
    kept = _first_tracks(states.tracks, env, states.tracks.id.shape[1])
    before = _first_tracks(states.tracks, env, states.num_tracks[env])
    now, num_new = follow(before, types, places, sizes, states.next_id[env])
    states.num_tracks[env] = len(now.id)
    states.next_id[env] += num_new
    copy_tracks(now, np.arange(len(now.id)), kept, 0)
    return now


@numba.njit(cache=True)
def _first_tracks(tracks, env, count):
    """Returns the first tracks of an environment, the same memory."""
    return Tracks(
        tracks.id[env, :count],
        tracks.type[env, :count],
        tracks.place[env, :count],
        tracks.size[env, :count],
        tracks.velocity[env, :count],
        tracks.unseen[env, :count],
        tracks.fresh[env, :count],
    )
