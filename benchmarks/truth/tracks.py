"""Which boxes of successive steps are one object, and which objects move."""

import numpy as np
from scipy.optimize import linear_sum_assignment

LONGEST_GAP = 5
"""Steps after which an object that is back counts as another one."""
LONGEST_MOVE = 40.0
"""Pixels that a box's centre moves at most between two sightings."""
SAME_PLACE = -1e4
"""Cost of staying where it was: less than any moves could save."""
TOO_FAR = 1e6


def link(time: np.ndarray, group: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Links the boxes of a group over time.

    Args:
        time: `(M,)` integers, step of each box.
        group: `(M,)` integers; only boxes of one group can be one object.
        box: `(M, 4)` integers, left, top, width, height in pixels.

    Returns:
        Track of each box, `(M,)` int32 from 0, and whether that track moves, `(M,)` bool. A box
        prefers one that was in the same place, then the nearest. Two changes of place are a
        motion; one is so only for a short-lived object, as it may be a wrong link in a long track.
    """
    track = np.zeros(len(time), np.int32)
    num_tracks = 0
    for number in np.unique(group):
        rows = np.flatnonzero(group == number)
        found = _link_group(time[rows], box[rows])
        track[rows] = num_tracks + found
        num_tracks += found.max() + 1
    return track, _moves(time, track, box)[track]


def _link_group(time: np.ndarray, box: np.ndarray) -> np.ndarray:
    track = np.full(len(time), -1)
    latest: dict[int, int] = {}  # track -> row where it was last seen
    for now in np.unique(time):
        rows = np.flatnonzero(time == now)
        latest = {t: row for t, row in latest.items() if now - time[row] <= LONGEST_GAP}
        before = np.array(list(latest.values()), int)
        for row, last in zip(*_pair(box[rows], box[before]), strict=True):
            track[rows[row]] = track[before[last]]
        new = rows[track[rows] < 0]
        track[new] = track.max() + 1 + np.arange(len(new))
        latest |= dict(zip(track[rows].tolist(), rows.tolist(), strict=True))
    return track


def _pair(box: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs boxes with earlier ones at the least cost; returns indices into both."""
    offset = (box[:, None, :2] - before[None, :, :2]) + (box[:, None, 2:] - before[None, :, 2:]) / 2
    cost = np.hypot(offset[..., 0], offset[..., 1])
    cost[cost > LONGEST_MOVE] = TOO_FAR
    cost[(box[:, None, :2] == before[None, :, :2]).all(axis=2)] = SAME_PLACE
    here, there = linear_sum_assignment(cost)
    near = cost[here, there] < TOO_FAR
    return here[near], there[near]


def _moves(time: np.ndarray, track: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns `(T,)` bool, whether each track moves."""
    order = np.lexsort((time, track))
    track, place = track[order], box[order, :2]
    changes = (track[1:] == track[:-1]) & (place[1:] != place[:-1]).any(axis=1)
    num_tracks = track.max(initial=-1) + 1
    num_changes = np.bincount(track[1:][changes], minlength=num_tracks)
    length = np.bincount(track, minlength=num_tracks)
    return (num_changes >= 2) | ((num_changes == 1) & (length <= 4))
