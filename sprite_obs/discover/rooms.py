"""Which room each frame shows: screens that stay for a while, and are gone at once.

A screen that changes little by little - pills are eaten, bricks are broken, the ground scrolls - is
one room, however different it looks in the end. So short stretches of frames are linked where one
follows the other without a break, or where they look the same; what hangs together is a room.
"""

from typing import NamedTuple

import numpy as np

from sprite_obs.discover.background import mode_image

STRETCH = 4
"""Frames of one stretch; pixels that keep their colour in all of them are steady."""
REACH = 3
"""Stretches before and after a stretch that a change of rooms may take."""
DIFFERENT = 0.03
"""Share of the pixels that are steady in two stretches and differ, beyond which they show different
rooms. Moving things are not steady, resting ones are small."""
MIN_STRETCHES = 4
"""Stretches that a room lasts without a break at least."""
MIN_FRAMES = 20
"""Frames that must show a room."""
SETTLED = 0.5
"""Share of the recording that must show lasting screens: else the screen is never still, and its
changes are no rooms."""
RECOLORED = 0.25
"""Share of the differing pixels that may still differ when the colours of one image are swapped for
those of the other; both then show one screen."""
MAX_COMPARED = 400
"""Stretches compared with each other at most."""
SPARSE = 2
"""Only each second row and column is compared: rooms differ in more than single lines."""


class _Stretches(NamedTuple):
    """Short stretches of frames.

    Attributes:
        start: `(S,)` int64, first frame.
        episode: `(S,)` int32.
        colors: `(S, P)` uint8, sparse pixels of the first frame.
        steady: `(S, P)` bool, pixels that keep their colour.
    """

    start: np.ndarray
    episode: np.ndarray
    colors: np.ndarray
    steady: np.ndarray


def split_rooms(frames: np.ndarray, episode: np.ndarray) -> np.ndarray:
    """Tells which room each frame shows.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.

    Returns:
        `(N,)` int64, 0 for the commonest room, -1 for frames between rooms; 0 throughout where
        there is a single one.
    """
    single = np.zeros(len(frames), np.int64)
    parts = _cut_stretches(frames, episode)
    segment = _lasting_segments(parts)
    settled = segment >= 0
    if settled.sum() * STRETCH < SETTLED * len(frames):
        return single
    room = _join_recolored(parts, _link(parts, segment))
    names, counts = np.unique(room[settled], return_counts=True)
    often = np.flatnonzero(counts * STRETCH >= MIN_FRAMES)
    if len(often) <= 1:
        return single
    number = np.full(len(parts.start) + 1, -1, np.int64)  # the last one is that of no room
    number[names[often[np.argsort(-counts[often], kind="stable")]]] = np.arange(len(often))
    return _spread(number[room], parts.start, len(frames))


def _cut_stretches(frames: np.ndarray, episode: np.ndarray) -> _Stretches:
    """Cuts each episode into stretches of equal length; the rest of it is left out."""
    borders = np.flatnonzero(np.diff(episode)) + 1
    bounds = zip([0, *borders.tolist()], [*borders.tolist(), len(episode)], strict=True)
    starts = [np.arange(low, high - STRETCH + 1, STRETCH) for low, high in bounds]
    start = np.concatenate(starts)
    sparse = frames[:, ::SPARSE, ::SPARSE].reshape(len(frames), -1)
    colors = sparse[start]
    steady = np.ones(colors.shape, bool)
    for step in range(1, STRETCH):
        steady &= sparse[start + step] == colors
    return _Stretches(start, episode[start], colors, steady)


def _different(parts: _Stretches, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns `(P,)` bool, whether pairs of stretches show different rooms."""
    differ = parts.colors[first] != parts.colors[second]
    differ &= parts.steady[first]
    differ &= parts.steady[second]
    return np.asarray(differ.mean(1) > DIFFERENT)


def _lasting_segments(parts: _Stretches) -> np.ndarray:
    """Returns `(S,)` int64, the unbroken segment of each stretch; -1 where the room changes."""
    count = len(parts.start)
    unsettled = np.zeros(count, bool)
    for reach in range(1, REACH + 1):
        first = np.arange(count - 2 * reach)
        together = parts.episode[first] == parts.episode[first + 2 * reach]
        unsettled[first + reach] |= together & _different(parts, first, first + 2 * reach)
    before = np.arange(count - 1)
    breaks = parts.episode[1:] != parts.episode[:-1]
    breaks |= unsettled[1:] | unsettled[:-1] | _different(parts, before, before + 1)
    segment = np.cumsum(np.concatenate([[0], breaks]))
    lasting = np.bincount(segment) >= MIN_STRETCHES
    return np.where(lasting[segment], segment, -1)


def _link(parts: _Stretches, segment: np.ndarray) -> np.ndarray:
    """Gives segments that look the same somewhere one name; -1 stays."""
    settled = np.flatnonzero(segment >= 0)
    # Of each segment at least one stretch, or it would be a room of its own.
    some = np.unique(segment[settled], return_index=True)[1]
    compared = np.union1d(settled[:: -(-len(settled) // MAX_COMPARED)], settled[some])
    name = segment.copy()
    for one in compared:
        others = compared[name[compared] != name[one]]
        alike = others[~_different(parts, np.full(len(others), one), others)]
        name[np.isin(name, name[alike])] = name[one]
    return name


def _join_recolored(parts: _Stretches, room: np.ndarray) -> np.ndarray:
    """Gives rooms that are one screen in other colours one name: day and night, a flash."""
    joined = room.copy()
    names = np.unique(room[room >= 0]).tolist()
    images = {name: mode_image(parts.colors[room == name][:, None])[0] for name in names}
    for number, one in enumerate(names):
        for other in names[:number]:
            left = max(_left(images[one], images[other]), _left(images[other], images[one]))
            if left <= RECOLORED * (images[one] != images[other]).mean():
                joined[np.isin(joined, joined[room == other])] = joined[room == one][0]
    return joined


def _left(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the share of pixels that swapping the first image's colours does not explain."""
    pairs = first.astype(np.int64) * 256 + second
    counts = np.bincount(pairs, minlength=256 * 256).reshape(256, 256)
    return float(1 - counts.max(1).sum() / len(first))


def _spread(room: np.ndarray, start: np.ndarray, num_frames: int) -> np.ndarray:
    """Returns `(N,)` int64, the room of each frame from those of the stretches."""
    frames = np.full(num_frames, -1, np.int64)
    for step in range(STRETCH):
        frames[start + step] = room
    return frames
