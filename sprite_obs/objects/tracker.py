"""Follows things from frame to frame: a number for every thing, which it keeps."""

import numba
import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.objects.assignment import assign_within
from sprite_obs.objects.tracks import Tracks, continued

MAX_STEP = 48.0
"""Pixels per update; what seems to move further is something else."""
MAX_STEP_ALONE = 96.0
"""The same for a thing that is the only one of its type, before and after."""
MAX_STEP_CHANGED = 40.0
"""The same for a thing that is taken for another type than before."""
MIN_LIKENESS = 0.3
"""A thing of another type than before has at least this share of the area that it had, or the other
way round."""
DOUBT_FRESH, DOUBT_UNSEEN = 16.0, 8.0
"""Pixels that a track counts as further away, squared and added to the squared distance: when it
was seen once only, and for each update in which it was not seen."""


def _empty(count: int) -> Tracks:
    ids, places = np.zeros((3, count), np.int32), np.zeros((3, count, 2), np.float32)
    return Tracks(ids[0], ids[1], places[0], places[1], places[2], ids[2], np.zeros(count, bool))


class Tracker:
    """Gives the instances of each frame the numbers of the tracks that they continue.

    Instances are matched to tracks of their type, no further than `MAX_STEP`, so that the sum of
    squared distances is smallest. Squares, because a formation that moves as one is then matched
    correctly even if it moves further than its members are apart. The distance is that from where
    the thing was or from where it would be at its velocity, whichever is nearer: things of a type
    that cross each other go on straight, and one that turns round is found all the same.

    What is left is matched to tracks of other types that are near and of like size, so that a thing
    that is mistaken for a moment keeps its track. What then is left is new.

    A track that is not seen is remembered for `MAX_UNSEEN` updates: what flickers, or passes behind
    something, comes back to its own. One that was seen once only counts as further away: where
    something passes in front of a thing, two pieces of it are seen for a moment, and the thing must
    go on with the number that it had.

    Attributes:
        tracks: all that are remembered; after `update`, the first ones are those of its instances.
    """

    tracks: Tracks

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything, as at the start of an episode; numbers begin with 1 again."""
        self.tracks = _empty(0)
        self._next_id = 1

    def update(self, types: np.ndarray, places: np.ndarray, sizes: np.ndarray) -> Tracks:
        """Follows things into the next frame.

        Args:
            types: `(N,)` integers, type ids, 0 for unknown things.
            places: `(N, 2)`, centres (x, y) in pixels.
            sizes: `(N, 2)`, width and height in pixels.

        Returns:
            The tracks of the instances, N rows in their order; views of arrays that are never
            written into again.
        """
        types = np.ascontiguousarray(types, np.int32)  # or Numba compiles for each kind of array
        places = np.ascontiguousarray(places, np.float32)
        sizes = np.ascontiguousarray(sizes, np.float32)
        self.tracks, num_new = _follow_alone(self.tracks, types, places, sizes, self._next_id)
        self._next_id += num_new
        return Tracks(*(array[: len(types)] for array in self.tracks))


def track_ids(found: Detections, episode: np.ndarray) -> np.ndarray:
    """Follows things through the frames of recorded episodes.

    Args:
        found: the detections, in the order of the frames.
        episode: `(F,)` integers, episode of each frame; a new one starts where it changes.

    Returns:
        `(N,)` int32, number of each detection's thing; they begin with 1 in each episode.
    """
    tracker, ids = Tracker(), np.zeros(len(found.frame), np.int32)
    ends = np.searchsorted(found.frame, np.arange(len(episode) + 1))
    centre, size = found.centre, found.box[:, 2:]
    for frame in range(len(episode)):
        if frame and episode[frame] != episode[frame - 1]:
            tracker.reset()
        rows = slice(ends[frame], ends[frame + 1])
        ids[rows] = tracker.update(found.type[rows], centre[rows], size[rows]).id
    return ids


@numba.njit(cache=True)
def _follow_alone(tracks, types, places, sizes, next_id):
    return follow(tracks, types, places, sizes, next_id)


@numba.njit(cache=True)
def follow(tracks, types, places, sizes, next_id):
    """Follows things into the next frame, for compiled loops alone.

    Numba's cache mixes up functions that return arrays and are called both from there and from
    Python.

    Returns:
        The tracks after a frame, and how many of them are new.
    """
    found = _match(tracks, types, places, sizes)
    return continued(tracks, found, types, places, sizes, next_id), np.sum(found < 0)


@numba.njit(cache=True)
def _match(tracks, types, places, sizes):
    """Returns `(N,)` int64, row of the track that each instance continues, -1 if it is new."""
    found = np.full(len(types), -1)
    is_free = np.ones(len(tracks.id), np.bool_)
    is_done = np.zeros(len(types), np.bool_)
    of_type, tracks_of_type = np.empty(len(types), np.int64), np.empty(len(is_free), np.int64)
    where = _where(tracks)
    for first in range(len(types)):
        if not is_done[first]:
            rows = of_type[: _list_equal(types, types[first], of_type)]
            same = tracks_of_type[: _list_equal(tracks.type, types[first], tracks_of_type)]
            for row in rows:
                is_done[row] = True
            alone = len(rows) == len(same) == 1 and tracks.unseen[same[0]] == 0
            reach = MAX_STEP_ALONE if alone else MAX_STEP
            if not _pair_nearest(where, same, places, rows, reach, found, is_free):
                _pair(rows, same, _costs(where, same, places, rows), reach, found, is_free)
    if _has_all(found):  # most of the time
        return found
    rows, others = np.flatnonzero(found < 0), np.flatnonzero(is_free)
    if len(rows) and len(others):
        costs = _costs(where, others, places, rows)
        _forbid_unlike(costs, tracks.size[others], sizes[rows])
        _pair(rows, others, costs, MAX_STEP_CHANGED, found, is_free)
    return found


@numba.njit(cache=True)
def _list_equal(values, value, rows):
    """Lists the rows in which a value stands; returns how many there are."""
    count = 0
    for row in range(len(values)):
        if values[row] == value:
            rows[count] = row
            count += 1
    return count


@numba.njit(cache=True)
def _has_all(found):
    """Returns whether each row has found a track."""
    found_all = True
    for row in range(len(found)):
        found_all &= found[row] >= 0
    return found_all


@numba.njit(cache=True)
def _where(tracks):
    """Returns where tracks were, where they would be at their velocity, and their doubt.

    Returns:
        `(T, 5)` float64: x and y, x and y ahead, squared pixels of doubt.
    """
    _, _, places, _, velocity, unseen, fresh = tracks
    where = np.empty((len(places), 5))
    for track in range(len(where)):
        steps = unseen[track] + 1
        for axis in range(2):
            place = places[track, axis]
            where[track, axis] = place
            where[track, 2 + axis] = np.float32(place + steps * velocity[track, axis])
        where[track, 4] = DOUBT_UNSEEN**2 * unseen[track] + DOUBT_FRESH**2 * fresh[track]
    return where


@numba.njit(cache=True, inline="always")
def _cost(where, track, x, y):
    """Squared distance from where a track was or would be, whichever is nearer, and its doubt."""
    still = (x - where[track, 0]) ** 2 + (y - where[track, 1]) ** 2
    moved = (x - where[track, 2]) ** 2 + (y - where[track, 3]) ** 2
    return min(still, moved) + where[track, 4]


@numba.njit(cache=True)
def _costs(where, candidates, places, rows):
    """Costs of all pairs, `(n, t)`."""
    costs = np.empty((len(rows), len(candidates)))
    for i in range(len(rows)):
        x, y = places[rows[i], 0], places[rows[i], 1]
        for j in range(len(candidates)):
            costs[i, j] = _cost(where, candidates[j], x, y)
    return costs


@numba.njit(cache=True)
def _pair_nearest(where, candidates, places, rows, reach, found, is_free):
    """Pairs each row with its nearest candidate, if these are all different: most of the time.

    Returns:
        Whether they are, and all within reach; else nothing was paired.
    """
    if len(rows) > len(candidates):
        return False
    nearest, after = np.empty(len(rows), np.int64), 0
    is_taken = np.zeros(len(candidates), np.bool_)
    for i in range(len(rows)):
        x, y = places[rows[i], 0], places[rows[i], 1]
        best, least = -1, reach**2
        for k in range(len(candidates)):
            # Things that rest come in the order of their tracks: the next one costs nothing.
            j = after + k if after + k < len(candidates) else after + k - len(candidates)
            cost = _cost(where, candidates[j], x, y)
            if cost < least or (cost == least and best > j):
                best, least = j, cost
            if cost == 0:
                break
        if best < 0 or is_taken[best]:
            return False
        nearest[i], is_taken[best], after = best, True, best + 1
    for i in range(len(rows)):
        found[rows[i]] = candidates[nearest[i]]
        is_free[candidates[nearest[i]]] = False
    return True


@numba.njit(cache=True)
def _forbid_unlike(costs, track_sizes, sizes):
    """Moves what is of another size out of reach."""
    for i in range(len(sizes)):
        for j in range(len(track_sizes)):
            area, before = sizes[i, 0] * sizes[i, 1], track_sizes[j, 0] * track_sizes[j, 1]
            if min(area, before) < MIN_LIKENESS * max(area, before):
                costs[i, j] = np.inf


@numba.njit(cache=True)
def _pair(rows, candidates, costs, reach, found, is_free):
    """Writes the best pairs of rows and candidate tracks within reach into `found`."""
    first, second = assign_within(costs, reach**2)
    found[rows[first]] = candidates[second]
    is_free[candidates[second]] = False
