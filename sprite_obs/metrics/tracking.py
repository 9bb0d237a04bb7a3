"""Whether what is followed stays the same: how often an object's track changes."""

from dataclasses import dataclass

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.metrics.boxes import to_edges
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.metrics.matching import match_overlap
from sprite_obs.metrics.targets import by_frame, objects_of

PER = 100
"""Frames of an object that the rates refer to."""


@dataclass(frozen=True)
class TrackingFigures:
    """How well tracks keep to the objects that they were matched with, IoU >= 0.5, one to one.

    Attributes:
        num_pairs: frames of objects in which they are matched.
        num_switches: pairs whose object was on another track when it was matched last.
        num_takeovers: pairs whose track was on another object when it was matched last.
        switches: switches per 100 pairs.
        takeovers: takeovers per 100 pairs. A tracker that gives a number away to whatever comes
            next makes few switches, but many of these.
    """

    num_pairs: int
    num_switches: int
    num_takeovers: int
    switches: float
    takeovers: float


def score_tracking(
    found: Detections,
    tracks: np.ndarray,
    truth: GroundTruth,
    episode: np.ndarray,
    variant: str = "moving",
) -> TrackingFigures | None:
    """Compares tracks with the objects of ground truth, within episodes.

    Args:
        found: the detections, in the order of the frames, cut at the border of the frame.
        tracks: `(N,)` integers, the track of each detection.
        truth: the objects.
        episode: `(F,)` integers, episode of each frame.
        variant: which objects count, one of `sprite_obs.metrics.targets.VARIANTS`.

    Returns:
        The figures; None where the ground truth does not tell objects apart.
    """
    if truth.track is None:
        return None
    pairs = _pairs(found, truth, len(episode), variant)  # (P, 2)
    where = episode[found.frame[pairs[:, 0]]]
    track, thing = tracks[pairs[:, 0]], truth.track[pairs[:, 1]]
    num_switches, num_takeovers = _changes(where, thing, track), _changes(where, track, thing)
    rate = PER / max(1, len(pairs))
    return TrackingFigures(
        len(pairs), num_switches, num_takeovers, rate * num_switches, rate * num_takeovers
    )


def _pairs(found: Detections, truth: GroundTruth, num_frames: int, variant: str) -> np.ndarray:
    """Returns `(P, 2)` rows of detections and of the ground truth, in the order of the frames."""
    edges, objects = to_edges(found.box, truth.frame_size), objects_of(truth)
    pairs = [np.zeros((0, 2), np.int64)]
    for rows, targets, _ in by_frame(found, objects, truth, num_frames, variant):
        first, second = match_overlap(edges[rows], objects.edges[targets]).T
        pairs.append(np.column_stack([rows[first], objects.row[targets[second]]]))
    return np.concatenate(pairs)


def _changes(episode: np.ndarray, key: np.ndarray, value: np.ndarray) -> int:
    """Counts how often the value of a key differs from its last one in the same episode."""
    order = np.lexsort((np.arange(len(key)), key, episode))
    episode, key, value = episode[order], key[order], value[order]
    again = (key[1:] == key[:-1]) & (episode[1:] == episode[:-1])
    return int((again & (value[1:] != value[:-1])).sum())
