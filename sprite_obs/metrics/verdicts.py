"""What became of every box: found, false or not judged; and of every object: found or missed."""

from typing import NamedTuple

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.metrics.boxes import area, intersection, to_edges
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.metrics.matching import match_fragments, match_overlap
from sprite_obs.metrics.targets import VARIANTS, Objects, by_frame, objects_of

OUTCOMES = (
    "found",
    "found in pieces",
    "part of a larger box",
    "found in part",
    "nothing found there",
)
"""What can become of an object, all but the first being missed."""
FOUND, IN_PIECES, IN_LARGER_BOX, IN_PART, NOT_AT_ALL = range(len(OUTCOMES))
MIN_SWALLOWED = 0.5
"""Share of an object in one box that misses it, from which on it is part of that box."""


class Verdicts(NamedTuple):
    """What became of P detections and G objects that were to be found, in pairs by overlap.

    Attributes:
        variant: the one of `sprite_obs.metrics.targets.VARIANTS` that was looked at.
        found: the detections, cut at the border of the frame.
        right: `(P,)` bool, whether a detection is one of the objects.
        false: `(P,)` bool, whether it is none, and not on an ignored area either.
        objects: the objects that were to be found.
        type: `(G,)` int32, type id of the detection that is this object; -1 where it is missed.
        outcome: `(G,)` int64, what became of each, as an index into `OUTCOMES`.
    """

    variant: str
    found: Detections
    right: np.ndarray
    false: np.ndarray
    objects: Objects
    type: np.ndarray
    outcome: np.ndarray

    @property
    def missed(self) -> np.ndarray:
        """`(G,)` bool, whether an object is missed."""
        return self.outcome != FOUND


def judge(found: Detections, truth: GroundTruth, num_frames: int) -> Verdicts:
    """Compares detections with ground truth, box by box; `docs/detection.md` says how.

    Looks at what moves; in games where nothing is known to, at all that is not of the display;
    and if there is nothing else, at the display.

    Args:
        found: the detections, in the order of the frames.
        truth: the objects.
        num_frames: frames in which both were looked for.
    """
    found, objects = found.clipped(truth.frame_size), objects_of(truth)
    variant = next((v for v in reversed(VARIANTS) if objects.wanted(v).any()), VARIANTS[0])
    edges = to_edges(found.box, truth.frame_size)
    right, ignored = np.zeros((2, len(edges)), bool)
    type_id = np.full(len(objects.frame), -1, np.int32)
    outcome = np.full(len(objects.frame), NOT_AT_ALL)
    for boxes in by_frame(found, objects, truth, num_frames, variant):
        here, true = edges[boxes.rows], objects.edges[boxes.targets]
        pairs = match_overlap(here, true)
        rows, targets = boxes.rows[pairs[:, 0]], boxes.targets[pairs[:, 1]]
        right[rows] = True
        ignored[boxes.rows] = boxes.ignored
        type_id[targets] = found.type[rows]
        outcome[boxes.targets] = _how_missed(here, true)
        outcome[targets] = FOUND
    wanted = objects.wanted(variant)
    return Verdicts(
        variant=variant,
        found=found,
        right=right,
        false=~right & ~ignored,
        objects=Objects(*(column[wanted] for column in objects)),
        type=type_id[wanted],
        outcome=outcome[wanted],
    )


def _how_missed(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Says what is at the place of each of `(G, 4)` edges if it is missed: `(G,)` outcomes."""
    shared = intersection(found, true)  # (P, G)
    _, covered = match_fragments(found, true)
    swallowed = (shared >= MIN_SWALLOWED * area(true)).any(axis=0)
    touched = (shared > 0).any(axis=0)
    return np.select(
        [covered, swallowed, touched], [IN_PIECES, IN_LARGER_BOX, IN_PART], default=NOT_AT_ALL
    )
