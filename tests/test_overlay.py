import numpy as np
import pytest

from sprite_obs.detections import Detections
from sprite_obs.view.overlay import draw_detections, type_colour

HEIGHT, WIDTH = 60, 80


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60, (HEIGHT, WIDTH, 3), np.uint8)


def detections(*boxes: tuple[int, int, int, int], type_id: int = 2, sprite: int = 7) -> Detections:
    ones = np.ones(len(boxes), np.int32)
    box = np.array(boxes, np.int32).reshape(-1, 4)
    return Detections.separate(
        ones * 0, ones * sprite, ones * type_id, ones, box, ones.astype(np.float32)
    )


def enlarged(frame: np.ndarray, scale: int) -> np.ndarray:
    return np.kron(frame, np.ones((scale, scale, 1), np.uint8))


@pytest.mark.parametrize("scale", [1, 3])
def test_without_sprites_it_enlarges_the_frame(frame, scale):
    picture = draw_detections(frame, detections(), scale)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, enlarged(frame, scale))


def test_a_box_surrounds_the_pixels_of_a_sprite(frame):
    picture = draw_detections(frame, detections((40, 30, 10, 5)))
    colour = type_colour(2)
    rows, columns = slice(30 * 3 - 1, 35 * 3 + 1), slice(40 * 3 - 1, 50 * 3 + 1)
    box = picture[rows, columns]
    for side in (box[0], box[-1], box[:, 0], box[:, -1]):
        np.testing.assert_array_equal(side, np.broadcast_to(colour, side.shape))
    inside = enlarged(frame, 3)[rows, columns][1:-1, 1:-1]
    np.testing.assert_array_equal(box[1:-1, 1:-1], inside)


def test_id_and_layer_are_written_above_the_box(frame):
    picture = draw_detections(frame, detections((40, 30, 10, 5)))
    plate = np.s_[30 * 3 - 14 : 30 * 3 - 1, 40 * 3 : 40 * 3 + 15]
    assert (picture != enlarged(frame, 3)).any(2)[plate].mean() > 0.3
    other = draw_detections(frame, detections((40, 30, 10, 5), sprite=8))
    assert (picture[plate] != other[plate]).any()


def test_types_have_colours_of_their_own():
    colours = {type_colour(type_id) for type_id in range(20)}
    assert len(colours) == 20
    assert type_colour(0) == (255, 255, 255)


@pytest.mark.parametrize("box", [(0, 0, 5, 5), (75, 55, 5, 5), (0, 0, WIDTH, HEIGHT)])
def test_sprites_at_the_border_are_drawn(frame, box):
    picture = draw_detections(frame, detections(box, sprite=123456))
    assert (picture != enlarged(frame, 3)).any()


def test_the_frame_itself_stays_as_it_is(frame):
    before = frame.copy()
    draw_detections(frame, detections((10, 20, 5, 5)), scale=1)
    np.testing.assert_array_equal(frame, before)
