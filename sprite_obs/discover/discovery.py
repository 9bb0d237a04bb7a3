"""From frames to a dictionary by counting alone: background, sprites, types."""

import dataclasses
from functools import partial
from typing import NamedTuple

import numpy as np

from sprite_obs.config import DiscoverConfig
from sprite_obs.discover.background import common_background, mode_image, remove_resting
from sprite_obs.discover.bands import find_bands
from sprite_obs.discover.clipped import find_clipped, seen_window
from sprite_obs.discover.compose import find_compositions
from sprite_obs.discover.copies import cut_copies
from sprite_obs.discover.count import Occurrences, count_components
from sprite_obs.discover.identity import follow, link_types, moving_share
from sprite_obs.discover.mosaic import find_layers
from sprite_obs.discover.regions import find_regions
from sprite_obs.discover.rooms import split_rooms
from sprite_obs.discover.tiles import clear_tiles, find_tiles
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank, drawing_key, make_bank
from sprite_obs.lookup.panorama import Layer, Panorama
from sprite_obs.lookup.rooms import Behind, Rooms
from sprite_obs.lookup.tiles import NO_TILES, tile_drawings

SAMPLE = 1000
"""Frames that are enough for a background."""
COPY_ROUNDS = 3
"""Searches in turn for known sprites in the background."""


class Discovery(NamedTuple):
    """What counting found in a recording.

    Attributes:
        background: what lies behind the sprites.
        tiles: `(n, 5)` int32, left, top, width, height and palette index of each tile of a wall.
        bank: K recurring drawings, largest first, none of them composed of others.
        counts: `(K,)` int64, appearances in the frames.
        groups: `(K,)` int32, drawings of one group are views of one thing; from 0 without gaps.
        moving: `(K,)` float64, share of a drawing's appearances from which it moves on.
    """

    background: Behind
    tiles: np.ndarray
    bank: SpriteBank
    counts: np.ndarray
    groups: np.ndarray
    moving: np.ndarray


def _select(
    seen: Occurrences, drawings: list[np.ndarray], keep: np.ndarray
) -> tuple[SpriteBank, Occurrences]:
    """Keeps some drawings, in the order given, and their occurrences."""
    renumber = np.full(len(drawings), -1, np.int64)
    renumber[keep] = np.arange(len(keep))
    drawing = renumber[seen.drawing]
    rows = drawing >= 0
    kept = Occurrences(seen.frame[rows], drawing[rows], seen.box[rows])
    return make_bank([drawings[i] for i in keep]), kept


def recurring(
    seen: Occurrences, drawings: list[np.ndarray], min_count: int, max_size: int
) -> np.ndarray:
    """Returns the drawings that recur and fit on a sprite's canvas, largest first."""
    counts = np.bincount(seen.drawing, minlength=len(drawings))
    areas = np.array([(drawing != TRANSPARENT).sum() for drawing in drawings])
    fits = np.array([max(drawing.shape) <= max_size for drawing in drawings], bool)
    keep = np.flatnonzero((counts >= min_count) & fits)
    return keep[np.argsort(-areas[keep], kind="stable")]


def most_used(bank: SpriteBank, counts: np.ndarray, limit: int) -> np.ndarray:
    """Returns the sprites that explain most pixels, in their former order."""
    explained = counts * bank.areas
    return np.sort(np.argsort(-explained, kind="stable")[:limit])


def discover(
    frames: np.ndarray,
    episode: np.ndarray,
    config: DiscoverConfig,
    max_size: int,
    max_sprites: int,
    background: np.ndarray | None = None,
) -> Discovery:
    """Learns background and sprites from exact repetition and motion, without labels.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        config: thresholds, the same for all games.
        max_size: side of a sprite's canvas in pixels; larger drawings are no sprites.
        max_sprites: entries of the dictionary at most, tiles of walls not counted.
        background: `(H, W)` uint8 palette indices; None to learn it too.
    """
    behind: Behind
    if background is not None:
        behind, tiles = Background.still(background), NO_TILES
    elif layers := find_layers(frames, episode, mode_image(_some(frames)), max_size):
        behind, tiles = _learn_panorama(frames, layers, config, max_size), NO_TILES
    else:
        room = split_rooms(frames, episode)
        behind, tiles = _learn_behind(frames, room, config, max_size)
        frames, episode = settled(frames, episode, room)
    behind, seen, drawings, keep = _count(frames, behind, tiles, config, max_size)
    behind = behind.with_window(seen_window(frames, behind, config.max_foreground))
    keep = _drop_views(seen, drawings, keep, episode, behind.window)
    bank, kept = _select(seen, drawings, keep)
    keep = keep[most_used(bank, np.bincount(kept.drawing, minlength=len(bank)), max_sprites)]
    bank, kept = _select(seen, drawings, keep)
    pairs = follow(kept, episode)
    found = Discovery(
        behind,
        tiles,
        bank,
        np.bincount(kept.drawing, minlength=len(bank)),
        link_types(bank, kept, pairs),
        moving_share(kept, pairs, len(bank)),
    )
    return _with_tiles(found, len(frames))


def _drop_views(
    seen: Occurrences,
    drawings: list[np.ndarray],
    keep: np.ndarray,
    episode: np.ndarray,
    window: np.ndarray,
) -> np.ndarray:
    """Drops what is a clipped view of a drawing, or composed of others."""
    bank, kept = _select(seen, drawings, keep)
    moving = moving_share(kept, follow(kept, episode), len(bank))
    keep = np.delete(keep, find_clipped(bank, kept, moving, window))
    bank, kept = _select(seen, drawings, keep)
    composed = find_compositions(bank, np.bincount(kept.drawing, minlength=len(bank)))
    return np.delete(keep, sorted(composed))


def _with_tiles(found: Discovery, num_frames: int) -> Discovery:
    """Adds the drawings of tiles to the dictionary, as one group of things that never move."""
    drawings = {drawing_key(tile): tile for tile in tile_drawings(found.tiles)}
    known = found.bank.keys().tolist()
    new = [tile for key, tile in drawings.items() if key not in known]
    group = found.groups.max(initial=-1) + 1
    return found._replace(
        bank=make_bank([*(found.bank.drawing(i) for i in range(len(found.bank))), *new]),
        counts=np.append(found.counts, np.full(len(new), num_frames)),
        groups=np.append(found.groups, np.full(len(new), group, np.int32)),
        moving=np.append(found.moving, np.zeros(len(new))),
    )


def _count(
    frames: np.ndarray,
    background: Behind,
    tiles: np.ndarray,
    config: DiscoverConfig,
    max_size: int,
) -> tuple[Behind, Occurrences, list[np.ndarray], np.ndarray]:
    """Counts components, again whenever known sprites turn out to lie in the background.

    Returns:
        The background, all occurrences, all drawings, and which of these recur, largest first.
    """
    for _ in range(COPY_ROUNDS):
        seen, drawings = count_components(frames, background, config.max_foreground, tiles)
        keep = recurring(seen, drawings, config.min_count, max_size)
        before = background
        background = before.with_images(
            partial(cut_copies, bank=make_bank([drawings[i] for i in keep]))
        )
        if (background.images == before.images).all():
            break
    return background, seen, drawings, keep


def _usual(frames: np.ndarray, config: DiscoverConfig) -> np.ndarray:
    """Returns `(H, W)` uint8, the commonest colours, with what rests in front of them."""
    return common_background(_some(frames), config.max_foreground)


def _some(frames: np.ndarray) -> np.ndarray:
    return frames[:: max(1, len(frames) // SAMPLE)]


def _learn_behind(
    frames: np.ndarray, room: np.ndarray, config: DiscoverConfig, max_size: int
) -> tuple[Behind, np.ndarray]:
    """Learns the background, or one for each room if there are several.

    Returns:
        The background and `(n, 5)` int32, the tiles of walls; none are looked for in rooms.
    """
    if not room.any():
        return _learn_background(frames, _usual(frames, config), config, max_size)
    parts = [frames[room == number] for number in range(room.max() + 1)]
    return Rooms([learn_room(part, config, max_size) for part in parts]), NO_TILES


def _learn_panorama(
    frames: np.ndarray, layers: list[Layer], config: DiscoverConfig, max_size: int
) -> Panorama:
    """Learns what stands still around the layers; within them it has the commonest colours."""
    rest = frames.copy()
    for layer in layers:
        rest[:, *layer.slices] = TRANSPARENT
    still = learn_room(rest, config, max_size)
    usual = mode_image(_some(frames))
    image = np.where(still.image == TRANSPARENT, usual, still.image)
    return Panorama(dataclasses.replace(still, image=image), layers)


def settled(
    frames: np.ndarray, episode: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Leaves out the frames between rooms, in which walls come and go; each stay is an episode."""
    arrives = (np.diff(episode) != 0) | (np.diff(room) != 0)
    stay = np.cumsum(np.concatenate([[0], arrives])).astype(np.int32)
    kept = room >= 0
    return (frames, episode) if kept.all() else (frames[kept], stay[kept])


def learn_room(frames: np.ndarray, config: DiscoverConfig, max_size: int) -> Background:
    """Learns the background of `(N, H, W)` uint8 frames that show a single room."""
    usual = _usual(frames, config)
    image = remove_resting(_some(frames), usual, config.max_foreground, max_size)
    return _with_regions(frames, image, find_bands(frames, image, config.min_count), config)


def _with_regions(
    frames: np.ndarray, image: np.ndarray, bands: np.ndarray, config: DiscoverConfig
) -> Background:
    """Adds the regions that change their colour; what bands explain is none of them."""
    known = dataclasses.replace(Background.still(image), bands=bands)
    regions = find_regions(frames, known, config.min_count, config.max_foreground)
    return dataclasses.replace(known, regions=regions)


def _learn_background(
    frames: np.ndarray, usual: np.ndarray, config: DiscoverConfig, max_size: int
) -> tuple[Background, np.ndarray]:
    """Takes out of the usual colours what vanishes, and finds what changes its colour.

    Returns:
        The background and `(n, 5)` int32, the tiles of walls.
    """
    cleared = remove_resting(_some(frames), usual, config.max_foreground, max_size)
    tiles = find_tiles(frames, usual, cleared, max_size)
    image = clear_tiles(cleared, tiles) if len(tiles) else cleared
    # A row of bricks that is whole is no state of the background.
    walls = {(y, color) for _, top, _, height, color in tiles for y in range(top, top + height)}
    bands = find_bands(frames, image, config.min_count)
    kept = np.array([(y, color) not in walls for y, _, _, color in bands], bool)
    bands = bands[kept]
    return _with_regions(frames, image, bands, config), tiles
