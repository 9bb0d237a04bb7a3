"""Which objects are to be found, and which areas of a frame are ignored, in each variant."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.metrics.boxes import area, paint, to_edges
from sprite_obs.metrics.ground_truth import GroundTruth

VARIANTS = ("all", "game", "moving")
"""All objects; those of the game, not of its display; those of the game that move."""
MIN_ON_AREA = 0.5
"""Share of an unmatched box on areas from which on it belongs to them: on ignored ones, it is not
held against the model, on those of the display, it is display."""


class Objects(NamedTuple):
    """The objects that reach into their frames; M rows.

    Attributes:
        edges: `(M, 4)` int64, left, top, right, bottom, cut at the border of the frame.
        frame: `(M,)` integers, index of the frame.
        category: `(M,)` integers.
        hud: `(M,)` bool, whether it belongs to the display.
        moving: `(M,)` bool, whether the object moves at some time.
        visible: `(M,)` bool, whether the frame shows it.
        row: `(M,)` int64, its row in the ground truth.
    """

    edges: np.ndarray
    frame: np.ndarray
    category: np.ndarray
    hud: np.ndarray
    moving: np.ndarray
    visible: np.ndarray
    row: np.ndarray

    def wanted(self, variant: str) -> np.ndarray:
        """Returns which objects are to be found, `(M,)` bool."""
        wanted = self.visible & ~self._repeated()
        if variant != "all":
            wanted &= ~self.hud
        if variant == "moving":
            wanted &= self.moving
        return wanted

    def _repeated(self) -> np.ndarray:
        """Returns which objects have the very box of an earlier one of their category."""
        table = np.column_stack([self.frame, self.category, self.edges])
        _, first = np.unique(table, axis=0, return_index=True)
        repeated = np.ones(len(table), bool)
        repeated[first] = False
        return repeated


def objects_of(truth: GroundTruth) -> Objects:
    """Returns the objects whose boxes are not outside their frame."""
    edges = to_edges(truth.box, truth.frame_size)
    row = np.arange(len(edges))
    columns = edges, truth.frame, truth.category, truth.hud, truth.moving, truth.visible, row
    inside = area(edges) > 0
    return Objects(*(column[inside] for column in columns))


class FrameBoxes(NamedTuple):
    """What is compared in one frame.

    Attributes:
        rows: `(P,)` int64, rows of the detections.
        targets: `(G,)` int64, rows of the objects that are to be found.
        ignored: `(P,)` bool, found boxes that lie at least half on ignored areas.
    """

    rows: np.ndarray
    targets: np.ndarray
    ignored: np.ndarray


def by_frame(
    found: Detections, objects: Objects, truth: GroundTruth, num_frames: int, variant: str
) -> Iterator[FrameBoxes]:
    """Yields, frame by frame, what a variant compares.

    Args:
        found: the detections, cut at the border of the frame.
        objects: those of `truth`.
        truth: the ground truth.
        num_frames: frames in which both were looked for.
        variant: one of `VARIANTS`.
    """
    edges = to_edges(found.box, truth.frame_size)
    # The display's areas are ignored as a whole: they show more than the objects named there.
    display = to_edges(truth.hud_rects, truth.frame_size)[: 0 if variant == "all" else None]
    wanted = objects.wanted(variant)
    for frame in range(num_frames):
        rows = np.flatnonzero(found.frame == frame)
        here = objects.frame == frame
        unwanted = np.concatenate([objects.edges[here & ~wanted], display])
        ignored = lie_on(edges[rows], unwanted, truth.frame_size)
        yield FrameBoxes(rows, np.flatnonzero(here & wanted), ignored)


def lie_on(edges: np.ndarray, areas: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    """Returns which boxes lie at least half on areas, `(P,)` bool.

    Args:
        edges: `(P, 4)` edges, cut at the border and not empty.
        areas: `(R, 4)` edges, which may overlap.
        frame_size: (H, W) in pixels.
    """
    mask = paint(areas, frame_size)
    shares = [mask[top:bottom, left:right].mean() for left, top, right, bottom in edges.tolist()]
    return np.array(shares) >= MIN_ON_AREA
