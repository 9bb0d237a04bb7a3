"""Fragments of one object: sprites that move together at a fixed offset, and what only looks so."""

import numpy as np
import pytest

from sprite_obs.detections import Detections, from_rows
from sprite_obs.discover.fragments import find_links, find_stacks
from sprite_obs.lookup.links import Links

BODY, HAT, PILL = 1, 2, 3
SIZES = {BODY: (8, 10), HAT: (6, 3), PILL: (2, 2)}
AREAS = np.array([80, 18, 4])
OFFSET = np.array([1, -4])
"""Of the hat from the body."""


def detections(things: list[tuple[int, int, int, int]]) -> Detections:
    """Builds detections from frame, sprite, left and top."""
    rows = [(n, sprite, 0, x, y, *SIZES[sprite], 1.0) for n, sprite, x, y in things]
    return from_rows(rows, np.array([1, 2, 3], np.int32))


def walk(num_frames: int = 60) -> list[tuple[int, int, int, int]]:
    """Returns frame, left and top of something that wanders."""
    steps = np.random.default_rng(0).integers(-3, 4, (num_frames, 2))
    places = np.abs(40 + steps.cumsum(0))
    return [(n, *place) for n, place in enumerate(places.tolist())]


def with_hat(num_without: int = 0, num_still: int = 0) -> list[tuple[int, int, int, int]]:
    things = []
    for n, x, y in walk():
        things.append((n, BODY, x, y))
        if n >= num_without:
            things.append((n, HAT, x + 1, y - 4))
    return things + [(n, HAT, 100, 100) for n in range(num_still)]


def test_what_moves_together_is_one_object():
    links = find_links(detections(with_hat()), AREAS)
    assert links.dtype == np.int32
    assert [HAT, BODY, *(-OFFSET)] in links.tolist()
    found = Links(links).joined(detections(with_hat()))
    assert len(np.unique(found.object)) == 60
    assert (np.bincount(found.object)[found.object] == 2).all()


def test_pills_around_a_mover_stay_things_of_their_own():
    pills = [(x, y) for x in range(20, 64, 6) for y in range(20, 64, 6)]
    things = [(n, PILL, *pill) for n, _, _ in walk() for pill in pills]
    things += [(n, BODY, x, y) for n, x, y in walk()]
    seen = detections(things)
    assert not len(find_links(seen, AREAS))
    assert len(np.unique(Links(find_links(seen, AREAS)).joined(seen).object)) == len(seen.frame)


def test_a_display_that_never_moves_is_not_one_object():
    things = [(n, sprite, 10, 10 + 12 * (sprite == HAT)) for n in range(60) for sprite in (1, 2)]
    assert not len(find_links(detections(things), AREAS))


def bars(space: int) -> list[tuple[int, int, int, int]]:
    """Returns a column of bars, and another one beside it."""
    return [
        (n, HAT, x, 10 + y) for n in range(20) for y in range(0, 15, 3 + space) for x in (10, 16)
    ]


@pytest.mark.parametrize(("space", "num_objects"), [(0, 2), (1, 2), (2, 10)])
def test_bars_above_each_other_are_one_digit_of_the_display(space, num_objects):
    seen = detections(bars(space))
    stacks = find_stacks(seen, np.ones(len(seen.frame), bool))
    assert stacks.dtype == np.int32 and stacks.shape[1] == 4
    joined = Links(stacks).joined(seen.of_frame(0))
    assert len(np.unique(joined.object)) == min(num_objects, len(joined.frame))


def test_bars_that_are_also_elsewhere_are_no_digit():
    elsewhere = [(n, HAT, 60 + n, 80) for n in range(20)]
    seen = detections([*bars(1), *elsewhere, *((n, HAT, 90, 90) for n in range(20))])
    assert not len(find_stacks(seen, seen.box[:, 1] < 40))
    assert not len(find_stacks(seen, np.zeros(len(seen.frame), bool)))


@pytest.mark.parametrize(("num_places", "linked"), [(3, False), (4, True)])
def test_an_offset_is_seen_at_several_places(num_places, linked):
    """What changes places all the time, such as the cursor of a menu, is no evidence."""
    things = []
    for n in range(60):
        left = 10 + 20 * (n % num_places)
        things += [(n, BODY, left, 30), (n, HAT, left + 1, 26)]
    assert bool(len(find_links(detections(things), AREAS))) == linked


def test_things_that_meet_now_and_then_are_two():
    things = with_hat(num_without=30)
    things += [(n, HAT, 100 + 2 * n, 100 - n) for n in range(30)]
    assert not len(find_links(detections(things), AREAS))


@pytest.mark.parametrize(("gap", "linked"), [(4, True), (5, False)])
def test_fragments_lie_close_together(gap, linked):
    things = [(n, BODY, x, y) for n, x, y in walk()]
    things += [(n, HAT, x + SIZES[BODY][0] + gap, y) for n, x, y in walk()]
    assert bool(len(find_links(detections(things), AREAS))) == linked


def test_objects_are_told_apart_within_and_between_frames():
    links = Links(np.array([[HAT, BODY, -1, 4]], np.int32))
    things = [(0, BODY, 10, 10), (0, HAT, 11, 6), (0, BODY, 40, 10), (0, HAT, 42, 6)]
    things += [(1, BODY, 10, 10), (1, HAT, 11, 6), (2, HAT, 11, 6)]
    found = links.joined(detections(things))
    number = {
        (n, sprite, x): number
        for n, sprite, (x, *_), number in zip(
            found.frame.tolist(), found.sprite, found.box.tolist(), found.object, strict=True
        )
    }
    assert number[0, BODY, 10] == number[0, HAT, 11]
    assert number[1, BODY, 10] == number[1, HAT, 11]
    assert len(set(number.values())) == 5, "a hat elsewhere, or without a body, is no fragment"


def test_chains_of_links_are_one_object():
    links = Links(np.array([[PILL, HAT, 0, 4], [HAT, BODY, -1, 4]], np.int32))
    found = links.joined(detections([(0, BODY, 10, 10), (0, HAT, 11, 6), (0, PILL, 11, 2)]))
    assert len(set(found.object.tolist())) == 1


def test_without_links_all_are_separate():
    seen = detections(with_hat())
    joined = Links(np.zeros((0, 4), np.int32)).joined(seen)
    assert len(np.unique(joined.object)) == len(seen.frame)
    assert joined.object.dtype == np.int32


def test_grouping_is_that_of_a_search_through_all_rows():
    rng = np.random.default_rng(0)
    table = np.unique(rng.integers([1, 1, -2, -2], [6, 9, 3, 3], (30, 4)), axis=0).astype(np.int32)
    frame = np.sort(rng.integers(0, 20, 400)).astype(np.int32)
    sprite = rng.integers(0, 12, 400).astype(np.int32)  # 0 and more than the table knows, too
    corner = rng.integers(0, 4, (400, 2)).astype(np.int32)
    objects = Links(table).group(frame, sprite, corner)
    assert np.array_equal(objects, grouped_slowly(frame, sprite, corner, table))
    assert len(np.unique(objects)) < 380, "some are linked"


def grouped_slowly(frame, sprite, corner, table) -> np.ndarray:
    """Links each row to the last one that fits, link by link in the order of their fragments."""
    parent = list(range(len(sprite)))

    def root(row: int) -> int:
        return row if parent[row] == row else root(parent[row])

    for row in range(len(sprite)):
        for _, whole, *offset in table[table[:, 0] == sprite[row]]:
            fits = (frame == frame[row]) & (sprite == whole)
            others = np.flatnonzero(fits & (corner == corner[row] + offset).all(1))
            if len(others) and others[-1] != row:
                parent[root(row)] = root(int(others[-1]))
    return np.array([root(row) for row in range(len(sprite))])
