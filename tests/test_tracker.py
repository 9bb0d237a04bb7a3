import numpy as np
import pytest

from sprite_obs.detections import Detections
from sprite_obs.objects.tracker import (
    MAX_STEP,
    MAX_STEP_ALONE,
    MAX_STEP_CHANGED,
    Tracker,
    track_ids,
)
from sprite_obs.objects.tracks import MAX_UNSEEN, Tracks

SIZE = (8, 8)


def update(tracker: Tracker, types: list[int], *points, sizes=None) -> Tracks:
    places = np.array(points, np.float32).reshape(-1, 2)
    sizes = np.array(sizes or [SIZE] * len(types)).reshape(-1, 2)
    return tracker.update(np.array(types, np.int32), places, sizes)


def ids(tracker: Tracker, types: list[int], *points, sizes=None) -> list[int]:
    return update(tracker, types, *points, sizes=sizes).id.tolist()


def test_numbers_begin_with_one_and_are_never_used_again():
    tracker = Tracker()
    assert ids(tracker, [3, 1, 3], (0, 0), (50, 50), (100, 100)) == [1, 2, 3]
    for _ in range(MAX_UNSEEN + 1):
        update(tracker, [])
    assert ids(tracker, [3], (0, 0)) == [4]
    tracker.reset()
    assert ids(tracker, [3], (0, 0)) == [1]


def test_a_thing_keeps_its_number_when_rows_change_places():
    tracker = Tracker()
    assert ids(tracker, [1, 1, 1], (0, 0), (50, 0), (100, 0)) == [1, 2, 3]
    tracks = update(tracker, [1, 1, 1], (101, 0), (2, 0), (51, 0))
    assert tracks.id.tolist() == [3, 1, 2]
    assert tracks.velocity.tolist() == [[1, 0], [2, 0], [1, 0]]


def test_the_sum_of_squared_distances_is_smallest():
    # Taking the closest pair first would give track 2 the instance at 9 and track 1 the one at 30.
    tracker = Tracker()
    update(tracker, [1, 1], (0, 0), (10, 0))
    assert ids(tracker, [1, 1], (30, 0), (9, 0)) == [2, 1]


def test_a_formation_that_jumps_further_than_its_spacing_is_matched_as_a_whole():
    tracker = Tracker()
    row = [(x, 20) for x in (0, 16, 32, 48)]
    assert ids(tracker, [1] * 4, *row) == [1, 2, 3, 4]
    assert ids(tracker, [1] * 4, *[(x + 20, y + 8) for x, y in row]) == [1, 2, 3, 4]


def test_things_that_cross_go_on_straight():
    tracker = Tracker()
    for step in range(12):
        places = [(20 + 6 * step, 50), (80 - 6 * step, 50)]
        numbers = ids(tracker, [1, 1], *places)
        assert numbers == [1, 2], f"step {step}"


def test_a_thing_that_turns_round_is_found():
    tracker = Tracker()
    for x in (0, 30, 60, 31, 2):
        assert ids(tracker, [1, 1], (x, 20), (150, 150)) == [1, 2]


def test_what_flickers_comes_back_to_its_number():
    tracker = Tracker()
    ghosts = [(20, 20), (60, 20), (100, 20), (140, 20)]
    assert ids(tracker, [1] * 4, *ghosts) == [1, 2, 3, 4]
    for step in range(1, 9):
        shown = [k for k in range(4) if k % 2 == step % 2]
        places = [(ghosts[k][0] + 3 * step, 20) for k in shown]
        assert ids(tracker, [1, 1], *places) == [k + 1 for k in shown]


@pytest.mark.parametrize(("unseen", "expected"), [(MAX_UNSEEN, 1), (MAX_UNSEEN + 1, 3)])
def test_what_is_hidden_is_remembered_for_a_while(unseen, expected):
    tracker = Tracker()
    update(tracker, [1, 2], (20, 20), (90, 90))
    for _ in range(unseen):
        assert ids(tracker, [2], (90, 90)) == [2]
    assert ids(tracker, [1, 2], (24, 20), (90, 90)) == [expected, 2]


def test_what_moved_behind_something_is_expected_further_on():
    tracker = Tracker()
    for x in (0, 10, 20):
        update(tracker, [1], (x, 50))
    for _ in range(4):
        update(tracker, [])
    assert ids(tracker, [1, 1], (20, 90), (70, 50)) == [2, 1]


@pytest.mark.parametrize(("others", "reach"), [(0, MAX_STEP_ALONE), (1, MAX_STEP)])
def test_what_moves_too_far_is_something_else(others, reach):
    still = [(5, 200)] * others
    types = [1] * (1 + others)
    for distance, is_same in [(reach - 1, True), (reach, False)]:
        tracker = Tracker()
        for _ in range(2):
            update(tracker, types, (10, 10), *still)
        tracks = update(tracker, types, (10 + distance, 10), *still)
        assert (tracks.id[0] == 1) == is_same
        assert tracks.velocity[0].tolist() == ([distance, 0] if is_same else [0, 0])


@pytest.mark.parametrize(
    ("distance", "is_same"), [(MAX_STEP_CHANGED - 1, True), (MAX_STEP_CHANGED, False)]
)
def test_a_near_thing_of_another_type_is_the_same_one(distance, is_same):
    tracker = Tracker()
    for _ in range(2):
        update(tracker, [1], (10, 10))
    assert (ids(tracker, [2], (10 + distance, 10)) == [1]) == is_same


def test_what_was_seen_once_only_counts_as_further_away():
    for num_sights, is_same in [(1, False), (2, True)]:
        tracker = Tracker()
        for _ in range(num_sights):
            update(tracker, [1], (10, 10))
        assert (ids(tracker, [2], (48, 10)) == [1]) == is_same


def test_a_thing_of_another_type_and_size_is_another_one():
    tracker = Tracker()
    update(tracker, [1], (10, 10), sizes=[(2, 2)])
    assert ids(tracker, [2], (10, 10), sizes=[(10, 10)]) == [2]


def test_its_own_type_has_the_first_claim_to_a_track():
    tracker = Tracker()
    update(tracker, [1], (10, 10))
    assert ids(tracker, [2, 1], (10, 10), (30, 10)) == [2, 1]


@pytest.mark.parametrize("piece", [0, 1])
def test_a_thing_seen_in_two_pieces_for_a_step_keeps_its_number(piece):
    tracker = Tracker()
    for _ in range(2):
        update(tracker, [1], (140, 100))
    pieces = [(140, 96), (140, 105)]
    assert sorted(ids(tracker, [1, 1], *pieces)) == [1, 2]
    assert ids(tracker, [1], pieces[piece]) == [1]


def test_velocity_is_zero_on_first_sight_and_a_mean_after_an_absence():
    tracker = Tracker()
    assert update(tracker, [1], (10, 10)).velocity.tolist() == [[0, 0]]
    assert update(tracker, [1], (12, 7)).velocity.tolist() == [[2, -3]]
    update(tracker, [])
    assert update(tracker, [1], (20, 11)).velocity.tolist() == [[4, 2]]


def test_arrays_of_earlier_steps_are_not_written_into():
    tracker = Tracker()
    earlier = update(tracker, [1], (10, 10))
    update(tracker, [1], (20, 20))
    assert earlier.place.tolist() == [[10, 10]]
    assert earlier.id.dtype == np.int32
    assert earlier.velocity.dtype == np.float32


@pytest.mark.parametrize("seed", range(5))
def test_numbers_are_different_and_rows_keep_their_order(seed):
    rng = np.random.default_rng(seed)
    tracker, seen = Tracker(), set()
    for _ in range(50):
        count = rng.integers(0, 25)
        types = rng.integers(0, 5, count)
        places = rng.uniform(0, 160, (count, 2)).astype(np.float32)
        tracks = tracker.update(types, places, np.full((count, 2), 8))
        assert len(set(tracks.id.tolist())) == count
        np.testing.assert_array_equal(tracks.type, types)
        np.testing.assert_array_equal(tracks.place, places)
        new = tracks.id[tracks.fresh].tolist()
        assert not seen & set(new) and (np.diff(new) == 1).all()
        seen |= set(new)
        assert (tracker.tracks.unseen <= MAX_UNSEEN).all()


def test_numbers_of_a_recording_begin_anew_in_each_episode():
    frame = np.array([0, 0, 1, 3, 3, 4], np.int32)
    x = np.array([10, 100, 102, 10, 100, 12], np.int32)
    ones = np.ones_like(frame)
    box = np.stack([x, ones * 50, ones * 8, ones * 8], 1)
    found = Detections.separate(frame, ones, ones, ones * 0, box, ones.astype(np.float32))
    assert track_ids(found, np.zeros(5, int)).tolist() == [1, 2, 2, 1, 2, 1]
    assert track_ids(found, np.array([0, 0, 1, 1, 2])).tolist() == [1, 2, 2, 1, 2, 1]
    assert track_ids(found, np.array([0, 1, 1, 1, 1])).tolist() == [1, 2, 1, 2, 1, 2]
