"""Whether score, lives and logos are told from the game: flags of found boxes against truth."""

from dataclasses import dataclass

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.metrics.boxes import to_edges
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.metrics.matching import match_overlap
from sprite_obs.metrics.targets import Objects, lie_on, objects_of


@dataclass(frozen=True)
class DisplayFigures:
    """How well the flag `display` agrees with the display of ground truth.

    Attributes:
        num_display: found boxes that belong to the display.
        num_flagged: found boxes that are flagged.
        num_lost: those of them that are objects of the game.
        precision: share of the flagged boxes that belong to the display; 0 without such boxes.
        recall: share of the display's boxes that are flagged; 0 without such boxes.
    """

    num_display: int
    num_flagged: int
    num_lost: int
    precision: float
    recall: float


def score_display(
    found: Detections, flagged: np.ndarray, truth: GroundTruth, num_frames: int
) -> DisplayFigures | None:
    """Compares flags of found boxes with the display of ground truth.

    Args:
        found: the detections, in the order of the frames.
        flagged: `(N,)` bool, whether each is said to be display.
        truth: the objects.
        num_frames: frames in which both were looked for.

    Returns:
        The figures; None where the ground truth knows of no display.
    """
    if not len(truth.hud_rects) and not truth.hud.any():
        return None
    edges, objects = to_edges(found.box, truth.frame_size), objects_of(truth)
    display, of_game = (np.zeros(len(edges), bool) for _ in range(2))
    for frame in range(num_frames):
        rows = np.flatnonzero(found.frame == frame)
        display[rows], of_game[rows] = _belongs(edges[rows], objects, truth, frame)
    right, lost = int((flagged & display).sum()), int((flagged & of_game).sum())
    num_display, num_flagged = int(display.sum()), int(flagged.sum())
    return DisplayFigures(
        num_display,
        num_flagged,
        num_lost=lost,
        precision=right / max(1, num_flagged),
        recall=right / max(1, num_display),
    )


def _belongs(
    edges: np.ndarray, objects: Objects, truth: GroundTruth, frame: int
) -> tuple[np.ndarray, np.ndarray]:
    """Tells what the boxes of one frame belong to.

    A box that pairs up with an object is what the object is, so that what flies past the score is
    of the game. Others are display if half of them lies on its areas.

    Returns:
        `(P,)` bool, boxes of the display, and `(P,)` bool, boxes that are objects of the game.
    """
    here = np.flatnonzero((objects.frame == frame) & objects.visible)
    pairs = match_overlap(edges, objects.edges[here])
    rects = to_edges(truth.hud_rects, truth.frame_size)
    areas = np.concatenate([rects, objects.edges[here[objects.hud[here]]]])
    display = lie_on(edges, areas, truth.frame_size)
    of_game = np.zeros(len(edges), bool)
    display[pairs[:, 0]] = objects.hud[here[pairs[:, 1]]]
    of_game[pairs[:, 0]] = ~objects.hud[here[pairs[:, 1]]]
    return display, of_game
