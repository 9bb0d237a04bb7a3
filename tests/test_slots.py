import numpy as np
import pytest
from one_by_one import SlotTable

from sprite_obs.objects.slots import share_slots, slot_ranges
from sprite_obs.objects.tracks import MAX_UNSEEN


def slot_table(*capacity: int, max_sprites: int) -> SlotTable:
    """Returns empty slots of types of these capacities, whose slots are equally full."""
    room = np.array([0, *capacity])
    return SlotTable(slot_ranges(room, room, max_sprites), max_sprites)


def update(table: SlotTable, *things: tuple[int, int]) -> list[int]:
    """Updates with things, each a type and the number of its track."""
    types, tracks = np.array(things, np.int32).reshape(-1, 2).T
    return table.update(types, tracks, np.zeros(len(types), bool)).tolist()


def test_types_own_contiguous_ranges_in_the_order_of_their_ids():
    table = slot_table(1, 2, 3, max_sprites=10)
    slots = update(table, (3, 1), (2, 2), (1, 3), (3, 4), (2, 5), (3, 6))
    assert slots == [3, 1, 0, 4, 2, 5]


def test_where_slots_are_few_each_type_has_some():
    table = slot_table(2, 3, 1, max_sprites=4)
    slots = update(table, (1, 1), (1, 2), (2, 3), (2, 4), (2, 5), (3, 6))
    assert slots == [0, 1, 2, -1, -1, 3]


FLEET = np.array([0, 1, 1, 1, 20, 1])
"""Capacity of a player, a rare explosion, a shot, a fleet and a thing of the display."""
SEEN = np.array([0, 90, 1, 50, 1800, 0])


@pytest.mark.parametrize(
    ("num_slots", "given"),
    [
        (0, [0, 0, 0, 0, 0]),
        (1, [1, 0, 0, 0, 0]),
        (2, [1, 0, 0, 1, 0]),
        (3, [1, 0, 1, 1, 0]),
        (10, [1, 0, 1, 8, 0]),
        (22, [1, 0, 1, 20, 0]),
        (23, [1, 1, 1, 20, 0]),
        (24, [1, 1, 1, 20, 1]),
        (99, [1, 1, 1, 20, 1]),
    ],
)
def test_a_slot_goes_where_it_is_worth_most(num_slots, given):
    """90 % / 1 and 90 % / 1 of the player and the first of the fleet, then 50 % of the shot."""
    assert share_slots(FLEET[1:], SEEN[1:], num_slots).tolist() == given


@pytest.mark.parametrize("max_sprites", range(30))
def test_new_types_take_no_slot_of_former_ones(max_sprites):
    former = slot_ranges(FLEET[:4], SEEN[:4], max_sprites)
    ranges = slot_ranges(FLEET, SEEN, max_sprites, former_types=[3])
    assert (ranges[:4] == former).all() and (ranges[4:] >= former.max()).all()
    assert ranges.max() == min(max_sprites, FLEET.sum())


def test_unknown_things_and_things_beyond_the_capacity_are_dropped():
    table = slot_table(1, 0, max_sprites=8)
    assert update(table, (0, 1), (1, 2), (1, 3), (2, 4)) == [-1, 0, -1, -1]
    assert update(table, (0, 1), (1, 3), (1, 2), (2, 4)) == [-1, -1, 0, -1]


def test_a_thing_keeps_its_slot_and_a_new_one_takes_the_first_free_one():
    table = slot_table(3, max_sprites=3)
    assert update(table, (1, 1), (1, 2)) == [0, 1]
    assert update(table, (1, 2)) == [1]
    assert update(table, (1, 3), (1, 2), (1, 1)) == [2, 1, 0]


def test_a_slot_is_reserved_as_long_as_its_thing_is_remembered():
    table = slot_table(2, max_sprites=2)
    update(table, (1, 1))
    for _ in range(MAX_UNSEEN - 1):
        update(table)
    assert update(table, (1, 2)) == [1]
    assert update(table, (1, 1)) == [0]
    for _ in range(MAX_UNSEEN):
        update(table)
    assert update(table, (1, 3)) == [0]


def test_where_all_are_reserved_the_one_left_first_is_taken_over():
    table = slot_table(2, max_sprites=2)
    update(table, (1, 1), (1, 2))
    update(table, (1, 1))
    update(table)
    assert update(table, (1, 3)) == [1]
    assert update(table, (1, 3), (1, 2), (1, 1)) == [1, -1, 0]


def test_a_thing_that_was_mistaken_returns_to_its_slot():
    table = slot_table(2, 2, max_sprites=4)
    assert update(table, (1, 1), (1, 2)) == [0, 1]
    assert update(table, (1, 1), (2, 2)) == [0, 2]
    assert update(table, (1, 1), (1, 2)) == [0, 1]


def test_reset_forgets_the_past():
    table = slot_table(2, max_sprites=2)
    update(table, (1, 1), (1, 2))
    table.reset()
    assert update(table, (1, 2), (1, 1)) == [0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_every_slot_holds_one_thing_of_its_type(seed):
    rng = np.random.default_rng(seed)
    table = slot_table(1, 4, 9, 3, max_sprites=15)
    type_of_slot = np.repeat([1, 2, 3, 4], [1, 4, 7, 3])
    capacity = np.array([0, 1, 4, 7, 3])
    for _ in range(100):
        tracks = rng.permutation(40)[: rng.integers(0, 25)]
        types = rng.integers(0, 5, len(tracks))
        display = rng.random(len(tracks)) < 0.3
        slots = table.update(types, tracks, display)
        kept = slots >= 0
        assert len(set(slots[kept])) == kept.sum()
        np.testing.assert_array_equal(type_of_slot[slots[kept]], types[kept])
        for those in (np.ones(len(types), bool), ~display):
            wanted = np.minimum(np.bincount(types[those], minlength=5), capacity)
            found = np.bincount(types[kept & those], minlength=5)
            np.testing.assert_array_equal(found, wanted)


def test_what_belongs_to_the_display_gives_way():
    table = slot_table(1, max_sprites=1)
    types, tracks = np.array([1, 1], np.int32), np.array([7, 8], np.int32)
    digit, both = np.array([True]), np.array([True, False])
    assert table.update(types[:1], tracks[:1], digit).tolist() == [0]
    assert table.update(types, tracks, both).tolist() == [-1, 0]
    assert table.update(types[:1], tracks[:1], digit).tolist() == [0]
