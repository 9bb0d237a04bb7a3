"""Screens and states of the background that a model does not know yet."""

import dataclasses

import numpy as np

from sprite_obs.config import DiscoverConfig
from sprite_obs.discover.bands import find_bands
from sprite_obs.discover.discovery import learn_room
from sprite_obs.discover.known import Known, read_known
from sprite_obs.discover.regions import find_regions
from sprite_obs.discover.rooms import DIFFERENT, split_rooms
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.panorama import Panorama
from sprite_obs.lookup.rooms import Behind, Rooms

STEADY = 0.5
"""Share of a screen's frames in which a pixel must be unexplained to count as scenery."""


def rooms_of(behind: Behind) -> list[Background]:
    """Returns the backgrounds of all rooms, a single one for a single screen."""
    assert not isinstance(behind, Panorama)  # models that scroll are refused
    return behind.rooms if isinstance(behind, Rooms) else [behind]


def add_screens(
    frames: np.ndarray, episode: np.ndarray, known: Known, config: DiscoverConfig, max_size: int
) -> tuple[Behind, np.ndarray]:
    """Adds the rooms that known ones do not explain, and what else known ones look like.

    Known rooms keep their images; all rooms share the playing field.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        known: what is known before.
        config: thresholds.
        max_size: side of a sprite's canvas in pixels.

    Returns:
        The background, known rooms first, and `(N,)` int64, negative for frames between rooms.
    """
    room = split_rooms(frames, episode)
    _, masks = read_known(frames, known, config)
    rooms = rooms_of(known.background)
    is_new = [_is_new(masks[room == number]) for number in range(room.max() + 1)]
    found = [
        learn_room(frames[room == number], config, max_size) for number in np.flatnonzero(is_new)
    ]
    shows_known = (room >= 0) & ~np.append(is_new, False)[room]
    shows_known &= masks.mean((1, 2)) <= config.max_foreground
    rooms = _add_states(rooms, known.background, frames[shows_known], masks[shows_known], config)
    rooms += [new.with_window(known.background.window) for new in found]
    return (Rooms(rooms) if len(rooms) > 1 else rooms[0]), room


def _is_new(masks: np.ndarray) -> bool:
    """Says whether frames show scenery that is not known."""
    return bool((masks.mean(0) > STEADY).mean() > DIFFERENT)


def _add_states(
    rooms: list[Background],
    behind: Behind,
    frames: np.ndarray,
    masks: np.ndarray,
    config: DiscoverConfig,
) -> list[Background]:
    """Adds rows and regions of known rooms that take on further colours."""
    number = np.array([behind.room(index) if isinstance(behind, Rooms) else 0 for index in frames])
    changed = []
    for i, room in enumerate(rooms):
        own = number == i
        # Where everything is known the usual colour is shown, so that only what is new is counted.
        new = np.where(masks[own], frames[own], room.image)
        changed.append(_with_states(room, new, config) if own.any() else room)
    return changed


def _with_states(room: Background, frames: np.ndarray, config: DiscoverConfig) -> Background:
    bands = _joined(room.bands, find_bands(frames, room.image, config.min_count))
    usual = dataclasses.replace(Background.still(room.image), bands=bands)
    regions = find_regions(frames, usual, config.min_count, config.max_foreground)
    return dataclasses.replace(room, bands=bands, regions=_joined(room.regions, regions))


def _joined(known: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Appends rows that are not there yet; those of one place stay together, known ones first."""
    rows = list(dict.fromkeys(map(tuple, [*known.tolist(), *new.tolist()])))
    places = {place: i for i, place in enumerate(dict.fromkeys(row[:2] for row in rows))}
    rows.sort(key=lambda row: places[row[:2]])
    return np.array(rows, np.int32).reshape(-1, known.shape[1])
