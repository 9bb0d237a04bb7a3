"""Where extending starts: a dictionary with what new frames add to it."""

import numpy as np

from sprite_obs.checkpoint import Checkpoint, Tables
from sprite_obs.config import PretrainConfig
from sprite_obs.detections import Detections, from_rows, merge_objects
from sprite_obs.discover.clipped import seen_window
from sprite_obs.discover.discovery import Discovery
from sprite_obs.discover.display import MIN_FRAMES, find_display
from sprite_obs.discover.fragments import find_links
from sprite_obs.discover.known import Known
from sprite_obs.discover.novelty import Novelty, find_new
from sprite_obs.errors import ConfigError, RecordingError
from sprite_obs.lookup.bank import from_canvases, make_bank
from sprite_obs.lookup.display import ALL, STILL, DisplayRows
from sprite_obs.lookup.links import Links
from sprite_obs.lookup.palette import Palette
from sprite_obs.lookup.rooms import flatten, restore
from sprite_obs.pretrain.start import Start, count_capacity, count_types, rank_types


def what_is_known(old: Checkpoint, palette: Palette) -> Known:
    """Returns the dictionary of a model, in the indices of a palette that has its colours first."""
    tables, image = old.tables, old.background
    usual = palette.nearest(image.reshape(-1, 3)).reshape(image.shape[:2])
    behind = restore(usual, tables.rooms, tables.bands, tables.regions, old.reading_window)
    bank = from_canvases(old.sprites, palette)
    return Known(bank, tables.counts, old.sprite_type, behind, tables.tiles, old.former_sizes)


def start_from_model(
    index: np.ndarray,
    episode: np.ndarray,
    config: PretrainConfig,
    old: Checkpoint,
    palette: Palette,
) -> Start:
    """Counts what recurs in new frames and a model does not know, and reads every frame with both.

    Ids of sprites and types, drawings, capacities and backgrounds stay; new ones come after them.

    Args:
        index: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        config: the whole configuration.
        old: the model.
        palette: its colours, and those of the new frames.

    Raises:
        ConfigError: when the dictionary has no room.
        RecordingError: when nothing new recurs.
    """
    known = what_is_known(old, palette)
    room = config.model.num_sprites - len(known.bank)
    if room <= 0:
        raise ConfigError(
            f"model.num_sprites: expected room for more than the {len(known.bank)} sprites that "
            f"the model has, got {config.model.num_sprites}; pretrain anew with a larger one"
        )
    fixed = config.model.background == "color"
    size = config.model.sprite_size
    new = find_new(index, episode, known, config.discover, size, room, fixed)
    further = len(new.background.images) - len(known.background.images)
    if not len(new.bank) and not further:
        raise RecordingError(
            f"nothing that the model does not know recurs {config.discover.min_count} times in "
            f"{len(index)} frames; the model is good for them as it is, or record more"
        )
    return _joined(index, episode, config, old, known, new)


def _joined(
    index: np.ndarray,
    episode: np.ndarray,
    config: PretrainConfig,
    old: Checkpoint,
    known: Known,
    new: Novelty,
) -> Start:
    """Numbers what is new and reads the frames with all sprites."""
    count, num_types = len(known.bank), len(old.type_capacity) - 1
    both = _with_new(known, new, np.arange(len(new.bank)), num_types + 1 + new.groups)
    rows = both.decoder(config.discover).decode(index)
    kinds, order = _ranked(from_rows(rows, both.sprite_type), new, count, num_types, len(index))
    both = _with_new(known, new, order, kinds[order])
    new_id = np.arange(count + len(order) + 1)
    new_id[count + 1 + order] = count + 1 + np.arange(len(order))
    found = from_rows(rows, both.sprite_type)
    sprite = new_id[found.sprite].astype(np.int32)
    kind = np.append(0, both.sprite_type)[sprite].astype(np.int32)
    seen = found._replace(sprite=sprite, type=kind)
    last = max(num_types, int(both.sprite_type.max()))
    tables = _tables(old, both, seen, episode, last)
    window = seen_window(index, both.background, config.discover.max_foreground)
    tables = tables._replace(window=_around(tables.window, window))
    capacity = _appended(old.type_capacity, count_capacity(seen, len(index), last))
    return Start(both.background, tables, both.bank, both.sprite_type, capacity, seen)


def _with_new(known: Known, new: Novelty, order: np.ndarray, kinds: np.ndarray) -> Known:
    """Appends the new drawings in some order, with their types, to what is known."""
    count = len(known.bank)
    drawings = [known.bank.drawing(i) for i in range(count)]
    return Known(
        make_bank([*drawings, *(new.bank.drawing(i) for i in order)]),
        np.concatenate([known.counts, new.counts[order]]),
        np.concatenate([known.sprite_type, kinds]).astype(np.int32),
        new.background,
        known.tiles,
        [*known.former_sizes, count],
    )


def _ranked(
    seen: Detections, new: Novelty, count: int, num_types: int, num_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Gives new types the ids after the known ones, by importance, and sorts new sprites by them.

    Args:
        seen: the sprites of the frames, each new group with a type of its own.
        new: N new drawings.
        count: known sprites.
        num_types: known types.
        num_frames: frames that were read.

    Returns:
        `(N,)` type id of each new drawing, and `(N,)` the order in which they get their ids.
    """
    kinds = new.sprite_type.astype(np.int64)
    own = np.flatnonzero(kinds == 0)
    if len(own):
        names, groups = np.unique(new.groups[own], return_inverse=True)
        number = np.zeros(num_types + 2 + int(new.groups.max()), np.int64)
        number[num_types + 1 + names] = np.arange(1, len(names) + 1)
        seen = seen._replace(type=number[seen.type]).rows(number[seen.type] > 0)
        bank, moving = make_bank([new.bank.drawing(i) for i in own]), new.moving[count:][own]
        found = Discovery(
            new.background, np.zeros((0, 5), np.int32), bank, new.counts[own], groups, moving
        )
        kinds[own] = num_types + rank_types(seen, found, num_frames)[0][groups]
    return kinds, np.lexsort((-new.bank.areas, kinds))


def _tables(
    old: Checkpoint, both: Known, seen: Detections, episode: np.ndarray, last: int
) -> Tables:
    """Joins what counting knew and what it found in addition."""
    links = find_links(seen, both.bank.areas)
    is_new = (links[:, :2] > len(old.sprites)).any(1)
    links = np.concatenate([old.tables.links, links[is_new]]).astype(np.int32)
    objects = merge_objects(Links(links).joined(seen))
    rooms, bands, regions = flatten(both.background)
    display, moves = _joined_display(old, seen, episode, last)
    tiles, size = both.tiles[:, 5], old.background.shape[:2]
    of_display = DisplayRows(display, moves, both.sprite_type, tiles, size)
    return old.tables._replace(
        counts=both.counts.astype(np.int32),
        links=links,
        rooms=rooms,
        bands=bands,
        regions=regions,
        display=display,
        moves=moves,
        object_capacity=_appended(
            old.tables.object_capacity, count_capacity(objects, len(episode), last)
        ),
        type_counts=_appended(old.tables.type_counts, count_types(seen, of_display, last)),
        object_counts=_appended(old.tables.object_counts, count_types(objects, of_display, last)),
    )


def _joined_display(
    old: Checkpoint, seen: Detections, episode: np.ndarray, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Adds to what is known of the display where new types that move rest in it: lives, say.

    Rows for all types that do not move stay as they are, or known things would become display; one
    for all types is one of those if what is new moves there.
    """
    free = seen.rows(~np.isin(seen.sprite, old.tables.tiles[:, 5]))
    rows, moves = find_display(free, episode, last, old.background.shape[:2])
    known = old.tables.moves
    rows = rows[rows[:, 0] >= len(known)]
    movers = free.box[(free.type >= len(known)) & moves[free.type]]
    display = np.concatenate([_without_movers(old.tables.display, movers), rows])
    return display.astype(np.int32), np.concatenate([known, moves[len(known) :]])


def _without_movers(rows: np.ndarray, movers: np.ndarray) -> np.ndarray:
    """Returns the rows of a display, those for all types only where the boxes never lie."""
    middle = movers[:, 1] + movers[:, 3] / 2  # (N,)
    inside = (rows[:, 2:3] <= middle) & (middle < rows[:, 4:5])  # (n, N)
    entered = (rows[:, 0] == ALL) & (inside.sum(1) >= MIN_FRAMES)
    return np.column_stack([np.where(entered, STILL, rows[:, 0]), rows[:, 1:]])


def _around(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns the rectangle around two of left, top, right, bottom: `(4,)` int32."""
    low, high = np.minimum(one[:2], other[:2]), np.maximum(one[2:], other[2:])
    return np.concatenate([low, high]).astype(np.int32)


def _appended(known: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Appends figures `(..., T + 1)` of new types; known ones stay, and with them their slots."""
    return np.concatenate([known, counted[..., known.shape[-1] :]], -1).astype(np.int32)
