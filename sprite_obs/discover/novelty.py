"""What new frames show that a model does not know: drawings, their types, further screens."""

from functools import partial
from typing import NamedTuple

import numpy as np

from sprite_obs.config import DiscoverConfig
from sprite_obs.detections import Row
from sprite_obs.discover.clipped import find_clipped
from sprite_obs.discover.compose import find_compositions
from sprite_obs.discover.copies import cut_copies
from sprite_obs.discover.count import Occurrences, count_masks
from sprite_obs.discover.discovery import COPY_ROUNDS, most_used, recurring, settled
from sprite_obs.discover.identity import follow, link_drawings, moving_share
from sprite_obs.discover.known import Known, read_known
from sprite_obs.discover.screens import add_screens, rooms_of
from sprite_obs.discover.variants import components
from sprite_obs.lookup.bank import SpriteBank, make_bank
from sprite_obs.lookup.rooms import Behind, Rooms


class Novelty(NamedTuple):
    """What is new in frames, N drawings beside K known sprites.

    Attributes:
        background: what lies behind the sprites, known rooms first.
        bank: the new drawings.
        counts: `(N,)` int64, their appearances.
        sprite_type: `(N,)` int32, known type of which each is a view, 0 for none.
        groups: `(N,)` int32, those of one group are views of one thing; from 0.
        moving: `(K + N,)` float64, share of appearances in these frames from which a sprite moves
            on, known ones first.
    """

    background: Behind
    bank: SpriteBank
    counts: np.ndarray
    sprite_type: np.ndarray
    groups: np.ndarray
    moving: np.ndarray


class _Seen(NamedTuple):
    """Known and new drawings together, largest first, with their occurrences in the frames.

    Attributes:
        drawings: J times `(h, w)` uint8.
        sprite: `(J,)` int64, sprite id of known ones, 0 for new ones.
        found: occurrences whose `drawing` indexes the drawings.
    """

    drawings: list[np.ndarray]
    sprite: np.ndarray
    found: Occurrences

    @property
    def bank(self) -> SpriteBank:
        return make_bank(self.drawings)

    @property
    def appearances(self) -> np.ndarray:
        return np.bincount(self.found.drawing, minlength=len(self.drawings))

    def keep(self, kept: np.ndarray) -> "_Seen":
        """Keeps some drawings, in the order given."""
        number = np.full(len(self.drawings), -1, np.int64)
        number[kept] = np.arange(len(kept))
        drawing = number[self.found.drawing]
        rows = drawing >= 0
        found = Occurrences(self.found.frame[rows], drawing[rows], self.found.box[rows])
        return _Seen([self.drawings[i] for i in kept], self.sprite[kept], found)


def find_new(
    frames: np.ndarray,
    episode: np.ndarray,
    known: Known,
    config: DiscoverConfig,
    max_size: int,
    max_new: int,
    fixed_background: bool,
) -> Novelty:
    """Learns from exact repetition and motion what the known sprites leave unexplained.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        known: the dictionary before.
        config: thresholds, the same with which that was learned.
        max_size: side of a sprite's canvas in pixels.
        max_new: drawings that may be added at most.
        fixed_background: whether the background is known for sure.
    """
    num_rooms = len(rooms_of(known.background))
    if not fixed_background:
        behind, room = add_screens(frames, episode, known, config, max_size)
        known = known._replace(background=behind)
        frames, episode = settled(frames, episode, room)
    behind, seen = _count(frames, known, config, max_size, num_rooms)
    seen = _drop_views(seen, known, episode, behind.window)
    new = np.where(seen.sprite == 0, seen.appearances, 0)
    kept = (seen.sprite > 0) | (new > 0)
    kept &= (seen.sprite > 0) | np.isin(np.arange(len(new)), most_used(seen.bank, new, max_new))
    order = np.argsort(np.where(seen.sprite > 0, seen.sprite, len(known.bank) + 1), kind="stable")
    return _typed(seen.keep(order[kept[order]]), known, behind, episode)


def _count(
    frames: np.ndarray, known: Known, config: DiscoverConfig, max_size: int, num_rooms: int
) -> tuple[Behind, _Seen]:
    """Counts new components, again whenever sprites turn out to lie in a further room."""
    for _ in range(COPY_ROUNDS):
        rows, masks = read_known(frames, known, config)
        counted, drawings = count_masks(frames, masks, config.max_foreground)
        new = recurring(counted, drawings, config.min_count, max_size)
        seen = _together(rows, known, counted, [drawings[i] for i in new], new)
        before = known.background
        behind = _cut_further(before, seen.bank, num_rooms)
        if (behind.images == before.images).all():
            break
        known = known._replace(background=behind)
    return behind, seen


def _cut_further(behind: Behind, bank: SpriteBank, num_rooms: int) -> Behind:
    """Takes copies of sprites out of the rooms after the first ones, which stay as they are."""
    rooms = rooms_of(behind)
    if len(rooms) == num_rooms:
        return behind
    further = [room.with_images(partial(cut_copies, bank=bank)) for room in rooms[num_rooms:]]
    return Rooms([*rooms[:num_rooms], *further])


def _together(
    rows: list[Row],
    known: Known,
    counted: Occurrences,
    new: list[np.ndarray],
    numbers: np.ndarray,
) -> _Seen:
    """Puts known sprites, where they are seen whole, and new drawings into one list.

    Args:
        rows: known sprites that were found.
        known: the dictionary.
        counted: all new components.
        new: those of their drawings that recur.
        numbers: what these are called in `counted`.
    """
    count = len(known.bank)
    table = np.array([row[:-1] for row in rows if row[1] and row[-1] == 1], np.int64)
    table = table.reshape(-1, 7)
    recurs = np.isin(counted.drawing, numbers)
    place = np.zeros(max(counted.drawing.max(initial=0), numbers.max(initial=0)) + 1, np.int64)
    place[numbers] = np.arange(len(numbers)) + count
    frame = np.concatenate([table[:, 0], counted.frame[recurs]]).astype(np.int32)
    drawing = np.concatenate([table[:, 1] - 1, place[counted.drawing[recurs]]])
    box = np.concatenate([table[:, 3:], counted.box[recurs]]).astype(np.int32)
    order = np.argsort(frame, kind="stable")
    drawings = [*(known.bank.drawing(i) for i in range(count)), *new]
    sprite = np.concatenate([np.arange(1, count + 1), np.zeros(len(new), np.int64)])
    seen = _Seen(drawings, sprite, Occurrences(frame[order], drawing[order], box[order]))
    return seen.keep(np.argsort(-seen.bank.areas, kind="stable"))


def _drop_views(seen: _Seen, known: Known, episode: np.ndarray, window: np.ndarray) -> _Seen:
    """Drops what is a clipped view of a drawing, or composed of others; known ones stay."""
    moving = moving_share(seen.found, follow(seen.found, episode), len(seen.sprite))
    seen = _without(seen, find_clipped(seen.bank, seen.found, moving, window))
    before = np.append(known.counts, 0)[seen.sprite - 1]
    return _without(seen, list(find_compositions(seen.bank, seen.appearances + before)))


def _without(seen: _Seen, dropped: list[int]) -> _Seen:
    is_dropped = np.isin(np.arange(len(seen.sprite)), dropped) & (seen.sprite == 0)
    return seen.keep(np.flatnonzero(~is_dropped))


def _typed(seen: _Seen, known: Known, behind: Behind, episode: np.ndarray) -> Novelty:
    """Finds out which new drawings are views of known types, and which ones of one new thing.

    Args:
        seen: known sprites in the order of their ids, then the new ones.
        known: the dictionary.
        behind: the background.
        episode: `(F,)` int32.
    """
    count, bank = len(known.bank), seen.bank
    kinds = np.zeros(len(bank), np.int64)
    kinds[:count] = known.sprite_type
    same = (kinds[:, None] == kinds) & (kinds > 0)
    pairs = follow(seen.found, episode)
    links = link_drawings(bank, seen.found, pairs, same | np.eye(len(bank), dtype=bool))
    groups = components(links[count:, count:])
    # A thing that looks like several known ones is the one that most of it looks like.
    votes = np.zeros((int(groups.max(initial=-1)) + 1, int(kinds.max(initial=0)) + 1))
    drawing, sprite = np.nonzero(links[count:, :count])
    np.add.at(votes, (groups[drawing], kinds[sprite]), seen.appearances[count + drawing])
    return Novelty(
        behind,
        make_bank(seen.drawings[count:]),
        seen.appearances[count:],
        votes.argmax(1).astype(np.int32)[groups],
        groups,
        moving_share(seen.found, pairs, len(bank)),
    )
