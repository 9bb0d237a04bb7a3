"""From detections to observations, for one environment or many: objects, tracks, slots, columns."""

from collections.abc import Sequence
from typing import Any, Protocol

import numba
import numpy as np
from gymnasium import spaces

from sprite_obs.detections import Detections, main_rows, merge_objects
from sprite_obs.flat import FlatView
from sprite_obs.objects.slots import SlotTable
from sprite_obs.objects.tracker import Tracker
from sprite_obs.wrapper_checks import Level

KEYS = (
    "sprite",
    "type",
    "layer",
    "track",
    "object",
    "display",
    "position",
    "velocity",
    "presence",
)
MAX_LAYER = 255
MAX_TRACK = np.iinfo(np.int32).max

Observations = dict[str, np.ndarray] | np.ndarray
"""Of one environment or, in rows, of many: an array for each key, or one array of flat features."""


class Known(Protocol):
    """What there can be in a game, as a `FrozenEncoder` knows it, which says what each is."""

    frame_shape: tuple[int, ...]
    num_sprites: int
    num_types: int
    type_capacity: np.ndarray
    object_capacity: np.ndarray

    def is_display(self, found: Detections) -> np.ndarray:
        """Returns `(N,)` bool, which things belong to the display."""


class ObservationBuilder:
    """Turns what was found in the frames of environments into their next observations.

    All wrappers build their observations here, so that they are the same in all of them. Every
    environment has tracks and slots of its own; what needs none of them is done for all at once.

    Args:
        known: the encoder that found the sprites, or what else knows what is found.
        num_envs: number of environments.
        max_sprites: M, slots of an observation.
        level: ``"object"``: a slot for a whole thing; ``"sprite"``: one for each of its sprites.
        display: whether score, lives and logos get slots.
        flatten: whether an observation is one vector instead of a dictionary.

    Attributes:
        space: space of one environment's observation, described in `SpriteObservation`.
    """

    space: spaces.Space[Any]

    def __init__(
        self,
        known: Known,
        num_envs: int,
        max_sprites: int,
        level: Level,
        display: bool,
        flatten: bool = False,
    ):
        height, width, _ = known.frame_shape
        self._flat = FlatView((width, height), max_sprites) if flatten else None
        self.space = self._flat.space if self._flat else observation_space(known, max_sprites)
        self._known, self._max_sprites = known, max_sprites
        self._merges, self._display = level == "object", display
        capacity = known.object_capacity if self._merges else known.type_capacity
        self._trackers = [Tracker() for _ in range(num_envs)]
        self._slots = [SlotTable(capacity, max_sprites) for _ in range(num_envs)]
        self._corner = _corner(known)

    def reset(self, env: int) -> None:
        """Forgets the tracks of an environment and empties its slots: its next episode begins."""
        self._trackers[env].reset()
        self._slots[env].reset()

    def things(self, found: Detections) -> Detections:
        """Returns what gets slots: the sprites, or the objects that are drawn from them."""
        return merge_objects(found) if self._merges else found

    def build(self, things: Detections, envs: Sequence[int]) -> Observations:
        """Moves the tracks and slots of environments on by one frame each.

        Args:
            things: what `things` returned for a batch of frames, one of each environment.
            envs: the environments, in the order of their frames.

        Returns:
            Arrays `(B, M, ...)` for the B environments or, flattened, `(B, F)`; new ones at each
            call.
        """
        arrays = self._arrays(things, envs)
        if self._flat is None:
            return arrays
        keys = ("type", "presence", "position", "velocity")
        return self._flat.flatten(*(arrays[key] for key in keys))

    def _arrays(self, things: Detections, envs: Sequence[int]) -> dict[str, np.ndarray]:
        shown = self._known.is_display(things)
        if not self._display:
            things, shown = things.rows(~shown), shown[~shown]
        position = _positions(things.box, self._corner)
        track, velocity, slots = self._follow(things, position, shown, envs)
        columns = (
            things.sprite,
            things.type,
            things.layer,
            track,
            track if self._merges else track[main_rows(things)],
            shown.astype(np.int8),
            position,
            velocity,
            np.ones(len(slots), np.int8),
        )
        shape = len(envs), self._max_sprites
        empty = [np.zeros(shape + values.shape[1:], values.dtype) for values in columns]
        _fill(things.frame, slots, columns, tuple(empty))
        return dict(zip(KEYS, empty, strict=True))

    def _follow(
        self, things: Detections, position: np.ndarray, display: np.ndarray, envs: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns track `(N,)`, velocity `(N, 2)` and slot `(N,)` of each thing."""
        columns = things.type, position, things.box[:, 2:], display
        if len(envs) == 1:
            return self._follow_one(envs[0], *columns)
        ends = np.searchsorted(things.frame, np.arange(len(envs) + 1)).tolist()
        parts = []
        for row, env in enumerate(envs):
            rows = slice(ends[row], ends[row + 1])
            parts.append(self._follow_one(env, *(values[rows] for values in columns)))
        track, velocity, slots = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return track, velocity, slots

    def _follow_one(
        self,
        env: int,
        types: np.ndarray,
        position: np.ndarray,
        sizes: np.ndarray,
        display: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        tracks = self._trackers[env].update(types, position, sizes)
        return tracks.id, tracks.velocity, self._slots[env].update(types, tracks.id, display)


@numba.njit(cache=True)
def _positions(box, corner):
    """Returns `(N, 2)` float32, the centres; of what is mostly outside, the border's next point."""
    position = np.empty((len(box), 2), np.float32)
    for row in range(len(box)):
        for axis in range(2):
            centre = np.float32(box[row, axis] + box[row, 2 + axis] / 2)
            position[row, axis] = min(max(centre, np.float32(0)), corner[axis])
    return position


@numba.njit(cache=True)
def _fill(frame, slots, columns, filled):
    """Writes the rows that have slots into `(B, M, ...)` arrays, one for each column."""
    sprite, kind, layer, track, thing, display, position, velocity, presence = columns
    for row in range(len(slots)):
        env, slot = frame[row], slots[row]
        if slot < 0:
            continue
        filled[0][env, slot], filled[1][env, slot] = sprite[row], kind[row]
        filled[2][env, slot], filled[3][env, slot] = layer[row], track[row]
        filled[4][env, slot], filled[5][env, slot] = thing[row], display[row]
        for axis in range(2):
            filled[6][env, slot, axis] = position[row, axis]
            filled[7][env, slot, axis] = velocity[row, axis]
        filled[8][env, slot] = presence[row]


def rows_of(observations: Observations, rows: Any) -> Observations:
    """Returns the observations, or the one, that an index of NumPy picks."""
    if isinstance(observations, np.ndarray):
        return observations[rows]
    return {key: array[rows] for key, array in observations.items()}


def copied(observations: Observations) -> Observations:
    """Returns observations that share no memory with the given ones."""
    if isinstance(observations, np.ndarray):
        return observations.copy()
    return {key: array.copy() for key, array in observations.items()}


def replace_rows(observations: Observations, rows: np.ndarray, by: Observations) -> None:
    """Writes observations, of the same kind, over the rows of others."""
    if isinstance(observations, np.ndarray):
        observations[rows] = by
        return
    assert isinstance(by, dict)
    for key, array in observations.items():
        array[rows] = by[key]


def observation_space(known: Known, max_sprites: int) -> spaces.Space[Any]:
    """Returns the space of an observation of M = `max_sprites` slots."""
    corner = np.tile(_corner(known), (max_sprites, 1))  # (M, 2)

    def column(high: int, dtype: Any = np.int32) -> spaces.Box:
        return spaces.Box(0, high, (max_sprites,), dtype)

    return spaces.Dict(
        {
            "sprite": column(known.num_sprites),
            "type": column(known.num_types),
            "layer": column(MAX_LAYER),
            "track": column(MAX_TRACK),
            "object": column(MAX_TRACK),
            "display": column(1, np.int8),
            "position": spaces.Box(np.zeros_like(corner), corner, dtype=np.float32),
            "velocity": spaces.Box(-corner, corner, dtype=np.float32),
            "presence": column(1, np.int8),
        }
    )


def _corner(known: Known) -> np.ndarray:
    """Returns the largest position, `(2,)` float32 (width, height) of a frame."""
    height, width, _ = known.frame_shape
    return np.array([width, height], np.float32)
