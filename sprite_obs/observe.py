"""From found sprites to filled slots, for all environments of a step in one compiled call."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.detections import merge_rows
from sprite_obs.lookup.display import mark_display
from sprite_obs.lookup.links import group_rows
from sprite_obs.lookup.meaning import Meaning
from sprite_obs.objects.states import follow_things
from sprite_obs.packed import Packed


class Scene(NamedTuple):
    """What observations are made of.

    Attributes:
        meaning: what the sprites are.
        ranges: `(T + 1, 2)` int64, slots of each type, as `slot_ranges` returns them.
        corner: `(2,)` float32, width and height of the frame.
        merges: whether the sprites of an object share a slot.
        display: whether score, lives and logos get slots.
    """

    meaning: Meaning
    ranges: np.ndarray
    corner: np.ndarray
    merges: bool
    display: bool


class Filled(NamedTuple):
    """Slots of B environments, 0 throughout where they are empty.

    Attributes:
        numbers: `(5, B, M)` int32, sprite, type, layer, track and object.
        flags: `(2, B, M)` int8, display and presence.
        places: `(2, B, M, 2)` float32, position and velocity.
    """

    numbers: np.ndarray
    flags: np.ndarray
    places: np.ndarray


class Rows(NamedTuple):
    """Columns of `Detections`: sprites of frames in their order."""

    frame: np.ndarray
    sprite: np.ndarray
    type: np.ndarray
    layer: np.ndarray
    box: np.ndarray
    object: np.ndarray


@numba.njit(cache=True, nogil=True)
def observe_table(
    frame: np.ndarray,
    table: np.ndarray,
    envs: np.ndarray,
    observer: Packed,
    filled: Filled,
) -> int:
    """Moves environments on by a frame of each, and fills their slots.

    Args:
        frame: `(N,)` int32, as in `Sight`.
        table: `(N, 6)` or more int32, likewise.
        envs: `(B,)` int64, the environments in the order of their frames.
        observer: a `Scene`, of which observations are made, and the `States` of all environments,
            with room for N more tracks in each.
        filled: 0 throughout; written.

    Returns:
        The largest number of tracks of an environment; -1 if sprites are not in the order of their
        frames, or there is no such frame or environment.
    """
    scene, _ = observer.content
    links, type_of_id = scene.meaning.links, scene.meaning.type_of_id
    sprite, layer, box = table[:, 0].copy(), table[:, 1].copy(), table[:, 2:6].copy()
    kind, number = type_of_id[sprite], np.empty(len(sprite), np.int32)
    begin = 0
    for n in range(len(envs)):
        end = _end_of(frame, begin, n)
        rows = slice(begin, end)
        group_rows(sprite[rows], box[rows], links, number[rows])
        begin = end
    return _observe_all(Rows(frame, sprite, kind, layer, box, number), envs, observer, filled)


@numba.njit(cache=True, nogil=True)
def observe_rows(rows: Rows, envs: np.ndarray, observer: Packed, filled: Filled) -> int:
    """Is `observe_table` for sprites of which types and objects are known."""
    return _observe_all(rows, envs, observer, filled)


@numba.njit(cache=True, inline="always")  # many arrays, for which calls take long to compile
def _observe_all(rows, envs, observer, filled):
    _, states = observer.content
    if len(envs) and (envs.min() < 0 or envs.max() >= len(states.now)):
        return -1
    begin = 0
    for n in range(len(envs)):
        end = _end_of(rows.frame, begin, n)
        of_frame = Rows(
            rows.frame[begin:end],
            rows.sprite[begin:end],
            rows.type[begin:end],
            rows.layer[begin:end],
            rows.box[begin:end],
            rows.object[begin:end],
        )
        _observe(of_frame, n, envs[n], observer, filled)
        begin = end
    return states.num_tracks.max() if begin == len(rows.frame) else -1


@numba.njit(cache=True)
def _end_of(frame, begin, number):
    """Returns the end of the rows of a frame, which begin there."""
    end = begin
    while end < len(frame) and frame[end] == number:
        end += 1
    return end


@numba.njit(cache=True)
def _observe(rows, n, env, observer, filled):
    """Moves an environment on by its frame, and fills row `n` of the slots."""
    scene, states = observer.content
    things = rows
    if scene.merges:
        main, box = merge_rows(rows.layer, rows.box, rows.object)
        things = _chosen(rows, main, box)
    display = np.empty(len(things.sprite), np.bool_)
    mark_display(things.sprite, things.box, scene.meaning.display, display)
    if not scene.display:
        kept = np.flatnonzero(~display)
        things, display = _chosen(things, kept, things.box[kept]), display[kept]
    places, sizes = _centres(things.box, scene.corner)
    track, velocity, slots = follow_things(
        states, env, things.type, places, sizes, display, scene.ranges
    )
    whole = track if scene.merges else _of_main(things, track)
    _fill(filled, n, slots, things, track, whole, display, places, velocity)


@numba.njit(cache=True)
def _fill(filled, n, slots, things, track, whole, display, places, velocity):
    """Writes the things that have slots. Arrays are taken out of tuples before the loop."""
    numbers, flags, filled_places = filled
    _, sprite, kind, layer, _, _ = things
    for row in range(len(slots)):
        slot = slots[row]
        if slot < 0:
            continue
        numbers[0, n, slot], numbers[1, n, slot] = sprite[row], kind[row]
        numbers[2, n, slot], numbers[3, n, slot] = layer[row], track[row]
        numbers[4, n, slot] = whole[row]
        flags[0, n, slot], flags[1, n, slot] = display[row], 1
        for axis in range(2):
            filled_places[0, n, slot, axis] = places[row, axis]
            filled_places[1, n, slot, axis] = velocity[row, axis]


@numba.njit(cache=True)
def _chosen(rows, chosen, box):
    """Returns some rows, with other boxes."""
    return Rows(
        rows.frame[chosen],
        rows.sprite[chosen],
        rows.type[chosen],
        rows.layer[chosen],
        box,
        rows.object[chosen],
    )


@numba.njit(cache=True)
def _centres(box, corner):
    """Returns `(N, 2)` float32, the centres of boxes, and their sizes.

    Of what is mostly outside of the frame, it is the border's next point.
    """
    places, sizes = np.empty((len(box), 2), np.float32), np.empty((len(box), 2), np.float32)
    for row in range(len(box)):
        for axis in range(2):
            centre = np.float32(box[row, axis] + box[row, 2 + axis] / 2)
            places[row, axis] = min(max(centre, np.float32(0)), corner[axis])
            sizes[row, axis] = box[row, 2 + axis]
    return places, sizes


@numba.njit(cache=True)
def _of_main(things, track):
    """Returns `(N,)` int32, the track of each object's main sprite: of the largest box, the first.

    Args:
        things: the sprites.
        track: `(N,)` int32, theirs.
    """
    box, number = things.box, things.object
    of_main = np.empty(len(track), np.int32)
    for row in range(len(track)):
        largest = np.int64(-1)
        for other in range(len(track)):
            size = np.int64(box[other, 2]) * box[other, 3]
            if number[other] == number[row] and size > largest:
                of_main[row], largest = track[other], size
    return of_main
