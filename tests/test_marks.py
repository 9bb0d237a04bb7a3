import numpy as np
import pytest

from sprite_obs.view.marks import FALSE, FOUND, MISSED, WRONG, Box, draw_boxes, mark_wrong

FRAME = np.random.default_rng(0).integers(0, 60, (60, 80, 3), np.uint8)
SCALE = 6


def enlarged(frame: np.ndarray) -> np.ndarray:
    return np.kron(frame, np.ones((SCALE, SCALE, 1), np.uint8))


def test_frames_come_near_to_one_width():
    np.testing.assert_array_equal(draw_boxes(FRAME, []), enlarged(FRAME))
    large = np.zeros((10, 900, 3), np.uint8)
    assert draw_boxes(large, []).shape == large.shape


@pytest.mark.parametrize("kind", [FOUND, MISSED])
def test_a_box_leaves_its_pixels_free(kind):
    picture = draw_boxes(FRAME, [Box((40, 30, 50, 35), kind)])
    rows, columns = slice(30 * SCALE, 35 * SCALE), slice(40 * SCALE, 50 * SCALE)
    np.testing.assert_array_equal(picture[rows, columns], enlarged(FRAME)[rows, columns])
    drawn = (picture == kind.colour).all(-1)
    width, height = 10 * SCALE, 5 * SCALE
    outer = (width + 2 * kind.thickness) * (height + 2 * kind.thickness)
    assert drawn.sum() == outer - width * height


def test_boxes_at_the_border_and_of_one_pixel_are_seen():
    for edges in [(0, 0, 80, 60), (79, 59, 80, 60), (0, 0, 1, 1)]:
        for kind in (FOUND, MISSED):
            picture = draw_boxes(FRAME, [Box(edges, kind, "thing")])
            assert (picture == kind.colour).all(-1).sum() > SCALE


def test_the_text_stands_above_its_box():
    plain = draw_boxes(FRAME, [Box((40, 30, 50, 35), FALSE)])
    named = draw_boxes(FRAME, [Box((40, 30, 50, 35), FALSE, "t12")])
    changed = (plain != named).any(-1)
    assert changed[: 30 * SCALE].any() and not changed[30 * SCALE :].any()


def test_no_text_covers_another_one_and_the_last_box_comes_first():
    boxes = [Box((40, 30, 43, 35), FOUND, "submarine"), Box((45, 30, 48, 35), MISSED, "shark")]
    silent = [box._replace(text="") for box in boxes]
    only_last = draw_boxes(FRAME, [silent[0], boxes[1]])
    assert (only_last != draw_boxes(FRAME, silent)).any()
    np.testing.assert_array_equal(draw_boxes(FRAME, boxes), only_last)


def test_no_text_covers_a_thing():
    boxes = [Box((40, 30, 50, 35), FOUND, "t1"), Box((41, 27, 50, 29), MISSED)]
    silent = [box._replace(text="") for box in boxes]
    np.testing.assert_array_equal(draw_boxes(FRAME, boxes), draw_boxes(FRAME, silent))


def test_wrong_pixels_stand_out():
    wrong = np.zeros((60, 80), bool)
    wrong[3, 4] = wrong[50, 60] = True
    picture = mark_wrong(FRAME, wrong)
    np.testing.assert_array_equal((picture == WRONG).all(-1), wrong)
    others = picture[~wrong]
    assert (others == others[:, :1]).all(), "grey"
    assert others.mean() < 0.5 * FRAME.mean()
