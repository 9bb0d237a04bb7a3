"""Types: what follows each other, what looks alike, and what must stay apart."""

import numpy as np

from sprite_obs.discover.count import Occurrences
from sprite_obs.discover.identity import follow, link_types
from sprite_obs.lookup.bank import TRANSPARENT, make_bank

ARROW = ["##...", "###..", "#####", "###..", "##..."]
STAR = ["#.#.#", ".###.", "#####", ".###.", "#.#.#"]
HOOK = ["#####", "#...#", "#....", "#....", "##..."]
FRAMES = 60


def draw(rows, color=1):
    opaque = np.array([[pixel == "#" for pixel in row] for row in rows])
    return np.where(opaque, color, TRANSPARENT).astype(np.uint8)


def walk(drawing, y, frames=None, step=1):
    """Rows `(frame, drawing, x, y)` of a thing that walks along one line."""
    return [(n, drawing, 5 + step * n, y) for n in (range(FRAMES) if frames is None else frames)]


def occurrences(drawings, rows):
    rows = np.array(sorted(rows))
    sizes = np.array([drawing.shape[::-1] for drawing in drawings])[rows[:, 1]]
    box = np.column_stack([rows[:, 2:], sizes]).astype(np.int32)
    return Occurrences(rows[:, 0].astype(np.int32), rows[:, 1].astype(np.int64), box)


def types(drawings, *walks):
    seen = occurrences(drawings, [row for rows in walks for row in rows])
    return link_types(make_bank(drawings), seen, follow(seen, np.zeros(FRAMES, np.int32))).tolist()


def test_poses_that_follow_each_other_are_one_thing():
    poses = [draw(ARROW), draw(STAR), draw(HOOK)]
    even, odd = range(0, FRAMES, 2), range(1, FRAMES, 2)
    assert types(poses, walk(0, 10, even), walk(1, 10, odd), walk(2, 80)) == [0, 0, 1]


def test_other_colours_in_the_same_place_are_another_thing():
    poses = [draw(ARROW), draw(STAR, 2)]
    assert types(poses, walk(0, 10, range(30)), walk(1, 10, range(30, FRAMES))) == [0, 1]


def test_poses_of_a_thing_that_flickers_are_one_thing():
    poses = [draw(ARROW), draw(STAR), draw(HOOK, 2)]
    flicker = walk(0, 10, range(0, FRAMES, 4)), walk(1, 10, range(2, FRAMES, 4))
    assert types(poses, *flicker, walk(2, 80)) == [0, 0, 1]


def test_a_change_is_counted_although_another_thing_is_nearer():
    poses = [draw(ARROW), draw(STAR), draw(HOOK, 2)]
    even, odd = range(0, FRAMES, 2), range(1, FRAMES, 2)
    near = [(n, drawing, x + 2, y) for n, drawing, x, y in walk(2, 10)]
    assert types(poses, walk(0, 10, even), walk(1, 10, odd), near) == [0, 0, 1]


def test_nothing_follows_across_the_end_of_an_episode():
    seen = occurrences([draw(ARROW)], walk(0, 10, range(4)))
    assert follow(seen, np.array([0, 0, 1, 1])).tolist() == [[0, 1], [2, 3]]
    assert len(follow(seen, np.array([0, 0, 1, 1]), gap=2)) == 0


def test_mirrored_and_slightly_changed_views_are_one_thing():
    changed = draw(ARROW)
    changed[0, 2] = 1
    views = [draw(ARROW), draw(ARROW)[:, ::-1], changed, draw(STAR)]
    assert types(views, *(walk(i, 40 * i) for i in range(4))) == [0, 0, 0, 1]


def test_solid_boxes_of_one_colour_stay_apart():
    boxes = [np.ones((6, 6), np.uint8), np.ones((6, 7), np.uint8)]
    assert types(boxes, walk(0, 10), walk(1, 80)) == [0, 1]


def test_many_colours_side_by_side_are_one_thing():
    cars = [draw(ARROW, color) for color in range(3)]
    assert types(cars, *(walk(i, 40 * i) for i in range(3))) == [0, 0, 0]


def test_two_colours_side_by_side_are_opponents():
    players = [draw(ARROW, color) for color in range(2)]
    assert types(players, walk(0, 10), walk(1, 80)) == [0, 1]


def test_two_colours_at_different_times_are_one_thing():
    alarm = [draw(ARROW, color) for color in range(2)]
    assert types(alarm, walk(0, 10, range(30)), walk(1, 80, range(31, FRAMES))) == [0, 0]


def test_colours_of_what_rests_stay_apart():
    digits = [draw(ARROW, color) for color in range(3)]
    assert types(digits, *(walk(i, 40 * i, step=0) for i in range(3))) == [0, 1, 2]


def test_a_rare_end_of_a_drawing_is_a_cut_view_of_it():
    drawings = [draw(HOOK), draw(HOOK)[:2], draw(HOOK)[:, ::-1][2:, 3:]]
    rare = [walk(1, 40, range(5)), walk(2, 80, range(5))]
    assert types(drawings, walk(0, 10), *rare) == [0, 0, 1], "cut on one side, not on two"
    common = [walk(1, 40), walk(2, 80)]
    assert types(drawings, walk(0, 10), *common) == [0, 1, 2]


def test_a_piece_of_what_rests_is_no_view_of_it():
    drawings = [np.ones((8, 2), np.uint8), np.ones((5, 2), np.uint8)]
    assert types(drawings, walk(0, 10, step=0), walk(1, 60, range(5))) == [0, 1]


def test_no_drawing_has_no_type():
    seen = Occurrences(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros((0, 4), np.int32))
    assert link_types(make_bank([]), seen, np.zeros((0, 2), np.int64)).tolist() == []
