"""Places for drawings, and pieces of frames, against NumPy that looks at everything."""

import numba
import numpy as np
import pytest

from sprite_obs.lookup.apart import COVERED
from sprite_obs.lookup.bank import TRANSPARENT, make_bank
from sprite_obs.lookup.components import ComponentCanvas
from sprite_obs.lookup.cut import cut_out
from sprite_obs.lookup.explain import Explainer
from sprite_obs.lookup.fit import EXPLAINED, OPEN, OUTSIDE, best_place, sum_open
from sprite_obs.lookup.peel import Rules, extend, peel
from sprite_obs.packed import pack


def random_scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns a drawing, and colours and states of a component that may show it."""
    drawing = rng.integers(1, 3, rng.integers(2, 5, 2), np.uint8)
    drawing[rng.random(drawing.shape) < 0.2] = TRANSPARENT
    drawing[0, 0] = 1
    colors = rng.integers(1, 3, (9, 11), np.uint8)
    state = rng.choice([OUTSIDE, OPEN, EXPLAINED], (9, 11), p=[0.1, 0.5, 0.4]).astype(np.uint8)
    top, left = rng.integers(0, [9 - drawing.shape[0] + 1, 11 - drawing.shape[1] + 1])
    inside = np.s_[top : top + drawing.shape[0], left : left + drawing.shape[1]]
    opaque = drawing != TRANSPARENT
    colors[inside][opaque], state[inside][opaque & (state[inside] == OUTSIDE)] = drawing[opaque], 1
    return drawing, colors, state


def most_visible(drawing: np.ndarray, colors: np.ndarray, state: np.ndarray, whole: bool) -> int:
    """Returns how many pixels of a drawing show at its best place, of all places."""
    opaque, best = drawing != TRANSPARENT, 0
    for top in range(len(colors) - len(drawing) + 1):
        for left in range(colors.shape[1] - drawing.shape[1] + 1):
            inside = np.s_[top : top + len(drawing), left : left + drawing.shape[1]]
            shows = (state[inside] == OPEN) & (colors[inside] == drawing)
            hidden = (state[inside] == EXPLAINED) & (not whole)
            if (shows | hidden)[opaque].all():
                best = max(best, int(shows[opaque].sum()))
    return best


@pytest.mark.parametrize("whole", [True, False])
def test_a_drawing_is_placed_where_most_of_it_shows(whole):
    rng, found = np.random.default_rng(0), 0
    for _ in range(300):
        drawing, colors, state = random_scene(rng)
        opened = np.empty((10, 12), np.int32)
        sum_open(state, opened)
        assert opened[-1, -1] == (state == OPEN).sum() and not opened[0].any()
        needed = int((drawing != TRANSPARENT).sum()) if whole else 1
        limits = whole, needed, 1.0, 1.0
        visible, left, top = best_place(drawing, colors, state, opened, (0, 0), limits)
        assert visible == most_visible(drawing, colors, state, whole)
        if visible:
            inside = np.s_[top : top + len(drawing), left : left + drawing.shape[1]]
            shows = (state[inside] == OPEN) & (colors[inside] == drawing)
            assert shows[drawing != TRANSPARENT].sum() == visible
            found += 1
    assert found > 30


def test_of_each_drawing_the_colours_are_listed_with_their_first_pixels():
    one = np.array([[TRANSPARENT, 3], [5, 3]], np.uint8)
    arrays = make_bank([one, np.full((1, 1), TRANSPARENT, np.uint8)]).arrays
    assert arrays.tones.tolist() == [[3, 2, 0, 1], [5, 1, 1, 0]]
    assert arrays.first_tone.tolist() == [0, 2, 2]


def test_components_are_cut_out_with_their_numbers():
    index = np.zeros((8, 10), np.uint8)
    index[2:4, 3:5], index[5, 6:9], index[0, 0] = 4, 4, 4
    canvas = ComponentCanvas(index.shape)
    canvas.mask[:] = index > 0
    boxes = canvas.find(index).boxes
    window = np.array([0, 0, 9, 8], np.int32)
    numbers, left, top, sides = cut_out(canvas.arrays, np.array([2, 1]), boxes, window)
    assert (left, top, sides) == (3, 2, 4)  # it touches the right border
    expected = np.zeros((4, 6), int)
    expected[:2, :2], expected[3, 3:] = 2, 1
    assert np.array_equal(numbers, expected)


def test_what_is_packed_stays_the_same_memory():
    array = np.zeros(3, np.int32)
    packed = pack((array, 2))
    array[1] = 7
    assert total(packed) == 9
    array[0] = 1
    assert total(packed) == 10


@numba.njit
def total(packed):
    numbers, number = packed.content
    return numbers.sum() + number


@pytest.mark.parametrize("sides", [0, 1, 6])
def test_compiled_explanations_are_those_of_the_steps_one_by_one(sides):
    rng, explained = np.random.default_rng(sides), 0
    drawings = [rng.integers(1, 4, (5, 4), np.uint8), rng.integers(1, 4, (4, 6), np.uint8)]
    bank = make_bank(drawings)
    order = np.argsort(-bank.areas, kind="stable").astype(np.int32)
    explainer = Explainer(bank, np.ones(2), (100, 100), 0.5, 0.6)
    assert not explainer.is_piece.any()
    flags = np.array([sides >> side & 1 for side in range(4)], bool)
    for _ in range(300):
        colors = np.full((9, 10), TRANSPARENT, np.uint8)
        for drawing in rng.permutation(len(drawings)):
            height, width = drawings[drawing].shape
            top, left = rng.integers(0, [9 - height + 1, 10 - width + 1])
            colors[top : top + height, left : left + width] = drawings[drawing]
        opaque = colors != TRANSPARENT
        larger, shown, hidden, (dx, dy) = extend(colors, opaque, flags, 6)
        placed, left_over = peel(larger, shown, bank, order, Rules(*COVERED), hidden)
        if not left_over.any():
            found = explainer.explain(colors, opaque, sides)
            places = [(part[0] - 1, part[2] + dx, part[3] + dy) for part in found.parts]
            assert places == [place[:3] for place in placed] and found.is_exact
            scores = [place.visible / bank.areas[place.sprite] for place in placed]
            assert [part[6] for part in found.parts] == pytest.approx(scores)
            explained += 1
    assert explained > 20
