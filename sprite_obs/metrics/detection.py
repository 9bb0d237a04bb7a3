"""How well found boxes agree with ground truth; `docs/detection.md` defines every figure."""

from dataclasses import dataclass, field

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.metrics.boxes import to_edges
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.metrics.identity import IdentityFigures, score_identity
from sprite_obs.metrics.matching import match_centres, match_fragments, match_overlap
from sprite_obs.metrics.targets import VARIANTS, Objects, by_frame, objects_of


@dataclass(frozen=True)
class Rates:
    """Precision, recall and their harmonic mean; 0 where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class DetectionFigures:
    """The figures of one variant.

    Attributes:
        num_objects: objects to be found.
        num_found: boxes found, the ignored ones included.
        overlap: how many pair up with an IoU >= 0.5.
        centre: how many pair up by near centres, the MOC project's measure.
        fragments: the same if objects may be found in pieces.
        identity: what the ids in pairs by overlap are worth; None without pairs.
    """

    num_objects: int
    num_found: int
    overlap: Rates
    centre: Rates
    fragments: Rates
    identity: IdentityFigures | None


def score_detections(
    found: Detections, truth: GroundTruth, num_frames: int
) -> dict[str, DetectionFigures]:
    """Compares detections with ground truth in each of `VARIANTS`.

    Type ids are the ids. Boxes are cut at the border of the frame; those outside do not count.

    Args:
        found: the detections, in the order of the frames.
        truth: the objects.
        num_frames: frames in which both were looked for.
    """
    found = found.clipped(truth.frame_size)
    objects = objects_of(truth)
    return {variant: _score(found, objects, truth, num_frames, variant) for variant in VARIANTS}


@dataclass
class _Count:
    """Sums over frames from which precision and recall follow."""

    right: int = 0
    judged: int = 0
    hit: int = 0
    wanted: int = 0

    def add(self, right: np.ndarray, ignored: np.ndarray, hit: np.ndarray) -> None:
        """Counts `(P,)` bool, found boxes that are right and ignored, and `(G,)`, objects hit."""
        self.right += int(right.sum())
        self.judged += int((right | ~ignored).sum())
        self.hit += int(hit.sum())
        self.wanted += len(hit)

    def add_pairs(self, pairs: np.ndarray, ignored: np.ndarray, num_objects: int) -> None:
        """Counts `(N, 2)` pairs of found boxes and objects."""
        right, hit = np.zeros(len(ignored), bool), np.zeros(num_objects, bool)
        right[pairs[:, 0]] = hit[pairs[:, 1]] = True
        self.add(right, ignored, hit)

    def rates(self) -> Rates:
        precision = self.right / max(1, self.judged)
        recall = self.hit / max(1, self.wanted)
        f1 = 2 * precision * recall / (precision + recall) if self.right and self.hit else 0.0
        return Rates(precision, recall, f1)


@dataclass
class _Tally:
    """The counts of all three ways to match."""

    frame_size: tuple[int, int]
    overlap: _Count = field(default_factory=_Count)
    centre: _Count = field(default_factory=_Count)
    fragments: _Count = field(default_factory=_Count)

    def add(
        self, found: np.ndarray, true: np.ndarray, score: np.ndarray, ignored: np.ndarray
    ) -> np.ndarray:
        """Counts a frame, all boxes as edges; returns the `(N, 2)` pairs by overlap."""
        pairs = match_overlap(found, true)
        self.overlap.add_pairs(pairs, ignored, len(true))
        near = match_centres(found, true, score, self.frame_size)
        self.centre.add_pairs(near, ignored, len(true))
        inside, covered = match_fragments(found, true)
        self.fragments.add(inside, ignored, covered)
        return pairs


def _score(
    found: Detections, objects: Objects, truth: GroundTruth, num_frames: int, variant: str
) -> DetectionFigures:
    edges = to_edges(found.box, truth.frame_size)
    tally, matched = _Tally(truth.frame_size), []
    for rows, targets, ignored in by_frame(found, objects, truth, num_frames, variant):
        pairs = tally.add(edges[rows], objects.edges[targets], found.score[rows], ignored)
        matched.append(np.stack([rows[pairs[:, 0]], targets[pairs[:, 1]]], axis=1))
    rows, targets = np.concatenate(matched).T
    in_first_half = found.frame[rows] < num_frames // 2
    return DetectionFigures(
        num_objects=tally.overlap.wanted,
        num_found=len(edges),
        overlap=tally.overlap.rates(),
        centre=tally.centre.rates(),
        fragments=tally.fragments.rates(),
        identity=score_identity(found.type[rows], objects.category[targets], in_first_half),
    )
