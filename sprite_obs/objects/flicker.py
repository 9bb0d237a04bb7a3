"""Joins the sprites of two successive frames: what flickers is drawn in one of them only."""

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.objects.assignment import pairs_within

MAX_SHIFT = 18.0
"""A thing moves less than so many pixels from one frame to the next: Pong's paddle moves 12,
Asterix changes to the next lane, 16 pixels below and up to 4 aside."""
MAX_COVERED = 0.5
"""Share of a thing's box from which on what the newer frame shows there speaks against it."""


def join_frames(found: Detections) -> Detections:
    """Adds to a frame the sprites of the frame before that are missing in it.

    A sprite is not missing if the newer frame shows one of its type less than `MAX_SHIFT` away,
    one for one, or if something else that it shows covers half of its place. Things that the
    dictionary lacks are not added. What has really gone is shown for one step longer, if it went
    between these two frames.

    Args:
        found: detections of two frames, the older one first.

    Returns:
        Those of the newer frame and the added ones, as one frame with index 0.
    """
    newer, missing = found.of_frame(1), missing_things(found)
    if not len(missing.frame):
        return newer._replace(frame=np.zeros_like(newer.frame))
    both = Detections(*(np.concatenate(columns) for columns in zip(newer, missing, strict=True)))
    order = np.lexsort((both.box[:, 0], both.box[:, 1], both.layer))
    both = both.rows(order)
    return both._replace(frame=np.zeros_like(both.frame))


def missing_things(found: Detections) -> Detections:
    """Returns what `join_frames` adds: what the older of two frames shows and the newer one lacks.

    Args:
        found: detections of two frames, the older one first.
    """
    older, newer = found.of_frame(0), found.of_frame(1)
    lost, new = _changed(older, newer)
    lost = lost[older.type[lost] > 0]
    squared = np.square(older.centre[lost][:, None] - newer.centre[new]).sum(-1, dtype=np.float64)
    squared[older.type[lost][:, None] != newer.type[new]] = np.inf
    found_again, _ = pairs_within(squared, MAX_SHIFT**2)
    lost = np.delete(lost, found_again)
    return older.rows(lost[_covered_share(older.box[lost], newer.box) < MAX_COVERED])


def _changed(older: Detections, newer: Detections) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows of each frame that the other one does not show alike: most things rest."""
    first, second = (
        list(zip(found.sprite.tolist(), *found.box[:, :2].T.tolist(), strict=True))
        for found in (older, newer)
    )
    in_first, in_second = set(first), set(second)
    lost = [row for row, thing in enumerate(first) if thing not in in_second]
    new = [row for row, thing in enumerate(second) if thing not in in_first]
    return np.array(lost, np.int64), np.array(new, np.int64)


def _covered_share(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the largest share of each of `(N, 4)` boxes that lies in one of `(M, 4)` others."""
    start = np.maximum(boxes[:, None, :2], others[:, :2])  # (N, M, 2)
    end = np.minimum(boxes[:, None, :2] + boxes[:, None, 2:], others[:, :2] + others[:, 2:])
    shared = np.maximum(end - start, 0).prod(2)  # (N, M)
    return shared.max(1, initial=0) / boxes[:, 2:].prod(1)
