"""Where pretraining starts: a dictionary counted in the frames, and what it says of each frame."""

from typing import NamedTuple

import numpy as np

from sprite_obs.checkpoint import Tables
from sprite_obs.config import PretrainConfig
from sprite_obs.detections import Detections, from_rows, merge_objects
from sprite_obs.discover.discovery import Discovery, discover
from sprite_obs.discover.display import find_display
from sprite_obs.discover.fragments import find_links, find_stacks
from sprite_obs.errors import RecordingError
from sprite_obs.lookup.bank import SpriteBank, make_bank
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.display import DisplayRows
from sprite_obs.lookup.links import Links
from sprite_obs.lookup.panorama import Panorama, flatten_layers
from sprite_obs.lookup.rooms import Behind, flatten
from sprite_obs.lookup.tiles import tile_links, with_sprites

MOBILE = 0.05
"""A type moves if at least this share of its appearances does."""
COMMON = 0.02
"""A type is common if at least this share of the frames shows it."""
CAPACITY_QUANTILE = 0.999
"""Instances at once are counted without the frames beyond this quantile."""


class Start(NamedTuple):
    """A counted dictionary and its explanation of the recording.

    Attributes:
        background: what lies behind the sprites.
        tables: what else counting found.
        bank: K sprites; sprite id = index + 1; types in order of importance.
        sprite_type: `(K,)` int32, type id 1..T.
        type_capacity: `(T + 1,)` int32, instances of a type seen at once; index 0 is 0.
        seen: the sprites of every frame, found by look-up.
    """

    background: Behind
    tables: Tables
    bank: SpriteBank
    sprite_type: np.ndarray
    type_capacity: np.ndarray
    seen: Detections


def _decoder(found: Discovery, config: PretrainConfig) -> LookupDecoder:
    thresholds = config.discover
    return LookupDecoder(
        found.bank,
        found.counts,
        found.background,
        with_sprites(found.tiles, found.bank),
        thresholds.min_visible,
        thresholds.min_explained,
        thresholds.max_foreground,
    )


def start_from_frames(
    index: np.ndarray,
    episode: np.ndarray,
    config: PretrainConfig,
    background: np.ndarray | None = None,
) -> Start:
    """Counts recurring sprites and reads every frame with them.

    Args:
        index: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        config: the whole configuration.
        background: `(H, W)` uint8 palette indices; None to learn it too.

    Raises:
        RecordingError: when nothing recurs in front of the background.
    """
    sizes = config.model
    found = discover(
        index, episode, config.discover, sizes.sprite_size, sizes.num_sprites, background
    )
    if not len(found.bank):
        raise RecordingError(
            f"no sprite recurs {config.discover.min_count} times in {len(index)} frames; "
            "record more frames, or lower discover.min_count"
        )
    rows = _decoder(found, config).decode(index)
    seen = from_rows(rows, found.groups + 1)
    rank, order = rank_types(seen, found, len(index))
    bank = make_bank([found.bank.drawing(i) for i in order])
    sprite_type = rank[found.groups[order]]
    new_id = np.zeros(len(order) + 1, np.int32)
    new_id[order + 1] = np.arange(1, len(order) + 1)
    sprite = new_id[seen.sprite]
    kind = np.concatenate([[0], sprite_type]).astype(np.int32)[sprite]
    seen = seen._replace(sprite=sprite, type=kind)
    tables = _tables(found, order, bank, seen, episode, sprite_type)
    capacity = count_capacity(seen, len(index), int(sprite_type.max()))
    return Start(found.background, tables, bank, sprite_type, capacity, seen)


def _tables(
    found: Discovery,
    order: np.ndarray,
    bank: SpriteBank,
    seen: Detections,
    episode: np.ndarray,
    sprite_type: np.ndarray,
) -> Tables:
    tiles, num_types = with_sprites(found.tiles, bank), int(sprite_type.max())
    behind, free = found.background, ~np.isin(seen.sprite, tiles[:, 5])
    size = behind.image.shape
    display = find_display(seen.rows(free), episode, num_types, size)
    of_display = DisplayRows(*display, sprite_type, tiles[:, 5], size)
    stacks = find_stacks(seen, of_display.show(seen))
    table = np.concatenate([find_links(seen, bank.areas), stacks, tile_links(tiles)])
    objects = merge_objects(Links(table).joined(seen))
    rooms, bands, regions = flatten(behind)
    layers, scenery = flatten_layers(behind.layers if isinstance(behind, Panorama) else [])
    return Tables(
        counts=found.counts[order].astype(np.int32),
        links=table.astype(np.int32),
        rooms=rooms,
        bands=bands,
        regions=regions,
        window=behind.window,
        display=display.rows,
        moves=display.moves,
        tiles=tiles,
        object_capacity=count_capacity(objects, len(episode), num_types),
        type_counts=count_types(seen, of_display, num_types),
        object_counts=count_types(objects, of_display, num_types),
        layers=layers,
        scenery=scenery,
        usual=np.zeros((0, 0, 3), np.uint8),
    )


def count_capacity(seen: Detections, num_frames: int, num_types: int) -> np.ndarray:
    """Returns `(T + 1,)` int32, how many instances of each type one frame shows at most."""
    counts = np.zeros((num_frames, num_types + 1), np.int32)
    np.add.at(counts, (seen.frame, seen.type), 1)
    capacity = np.quantile(counts, CAPACITY_QUANTILE, axis=0, method="higher").astype(np.int32)
    capacity = np.maximum(capacity, 1)
    capacity[0] = 0
    return capacity


def count_types(seen: Detections, display: DisplayRows, num_types: int) -> np.ndarray:
    """Returns `(2, T + 1)` int32, how often each type is seen outside the display, and in it."""
    shown = display.show(seen)
    counts = [np.bincount(seen.type[part], minlength=num_types + 1) for part in (~shown, shown)]
    return np.stack(counts).astype(np.int32)


def rank_types(
    seen: Detections, found: Discovery, num_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ranks types: moving before still, common before rare, few instances before many.

    Returns:
        `(T,)` int32 type id of each group, and `(K,)` int64 sprites in the order of their types.
    """
    size = int(found.groups.max()) + 1
    moves = np.bincount(found.groups, found.moving * found.counts, minlength=size)
    mobile = moves >= MOBILE * np.bincount(found.groups, found.counts, minlength=size)
    capacity = count_capacity(seen, num_frames, size)
    appearances = np.bincount(seen.type, minlength=size + 1)[1:]
    rare = appearances < COMMON * num_frames
    ranked = np.lexsort((-appearances, capacity[1:], rare, ~mobile))
    type_id = np.empty(size, np.int32)
    type_id[ranked] = np.arange(1, size + 1)
    order = np.lexsort((-found.bank.areas, type_id[found.groups]))
    return type_id, order
