"""What became of each box and each object; the figures of the same detections must agree."""

import numpy as np
import pytest

from sprite_obs.detections import Detections
from sprite_obs.metrics.detection import score_detections
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.metrics.verdicts import (
    FOUND,
    IN_LARGER_BOX,
    IN_PART,
    IN_PIECES,
    NOT_AT_ALL,
    OUTCOMES,
    judge,
)

SIZE = 60, 80
BOX = (20, 10, 10, 10)


def truth(*boxes, hud=False, moving=True, visible=True, rects=()) -> GroundTruth:
    ones = np.ones(len(boxes), bool)
    return GroundTruth(
        frame=np.zeros(len(boxes), int),
        category=np.arange(len(boxes)),
        box=np.array(boxes).reshape(-1, 4),
        hud=ones & hud,
        moving=ones & moving,
        visible=ones & visible,
        hud_rects=np.array(rects, int).reshape(-1, 4),
        frame_size=SIZE,
        category_names=tuple("abcdefgh"),
    )


def found(*boxes, type_id=3, frame=0) -> Detections:
    ones = np.ones(len(boxes), np.int32)
    box = np.array(boxes, np.int32).reshape(-1, 4)
    return Detections.separate(
        ones * frame, ones, ones * type_id, ones * 0, box, ones.astype(np.float32)
    )


@pytest.mark.parametrize(
    ("boxes", "outcome"),
    [
        ([BOX], FOUND),
        ([(20, 10, 10, 6)], FOUND),
        ([(20, 10, 4, 10), (26, 10, 4, 10)], IN_PIECES),
        ([(10, 5, 30, 20)], IN_LARGER_BOX),
        ([(20, 10, 3, 3)], IN_PART),
        ([(28, 18, 10, 10)], IN_PART),
        ([(40, 40, 10, 10)], NOT_AT_ALL),
        ([], NOT_AT_ALL),
    ],
)
def test_what_becomes_of_an_object(boxes, outcome):
    verdicts = judge(found(*boxes), truth(BOX), 1)
    assert verdicts.outcome.tolist() == [outcome]
    assert verdicts.missed.tolist() == [outcome != FOUND]
    assert verdicts.type.tolist() == [3 if outcome == FOUND else -1]
    assert len(OUTCOMES) == 5


def test_what_becomes_of_a_box():
    seen = found(BOX, (50, 30, 8, 8), (1, 1, 6, 6))
    verdicts = judge(seen, truth(BOX, rects=[(0, 0, 9, 9)]), 1)
    assert verdicts.right.tolist() == [True, False, False]
    assert verdicts.false.tolist() == [False, True, False], "the last lies on the display"


def test_each_frame_is_compared_with_its_own_objects():
    verdicts = judge(found(BOX, frame=1), truth(BOX), 2)
    assert verdicts.outcome.tolist() == [NOT_AT_ALL] and verdicts.false.tolist() == [True]


def test_boxes_are_cut_at_the_border():
    verdicts = judge(found((-5, 10, 10, 10), (90, 0, 5, 5)), truth((-5, 10, 10, 10)), 1)
    assert verdicts.found.box.tolist() == [[0, 10, 5, 10]]
    assert verdicts.outcome.tolist() == [FOUND]


@pytest.mark.parametrize(
    ("flags", "variant", "num_objects"),
    [
        ({}, "moving", 1),
        ({"moving": False}, "game", 1),
        ({"moving": False, "hud": True}, "all", 1),
        ({"visible": False}, "all", 0),
    ],
)
def test_looks_at_what_moves_where_something_does(flags, variant, num_objects):
    verdicts = judge(found(BOX), truth(BOX, **flags), 1)
    assert (verdicts.variant, len(verdicts.outcome)) == (variant, num_objects)


def test_verdicts_agree_with_the_figures():
    rng = np.random.default_rng(0)
    boxes = np.column_stack([rng.integers(0, 60, (60, 2)), rng.integers(4, 20, (60, 2))])
    frames = np.sort(rng.integers(0, 5, 60))
    objects = truth(*boxes, moving=rng.random(60) < 0.7, rects=[(0, 0, 80, 10)])
    objects = objects._replace(frame=frames, category=rng.integers(0, 8, 60))
    shaken = boxes + rng.integers(-2, 3, boxes.shape)
    seen = found(*shaken[rng.random(60) < 0.8])
    seen = seen._replace(frame=np.sort(rng.integers(0, 5, len(seen.frame))).astype(np.int32))
    verdicts = judge(seen, objects, 5)
    rates = score_detections(seen, objects, 5)["moving"].overlap
    right, false = verdicts.right.sum(), verdicts.false.sum()
    assert 0 < right == (~verdicts.missed).sum()
    assert rates.precision == pytest.approx(right / (right + false))
    assert rates.recall == pytest.approx(1 - verdicts.missed.mean())
