"""From detections to observations, for one environment or many: objects, tracks, slots, columns."""

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from sprite_obs.detections import Detections, Sight, merge_objects
from sprite_obs.flat import FlatView
from sprite_obs.lookup.meaning import Meaning
from sprite_obs.objects.slots import slot_ranges, slot_types
from sprite_obs.objects.states import make_states, reset_state, with_room
from sprite_obs.observe import Filled, Rows, Scene, observe_rows, observe_table
from sprite_obs.packed import pack
from sprite_obs.workers import is_worker
from sprite_obs.wrapper_checks import Level

LOGGER = logging.getLogger("sprite_obs")
NUM_TRACKS = 64
"""Tracks of an environment for which there is room at first."""
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
    type_counts: np.ndarray
    object_counts: np.ndarray
    former_types: Sequence[int]

    @property
    def meaning(self) -> Meaning:
        """What the sprites are, for compiled loops."""


class ObservationBuilder:
    """Turns what was found in the frames of environments into their next observations.

    All wrappers build their observations here, so that they are the same in all of them. Every
    environment has tracks and slots of its own; all are moved on by one compiled call.

    Args:
        known: the encoder that found the sprites, or what else knows what is found.
        num_envs: number of environments.
        max_sprites: M, slots of an observation.
        level: ``"object"``: a slot for a whole thing; ``"sprite"``: one for each of its sprites.
        display: whether score, lives and logos get slots.
        flatten: whether an observation is one vector instead of a dictionary.
        joins_frames: whether the sprites of two frames are joined, which may be twice as many.

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
        joins_frames: bool = False,
    ):
        height, width, _ = known.frame_shape
        merges = level == "object"
        ranges = _ranges(known, max_sprites, merges, display, joins_frames)
        slot_type = slot_types(ranges, max_sprites)
        self._flat = FlatView((width, height), slot_type) if flatten else None
        self.space = self._flat.space if self._flat else observation_space(known, slot_type)
        self._scene = Scene(known.meaning, ranges, _corner(known), merges, display)
        self._states = make_states(num_envs, NUM_TRACKS, max_sprites)
        self._observer = pack((self._scene, self._states))
        self._max_sprites, self._most = max_sprites, 0  # the largest number of tracks

    def __getstate__(self) -> dict[str, Any]:
        """Leaves behind what is packed again."""
        return {key: value for key, value in self.__dict__.items() if key != "_observer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Packs it again."""
        self.__dict__.update(state)
        self._observer = pack((self._scene, self._states))

    def reset(self, env: int) -> None:
        """Forgets the tracks of an environment and empties its slots: its next episode begins."""
        reset_state(self._states, env)

    def things(self, found: Detections) -> Detections:
        """Returns what gets slots: the sprites, or the objects that are drawn from them."""
        return merge_objects(found) if self._scene.merges else found

    def build(self, found: Detections | Sight, envs: Sequence[int]) -> Observations:
        """Moves the tracks and slots of environments on by one frame each.

        Args:
            found: the sprites of a batch of frames, one of each environment.
            envs: the environments, in the order of their frames.

        Returns:
            Arrays `(B, M, ...)` for the B environments or, flattened, `(B, F)`; new ones at each
            call.
        """
        filled = self._observe(found, np.array(envs, np.int64))
        sprite, kind, layer, track, thing = filled.numbers
        display, presence = filled.flags
        position, velocity = filled.places
        if self._flat is not None:
            return self._flat.flatten(kind, presence, position, velocity)
        return {
            "sprite": sprite,
            "type": kind,
            "layer": layer,
            "track": track,
            "object": thing,
            "display": display,
            "position": position,
            "velocity": velocity,
            "presence": presence,
        }

    def _observe(self, found: Detections | Sight, envs: np.ndarray) -> Filled:
        shape = len(envs), self._max_sprites
        numbers, flags = np.zeros((5, *shape), np.int32), np.zeros((2, *shape), np.int8)
        filled = Filled(numbers, flags, np.zeros((2, *shape, 2), np.float32))
        most = np.bincount(found.frame, minlength=1).max() if len(envs) > 1 else len(found.frame)
        self._most += int(most)  # also if an error comes after some environments were moved on
        self._make_room(self._most)
        if isinstance(found, Sight):
            num_tracks = observe_table(found.frame, found.table, envs, self._observer, filled)
        else:
            columns = (np.ascontiguousarray(getattr(found, key), np.int32) for key in Rows._fields)
            num_tracks = observe_rows(Rows(*columns), envs, self._observer, filled)
        if num_tracks < 0:
            raise ValueError(
                f"expected sprites sorted by their frames 0 to {len(envs) - 1}, and environments "
                f"up to {len(self._states.now) - 1}, got frames {np.unique(found.frame)} and "
                f"environments {envs}; `Detections.of_frame` keeps the number of its frame"
            )
        self._most = num_tracks
        return filled

    def _make_room(self, num_tracks: int) -> None:
        """Makes room for so many tracks in each environment."""
        states = with_room(self._states, num_tracks)
        if states is not self._states:
            self._states, self._observer = states, pack((self._scene, states))


def _ranges(
    known: Known, max_sprites: int, merges: bool, display: bool, joins_frames: bool
) -> np.ndarray:
    """Returns `(T + 1, 2)`, the slots of each type."""
    capacity = known.object_capacity if merges else known.type_capacity
    capacity = capacity * 2 if joins_frames else capacity
    seen = known.object_counts if merges else known.type_counts  # (2, T + 1)
    counts = seen.sum(0) if display else seen[0]
    is_wanted = counts > 0
    is_wanted[: max(known.former_types, default=0) + 1] = True  # these come first, seen or not
    is_wanted[0] = False
    _tell_if_crowded(int(capacity[is_wanted].sum()), max_sprites)
    return slot_ranges(capacity, counts, max_sprites, known.former_types)


@cache
def _tell_if_crowded(num_things: int, max_sprites: int) -> None:
    """Logs, once and but for workers, that there may be more things than slots."""
    if num_things > max_sprites and not is_worker():
        LOGGER.warning(
            "the game shows up to %d things, but there are %d slots, so that some of many like "
            "things have none; max_sprites=%d has room for all",
            num_things,
            max_sprites,
            num_things,
        )


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


def observation_space(known: Known, slot_type: np.ndarray) -> spaces.Space[Any]:
    """Returns the space of an observation whose M slots may hold things of `slot_type`, `(M,)`."""
    max_sprites = len(slot_type)
    corner = np.tile(_corner(known), (max_sprites, 1))  # (M, 2)

    def column(high: int, dtype: Any = np.int32) -> spaces.Box:
        return spaces.Box(0, high, (max_sprites,), dtype)

    return spaces.Dict(
        {
            "sprite": column(known.num_sprites),
            "type": spaces.Box(np.zeros_like(slot_type), slot_type, dtype=np.int32),
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
