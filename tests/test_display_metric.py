"""Flags of display against ground truth, in scenes for which every figure is known by hand."""

import numpy as np
import pytest
from test_detection_metric import ONE, found, truth

from sprite_obs.metrics.display import DisplayFigures, score_display

DIGIT = (10, 0, 6, 8)
AREA = [(0, 0, 160, 10)]


def figures(detections, flags, objects, num_frames=1) -> DisplayFigures | None:
    return score_display(detections, np.array(flags, bool), objects, num_frames)


def test_flags_are_counted():
    things = found((0, 1, ONE), (0, 2, DIGIT), (0, 2, (20, 0, 6, 8)), (0, 2, (90, 90, 5, 5)))
    result = figures(things, [1, 1, 0, 1], truth((0, 0, ONE), hud_rects=AREA))
    assert result == DisplayFigures(
        num_display=2, num_flagged=3, num_lost=1, precision=1 / 3, recall=1 / 2
    )


def test_what_flies_past_the_score_is_of_the_game():
    things = found((0, 1, (50, 2, 7, 8)), (0, 2, DIGIT))
    result = figures(things, [0, 1], truth((0, 0, (50, 1, 7, 8)), hud_rects=AREA))
    assert (result.precision, result.recall, result.num_display) == (1, 1, 1)


@pytest.mark.parametrize(("flags", "names"), [([1], ("hud",)), ([0], ()), ([0], ("hud", "hidden"))])
def test_an_object_is_what_the_truth_says_without_any_area(flags, names):
    objects = truth((0, 0, ONE, *names), (0, 1, DIGIT, "hud"))
    result = figures(found((0, 1, ONE)), flags, objects)
    assert result.num_display == result.num_flagged == flags[0]


@pytest.mark.parametrize(("top", "display"), [(6, 1), (7, 0)])
def test_half_a_box_on_the_display_is_enough(top, display):
    result = figures(found((0, 1, (80, top, 6, 8))), [0], truth(hud_rects=AREA))
    assert result.num_display == display


def test_fragments_of_a_digit_are_display():
    objects = truth((0, 0, DIGIT, "hud", "still"))
    result = figures(found((0, 1, (10, 0, 6, 1)), (0, 1, (10, 7, 6, 1))), [1, 1], objects)
    assert (result.precision, result.recall, result.num_display) == (1, 1, 2)


def test_frames_do_not_mix():
    things = found((0, 1, ONE), (1, 1, ONE))
    result = figures(things, [1, 1], truth((1, 0, ONE, "hud")), num_frames=2)
    assert (result.num_display, result.precision) == (1, 1 / 2)


def test_nothing_found_and_nothing_known():
    assert figures(found(), [], truth((0, 0, ONE))) is None
    zero = DisplayFigures(0, 0, 0, 0.0, 0.0)
    assert figures(found(), [], truth(hud_rects=AREA)) == zero
