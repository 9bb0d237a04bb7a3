"""The compiled path from sprites to slots gives what its parts give one by one."""

from types import SimpleNamespace

import numpy as np
import pytest
from one_by_one import SlotTable, main_rows

from sprite_obs import observations
from sprite_obs.detections import Detections, Sight, from_rows, merge_objects
from sprite_obs.lookup.display import DisplayRows
from sprite_obs.lookup.links import Links
from sprite_obs.lookup.meaning import Meaning
from sprite_obs.objects.slots import slot_ranges
from sprite_obs.objects.states import make_states, reset_state, with_room
from sprite_obs.objects.tracker import Tracker
from sprite_obs.observations import NUM_TRACKS, ObservationBuilder
from sprite_obs.observe import Filled, Rows, Scene, observe_rows, observe_table
from sprite_obs.packed import pack

NUM_ENVS, NUM_SLOTS, SIZE = 3, 16, (90, 120)
TYPES = np.array([1, 1, 2, 2, 3, 3], np.int32)
CAPACITY = np.array([0, 6, 4, 9])
COUNTS = np.array([[0, 6, 4, 9], [0, 0, 2, 0]])
RANGES = slot_ranges(CAPACITY, COUNTS.sum(0), NUM_SLOTS)
LINKS = Links(np.array([[1, 2, 4, 0], [3, 4, 0, 5]], np.int32))
DISPLAY = DisplayRows(
    np.array([[2, 0, 0, 60, 40], [0, 60, 60, 120, 90]], np.int32),
    np.array([False, True, True, False]),
    TYPES,
    np.array([], int),
    SIZE,
)


def things(rng: np.random.Generator, most: int) -> Detections:
    """Returns sprites of a frame of each environment; some have their other half beside them."""
    rows = []
    for env in range(NUM_ENVS):
        for _ in range(rng.integers(most)):
            sprite, left, top = rng.integers([1, -3, -3], [7, 120, 90]).tolist()
            box = rng.integers(2, 9, 2).tolist()
            rows.append((env, sprite, int(rng.integers(2)), left, top, *box, 1.0))
            if sprite == 1:
                rows.append((env, 2, 0, left + 4, top, 4, 4, 1.0))
    return LINKS.joined(from_rows(rows, TYPES))


class OneByOne:
    """Observes with the parts: what `observe_rows` does at once."""

    def __init__(self, merges: bool, display: bool) -> None:
        self.merges, self.display = merges, display
        self.trackers = [Tracker() for _ in range(NUM_ENVS)]
        self.slots = [SlotTable(RANGES, NUM_SLOTS) for _ in range(NUM_ENVS)]

    def reset(self, env: int) -> None:
        self.trackers[env].reset()
        self.slots[env].reset()

    def observe(self, found: Detections, env: int) -> list[tuple]:
        """Returns slot, numbers, flags and places of each thing that has a slot."""
        found = found.of_frame(env)
        found = merge_objects(found) if self.merges else found
        shown = DISPLAY.show(found)
        if not self.display:
            found, shown = found.rows(~shown), shown[~shown]
        place = np.clip(found.centre, 0, np.float32(SIZE[::-1]))
        tracks = self.trackers[env].update(found.type, place, found.box[:, 2:])
        slots = self.slots[env].update(found.type, tracks.id, shown)
        whole = tracks.id if self.merges else tracks.id[main_rows(found)]
        columns = slots, found.sprite, found.type, found.layer, tracks.id, whole, shown
        rows = zip(*(column.tolist() for column in (*columns, place, tracks.velocity)), strict=True)
        return sorted(row for row in rows if row[0] >= 0)


def slots_of(filled: Filled, env: int) -> list[tuple]:
    flags, places = filled.flags[:, env], filled.places[:, env]
    return [
        (
            slot,
            *filled.numbers[:, env, slot].tolist(),
            bool(flags[0, slot]),
            *places[:, slot].tolist(),
        )
        for slot in np.flatnonzero(flags[1]).tolist()
    ]


@pytest.mark.parametrize("as_table", [False, True])
@pytest.mark.parametrize(("merges", "display"), [(True, True), (True, False), (False, True)])
def test_all_at_once_is_one_by_one(merges, display, as_table):
    rng = np.random.default_rng(0)
    meaning = Meaning(np.append(0, TYPES).astype(np.int32), LINKS.arrays, DISPLAY.arrays)
    corner = np.array(SIZE[::-1], np.float32)
    scene = Scene(meaning, RANGES, corner, merges, display)
    states, most = make_states(NUM_ENVS, 4, NUM_SLOTS), 0
    parts, envs = OneByOne(merges, display), np.arange(NUM_ENVS)
    for step in range(60):
        if step % 20 == 19:
            reset_state(states, 1)
            parts.reset(1)
        found = things(rng, 4 if step < 20 else 30)
        states = with_room(states, most + len(found.frame))
        filled = Filled(
            np.zeros((5, NUM_ENVS, NUM_SLOTS), np.int32),
            np.zeros((2, NUM_ENVS, NUM_SLOTS), np.int8),
            np.zeros((2, NUM_ENVS, NUM_SLOTS, 2), np.float32),
        )
        if as_table:
            sight = table_of(found)
            most = observe_table(sight.frame, sight.table, envs, pack((scene, states)), filled)
        else:
            columns = (np.ascontiguousarray(getattr(found, key)) for key in Rows._fields)
            most = observe_rows(Rows(*columns), envs, pack((scene, states)), filled)
        for env in range(NUM_ENVS):
            assert slots_of(filled, env) == parts.observe(found, env)
    assert most > 20


def known_things() -> SimpleNamespace:
    return SimpleNamespace(
        frame_shape=(*SIZE, 3),
        num_sprites=len(TYPES),
        num_types=3,
        type_capacity=CAPACITY,
        object_capacity=CAPACITY,
        type_counts=COUNTS,
        object_counts=COUNTS,
        former_types=(),
        meaning=Meaning(np.append(0, TYPES).astype(np.int32), LINKS.arrays, DISPLAY.arrays),
    )


def test_a_builder_makes_room_for_more_tracks():
    rng, parts = np.random.default_rng(0), OneByOne(merges=False, display=True)
    builder = ObservationBuilder(known_things(), NUM_ENVS, NUM_SLOTS, "sprite", display=True)
    envs, most = list(range(NUM_ENVS)), 0
    for most_things in (10, 60, 150, 20):
        found = things(rng, most_things)
        built = builder.build(found, envs)
        for env in envs:
            rows = parts.observe(found, env)
            slots = np.flatnonzero(built["presence"][env])
            assert [row[0] for row in rows] == slots.tolist()
            assert [row[4] for row in rows] == built["track"][env, slots].tolist()
            most = max(most, len(parts.trackers[env].tracks.id))
    assert most > NUM_TRACKS


def test_there_is_room_for_all_tracks_also_after_a_refusal():
    rng = np.random.default_rng(0)
    builder = ObservationBuilder(known_things(), NUM_ENVS, NUM_SLOTS, "sprite", display=True)
    envs = list(range(NUM_ENVS))
    found = things(rng, 60)
    builder.build(found, envs)
    before = builder._most
    wrong = found._replace(frame=np.where(found.frame == NUM_ENVS - 1, 99, found.frame))
    with pytest.raises(ValueError, match="expected sprites sorted by their frames"):
        builder.build(wrong, envs)
    assert builder._most >= max(before, *builder._states.num_tracks.tolist())


@pytest.fixture
def _nothing_told_yet() -> None:
    observations._tell_if_crowded.cache_clear()


@pytest.mark.usefixtures("_nothing_told_yet")
@pytest.mark.parametrize(("slots", "told"), [(18, True), (19, False)])
def test_fewer_slots_than_things_are_told_once(slots, told, caplog):
    for _ in range(2):  # to learn in, and to be evaluated in
        ObservationBuilder(known_things(), NUM_ENVS, slots, "object", display=True)
    expected = "the game shows up to 19 things, but there are 18 slots"
    assert sum(expected in message for message in caplog.messages) == told


@pytest.mark.usefixtures("_nothing_told_yet")
@pytest.mark.parametrize(
    ("slots", "joins", "former", "told"),
    [
        (15, False, (), False),
        (15, False, (1,), False),
        (15, False, (2,), True),
        (19, False, (2,), False),
        (29, True, (), True),
        (30, True, (), False),
    ],
)
def test_what_was_never_seen_needs_slots_only_before_an_extension(
    slots, joins, former, told, caplog
):
    """Types 1 to 3 have room for 6, 4 and 9; the second was seen in the display alone."""
    known = known_things()
    known.type_capacity = known.object_capacity = np.array([1, 6, 4, 9])  # nothing is of type 0
    known.object_counts = np.array([[5, 6, 0, 9], [0, 0, 2, 0]])
    known.former_types = former
    ObservationBuilder(known, NUM_ENVS, slots, "object", display=False, joins_frames=joins)
    assert bool(caplog.messages) == told


@pytest.mark.parametrize(
    ("frames", "envs"), [([1], [0]), ([1, 0], [0, 1]), ([0], [NUM_ENVS]), ([0], [-1])]
)
def test_frames_out_of_order_and_unknown_environments_are_refused(frames, envs):
    builder = ObservationBuilder(known_things(), NUM_ENVS, NUM_SLOTS, "object", display=True)
    rows = [(0, 1, 0, 5, 5, 4, 4, 1.0)] * len(frames)
    found = from_rows(rows, TYPES)._replace(frame=np.array(frames, np.int32))
    with pytest.raises(ValueError, match=r"expected sprites sorted by their frames 0 to \d, and"):
        builder.build(found, envs)


def table_of(found: Detections) -> Sight:
    table = np.column_stack([found.sprite, found.layer, found.box])
    return Sight(np.ascontiguousarray(found.frame), table, np.zeros(NUM_ENVS, np.float32))
