"""Boxes end where walls hide the rest; beyond a black margin, and the frame, things go on."""

import numpy as np
import pytest

from sprite_obs.detections import from_rows
from sprite_obs.lookup.view import cut_at_view, view_of

WINDOW = np.array([8, 20, 160, 194], np.int32)
WALL = (236, 236, 236)


def background(left: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """Returns a field between walls above and below, with a margin on the left."""
    image = np.full((210, 160, 3), 90, np.uint8)
    image[:, :8] = left
    image[:20] = image[194:] = WALL
    return image


@pytest.mark.parametrize(("margin", "left"), [((0, 0, 0), 2), (WALL, 8)])
def test_walls_cut_but_black_margins_do_not(margin, left):
    rows = [(0, 1, 0, 80, 190, 4, 16, 0.25), (0, 1, 0, 2, 50, 16, 8, 0.6)]
    view = view_of(background(margin), WINDOW)
    found = cut_at_view(from_rows(rows, np.array([1], np.int32)), view)
    assert found.box.tolist() == [[left, 50, 18 - left, 8], [80, 190, 4, 4]]
    assert found.box.dtype == np.int32


def test_what_is_whole_or_wholly_beyond_the_view_stays():
    rows = [(0, 1, 0, 80, 190, 4, 16, 1.0), (0, 0, 0, 80, 200, 4, 4, 0.0)]
    found = from_rows(rows, np.array([1], np.int32))
    cut = cut_at_view(found, view_of(background(), WINDOW))
    np.testing.assert_array_equal(cut.box, found.box)


def test_without_a_margin_nothing_is_cut():
    whole = np.array([0, 0, 160, 210], np.int32)
    found = from_rows([(0, 1, 0, -2, 205, 4, 16, 0.2)], np.array([1], np.int32))
    cut = cut_at_view(found, view_of(background(), whole))
    np.testing.assert_array_equal(cut.box, found.box)
    nothing = from_rows([], np.array([1], np.int32))
    assert cut_at_view(nothing, view_of(background(), WINDOW)).box.shape == (0, 4)
