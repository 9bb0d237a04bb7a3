import numpy as np
import pytest

from sprite_obs.objects.slots import MAX_STEP, SlotTable


def positions(*points) -> np.ndarray:
    return np.array(points, np.float32).reshape(-1, 2)


def update(table: SlotTable, types: list[int], *points) -> list[int]:
    return table.update(np.array(types, np.int32), positions(*points)).tolist()


def test_types_own_contiguous_ranges_in_the_order_of_their_ids():
    table = SlotTable(np.array([0, 1, 2, 3]), max_sprites=10)
    slots = update(table, [3, 2, 1, 3, 2, 3], *[(i, i) for i in range(6)])
    assert slots == [3, 1, 0, 4, 2, 5]


def test_slots_end_at_max_sprites():
    table = SlotTable(np.array([0, 2, 3, 1]), max_sprites=4)
    slots = update(table, [1, 1, 2, 2, 2, 3], *[(i, 0) for i in range(6)])
    assert slots == [0, 1, 2, 3, -1, -1]


def test_unknown_sprites_and_instances_beyond_the_capacity_are_dropped():
    table = SlotTable(np.array([5, 1, 0]), max_sprites=8)
    assert update(table, [0, 1, 1, 2], (1, 1), (2, 2), (3, 3), (4, 4)) == [-1, 0, -1, -1]
    assert table.presence.sum() == 1


def test_an_instance_keeps_its_slot_when_rows_change_places():
    table = SlotTable(np.array([0, 3]), max_sprites=3)
    assert update(table, [1, 1, 1], (0, 0), (50, 0), (100, 0)) == [0, 1, 2]
    assert update(table, [1, 1, 1], (101, 0), (2, 0), (51, 0)) == [2, 0, 1]
    np.testing.assert_array_equal(table.velocity, [(2, 0), (1, 0), (1, 0)])


def test_a_single_slot_stays_with_the_closest_instance():
    table = SlotTable(np.array([0, 1]), max_sprites=1)
    assert update(table, [1], (10, 10)) == [0]
    assert update(table, [1, 1], (90, 90), (11, 10)) == [-1, 0]


def test_a_formation_that_jumps_further_than_its_spacing_is_matched_as_a_whole():
    table = SlotTable(np.array([0, 4]), max_sprites=4)
    row = [(x, 20) for x in (0, 16, 32, 48)]
    assert update(table, [1] * 4, *row) == [0, 1, 2, 3]
    assert update(table, [1] * 4, *[(x + 20, y + 8) for x, y in row]) == [0, 1, 2, 3]


def test_a_new_instance_takes_a_free_slot_and_the_others_stay():
    table = SlotTable(np.array([0, 3]), max_sprites=3)
    update(table, [1, 1], (0, 0), (50, 50))
    assert update(table, [1], (51, 50)) == [1]
    assert update(table, [1, 1, 1], (3, 3), (52, 50), (90, 90)) == [0, 1, 2]


def test_the_sum_of_squared_distances_is_smallest():
    # Taking the closest pair first would give slot 1 the instance at 9 and slot 0 the one at 30.
    table = SlotTable(np.array([0, 2]), max_sprites=2)
    update(table, [1, 1], (0, 0), (10, 0))
    assert update(table, [1, 1], (30, 0), (9, 0)) == [1, 0]


def test_what_was_hidden_comes_back_to_its_slot():
    table = SlotTable(np.array([0, 3]), max_sprites=3)
    for _ in range(2):
        update(table, [1, 1], (20, 20), (100, 100))
    update(table, [])
    assert update(table, [1], (105, 95)) == [1]
    assert update(table, [1, 1], (24, 20), (105, 95)) == [0, 1]


def test_what_appears_elsewhere_takes_the_first_free_slot():
    table = SlotTable(np.array([0, 3]), max_sprites=3)
    for _ in range(2):
        update(table, [1, 1], (20, 20), (100, 100))
    update(table, [])
    assert update(table, [1], (150, 150)) == [0]


@pytest.mark.parametrize("piece", [0, 1])
def test_a_sprite_seen_in_two_pieces_for_a_step_keeps_its_slot(piece):
    table = SlotTable(np.array([0, 2]), max_sprites=2)
    for _ in range(2):
        update(table, [1], (140, 100))
    pieces = [(140, 96), (140, 105)]
    assert sorted(update(table, [1, 1], *pieces)) == [0, 1]
    assert update(table, [1], pieces[piece]) == [0]


def test_a_jump_has_no_velocity():
    table = SlotTable(np.array([0, 1]), max_sprites=1)
    update(table, [1], (20, 20))
    assert update(table, [1], (150, 150)) == [0]
    np.testing.assert_array_equal(table.velocity, 0)
    update(table, [1], (150 + MAX_STEP - 1, 150))
    np.testing.assert_array_equal(table.velocity, [(MAX_STEP - 1, 0)])


def test_velocity_is_zero_on_first_sight_and_after_an_absence():
    table = SlotTable(np.array([0, 1]), max_sprites=2)
    update(table, [1], (10, 10))
    np.testing.assert_array_equal(table.velocity, 0)
    update(table, [1], (12, 7))
    np.testing.assert_array_equal(table.velocity[0], (2, -3))
    update(table, [])
    assert not table.presence.any()
    np.testing.assert_array_equal(table.position, 0)
    update(table, [1], (80, 80))
    np.testing.assert_array_equal(table.velocity, 0)


def test_reset_forgets_the_past():
    table = SlotTable(np.array([0, 2]), max_sprites=2)
    update(table, [1, 1], (0, 0), (50, 50))
    table.reset()
    assert not table.presence.any()
    assert update(table, [1, 1], (50, 50), (0, 0)) == [0, 1]
    np.testing.assert_array_equal(table.velocity, 0)


def test_arrays_of_earlier_steps_are_not_written_into():
    table = SlotTable(np.array([0, 1]), max_sprites=1)
    update(table, [1], (10, 10))
    earlier = table.position
    update(table, [1], (20, 20))
    np.testing.assert_array_equal(earlier, [(10, 10)])
    assert earlier.dtype == table.velocity.dtype == np.float32


@pytest.mark.parametrize("seed", range(5))
def test_every_slot_holds_one_instance_of_its_type(seed):
    rng = np.random.default_rng(seed)
    table = SlotTable(np.array([0, 1, 4, 9, 3]), max_sprites=15)
    type_of_slot = np.repeat([1, 2, 3, 4], [1, 4, 9, 1])
    for _ in range(50):
        count = rng.integers(0, 25)
        types = rng.integers(0, 5, count)
        points = rng.uniform(0, 160, (count, 2)).astype(np.float32)
        slots = table.update(types, points)
        kept = slots >= 0
        assert len(set(slots[kept])) == kept.sum() == table.presence.sum()
        np.testing.assert_array_equal(type_of_slot[slots[kept]], types[kept])
        np.testing.assert_array_equal(table.position[slots[kept]], points[kept])
