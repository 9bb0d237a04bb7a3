"""Score, lives, logos: what rests at places beyond which, while it is shown, nothing moves."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sprite_obs.detections import Detections
from sprite_obs.discover.count import Occurrences
from sprite_obs.discover.identity import follow
from sprite_obs.lookup.display import ALL, STILL

MIN_PLACES = 4
"""Places that a thing must go through one after the other to move about."""
MIN_WAY = 12
"""Pixels that it must get away from the first one; changing digits and their fragments hop less."""
FIXED = 0.25
"""Share of all frames that show a thing at one place from which on it rests there."""
MOBILE = 0.05
"""Share of its appearances in which a type must move to be one that moves."""
COMMON = 0.01
"""Share of all frames that show something at a place of the display, whatever it is."""
RARE = 0.01
"""Share of the frames with a display in which something may move beyond it."""
MIN_FRAMES = 5
"""Frames in which something moves as far as a border of the playing field."""
NOWHERE = 1 << 14
"""Further than any border of a frame."""


class Display(NamedTuple):
    """What is known of score, lives and logos.

    Attributes:
        rows: `(n, 5)` int32: type id, left, top, right, bottom (exclusive) of a row of things of
            this type; type `STILL` stands for all types that do not move, `ALL` for all.
        moves: `(T + 1,)` bool, which types move about; index 0 is unused.
    """

    rows: np.ndarray
    moves: np.ndarray


def find_display(
    seen: Detections, episode: np.ndarray, num_types: int, frame_size: tuple[int, ...]
) -> Display:
    """Finds where frames show score, lives and logos.

    Args:
        seen: the sprites of all frames but for tiles of walls.
        episode: `(F,)` episode of each frame.
        num_types: T.
        frame_size: (H, W).
    """
    roams = roaming(seen, episode)
    moves = _share_of_type(seen.type, roams, num_types) >= MOBILE
    if not roams.any():  # nothing tells a display from the game
        return Display(np.zeros((0, 5), np.int32), moves)
    edges = _edges(seen.box)
    hulls = _hulls(seen.frame[roams], edges[roams], len(episode))  # (F, 4)
    kind = np.where(moves[seen.type], seen.type, STILL).astype(np.int64)
    still = np.flatnonzero(~roams & (seen.type > 0) & (hulls[seen.frame, 0] < NOWHERE))
    _, place, counts = _grouped(kind[still], edges[still, 0], edges[still, 1])
    still = still[counts[place] >= COMMON * len(episode)]
    rows = _rows(kind[still], seen.frame[still], edges[still], hulls)
    height, width = frame_size
    rows[:, 1:] = np.clip(rows[:, 1:], 0, [width, height, width, height])
    return Display(rows, moves)


def roaming(seen: Detections, episode: np.ndarray) -> np.ndarray:
    """Tells which of the sprites are things on their way through the frame.

    Args:
        seen: the sprites of all frames.
        episode: `(F,)` episode of each frame.

    Returns:
        `(N,)` bool.
    """
    roams = np.zeros(len(seen.frame), bool)
    rows = np.flatnonzero(_may_move(seen, len(episode)))
    if not len(rows):
        return roams
    things = Occurrences(seen.frame[rows], seen.type[rows].astype(np.int64), seen.box[rows])
    pairs = follow(things, episode, alike=np.eye(int(things.drawing.max()) + 1, dtype=bool))
    links = coo_array((np.ones(len(pairs)), tuple(pairs.T)), (len(rows), len(rows)))
    number, track = connected_components(links, directed=False)
    roams[rows] = _goes_far(_edges(things.box), track, number)[track]
    return roams


def _may_move(seen: Detections, num_frames: int) -> np.ndarray:
    """Returns `(N,)` bool, whether its type is ever where not frame after frame shows it."""
    _, place, counts = _grouped(seen.sprite, *seen.box[:, :2].T)
    passes = counts[place] <= FIXED * num_frames
    share = _share_of_type(seen.type, passes, int(seen.type.max(initial=0)))
    return share[seen.type] >= MOBILE


def _goes_far(edges: np.ndarray, track: np.ndarray, number: int) -> np.ndarray:
    """Returns `(number,)` bool, which tracks go through several places that are far apart.

    Opposite edges must move alike: a bar that grows and shrinks stays where it is.
    """
    places = np.unique(np.column_stack([track, edges]), axis=0)[:, 0]
    low, high = np.full((number, 4), NOWHERE), np.full((number, 4), -NOWHERE)
    np.minimum.at(low, track, edges)
    np.maximum.at(high, track, edges)
    way = high - low
    far = np.minimum(way[:, :2], way[:, 2:]).max(1) >= MIN_WAY
    return far & (np.bincount(places, minlength=number) >= MIN_PLACES)


def _rows(kind: np.ndarray, frame: np.ndarray, edges: np.ndarray, hulls: np.ndarray) -> np.ndarray:
    """Joins what has one upper edge to rows, and keeps those of the display.

    Returns:
        `(n, 5)` int32, see `Display`.
    """
    keys, row, counts = _grouped(kind, edges[:, 1])
    # Whether anything moves further left, up, right or down than the far side of the thing.
    hull = hulls[frame]
    further = np.concatenate([hull[:, :2] < edges[:, 2:], hull[:, 2:] > edges[:, :2]], axis=1)
    share = np.stack([np.bincount(row, side) for side in further.T], axis=1) / counts[:, None]
    bounds = np.full((len(keys), 4), NOWHERE)
    np.minimum.at(bounds, row, edges * [1, 1, -1, -1])
    bounds *= [1, 1, -1, -1]
    frames = np.bincount(np.unique(np.column_stack([row, frame]), axis=0)[:, 0])
    beside, beyond = _outside(bounds, hulls)
    # Things that move may rest anywhere; and what is in the way of others is hardly ever alone.
    chosen = beside | beyond | ((keys[:, 0] == STILL) & (frames >= FIXED * len(hulls)))
    chosen &= share.min(1) <= RARE
    # Where nothing moves, the score may go on where it was never seen, and be taken for anything.
    empty = beyond & (keys[:, 0] == STILL)
    bounds[np.ix_(empty, [0, 2])] = 0, NOWHERE
    keys[empty, 0] = ALL
    return np.column_stack([keys[:, 0], bounds])[chosen].astype(np.int32)


def _outside(bounds: np.ndarray, hulls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tells whose middle is left or right, and whose is above or below of all that ever moves.

    Returns:
        `(n,)` bool, twice.
    """
    shown = hulls[hulls[:, 0] < NOWHERE]
    rank = min(MIN_FRAMES, len(shown)) - 1
    low, high = np.sort(shown[:, :2], axis=0)[rank], np.sort(shown[:, 2:], axis=0)[-1 - rank]
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    beside, beyond = ((middle < low) | (middle >= high)).T
    return beside, beyond


def _hulls(frame: np.ndarray, edges: np.ndarray, num_frames: int) -> np.ndarray:
    """Returns `(F, 4)` int64, the smallest rectangle around the boxes of each frame."""
    hulls = np.tile([NOWHERE, NOWHERE, -NOWHERE, -NOWHERE], (num_frames, 1))
    np.minimum.at(hulls[:, :2], frame, edges[:, :2])
    np.maximum.at(hulls[:, 2:], frame, edges[:, 2:])
    return hulls


def _edges(box: np.ndarray) -> np.ndarray:
    """Turns `(N, 4)` left, top, width, height into `(N, 4)` int64 left, top, right, bottom."""
    corner = box[:, :2].astype(np.int64)
    return np.concatenate([corner, corner + box[:, 2:]], axis=1)


def _grouped(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the different rows of columns of integers, the number of each, and their counts."""
    packed = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        packed = (packed << 16) + column + NOWHERE
    _, first, number, counts = np.unique(
        packed, return_index=True, return_inverse=True, return_counts=True
    )
    return np.column_stack(columns)[first], number, counts


def _share_of_type(kind: np.ndarray, marked: np.ndarray, num_types: int) -> np.ndarray:
    """Returns `(T + 1,)`, the share of each type's sprites that are marked."""
    counts = np.bincount(kind, minlength=num_types + 1)
    return np.bincount(kind, marked, num_types + 1) / np.maximum(counts, 1)
