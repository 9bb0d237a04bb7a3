"""What exact look-up remembers: bounded, the same with and without it, and sprites with holes."""

import pickle

import numpy as np
import pytest
from scenes import drawings, make_scene, paint

from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import TRANSPARENT, make_bank
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.explain import Explanation
from sprite_obs.lookup.memory import ExplanationMemory


def decoder_of(drawings, background):
    bank = make_bank(drawings)
    return LookupDecoder(bank, np.ones(len(bank)), Background.still(background))


def explanation(number, parts=1):
    return Explanation([(number, part, 0, 0, 4, 4, 1.0) for part in range(parts)], number)


def stored(memory, key):
    """Returns what a memory holds for a key, as an explanation."""
    entry = memory.find(key)
    if entry is None:
        return None
    start, count, unexplained, _ = memory.arrays.rows[entry].tolist()
    rows = slice(start, start + count)
    columns = memory.arrays.parts[rows].tolist(), memory.arrays.scores[rows].tolist()
    return Explanation([(*part, score) for part, score in zip(*columns, strict=True)], unexplained)


def test_a_memory_gives_back_what_was_put_into_it():
    rng = np.random.default_rng(0)
    keys = [0, -1, *rng.integers(-(2**63), 2**63 - 1, 500).tolist()]
    memory = ExplanationMemory({7: explanation(3)})
    for number, key in enumerate(keys):
        memory.put(key, explanation(number, parts=number % 4))
    assert [stored(memory, key) for key in keys] == [explanation(n, n % 4) for n in range(502)]
    assert stored(memory, 7) == explanation(3) and memory.find(7) == 0
    assert memory.find(12345) is None and len(memory) == 502


def test_a_full_memory_forgets_all_but_what_is_known():
    memory = ExplanationMemory({7: explanation(3)}, limit=4)
    for key in range(100, 106):
        memory.put(key, explanation(key))
        assert len(memory) <= 4
    assert stored(memory, 7) == explanation(3)
    assert [memory.find(key) is None for key in range(100, 106)] == [True] * 4 + [False] * 2


def test_a_pickled_memory_knows_what_was_known():
    memory = ExplanationMemory({7: explanation(3)})
    memory.put(8, explanation(4))
    again = pickle.loads(pickle.dumps(memory))
    assert stored(again, 7) == explanation(3) and again.find(8) is None


def test_what_is_found_is_the_same_with_and_without_memory():
    scene = make_scene(60)
    known = scene.drawings[:2]  # the ring stays unknown
    remembers, forgets = (decoder_of(known, scene.background) for _ in range(2))
    for index in scene.index:
        forgets.forget()
        assert remembers.decode(index[None]) == forgets.decode(index[None])
    use = remembers.memory_use
    assert use.misses < forgets.memory_use.misses
    assert use.hits + use.misses == sum(forgets.memory_use[:2])
    assert use.remembered == use.misses
    assert remembers.decode(scene.index) and remembers.memory_use.misses == use.misses


def bitten(drawing):
    """Returns a drawing of which a corner and a pixel inside are gone."""
    part = drawing.copy()
    part[:2, :2] = part[3, 4] = TRANSPARENT
    return part


@pytest.mark.parametrize(("left", "top"), [(20, 12), (3, 20)])
def test_a_sprite_with_holes_says_which_of_its_pixels_show(left, top):
    box, cross, _ = drawings()
    canvas = np.zeros((40, 40), np.uint8)
    paint(canvas, bitten(box), left, top)
    found = decoder_of([box, cross], np.zeros((40, 40), np.uint8)).read(canvas[None])
    assert found.table.tolist() == [[1, 0, left, top, *box.shape[::-1]]]
    assert (found.shown[0] == (bitten(box) != TRANSPARENT)).all()
    assert found.score[0] == pytest.approx((bitten(box) != TRANSPARENT).mean())
    assert found.unexplained.tolist() == [0]


def test_whole_sprites_have_no_holes():
    scene = make_scene(20)
    found = decoder_of(scene.drawings, scene.background).read(scene.index)
    assert len(found.shown) and all(shown is None for shown in found.shown)


def test_many_sprites_in_many_frames_find_room():
    box, cross, _ = drawings()
    decoder = decoder_of([box, cross], np.zeros((200, 200), np.uint8))
    frames = np.zeros((3, 200, 200), np.uint8)
    places = [(left, top) for top in range(2, 180, 12) for left in range(2, 180, 12)]
    for frame in frames:
        for left, top in places:
            paint(frame, box, left, top)
    frames[1, :60] = 0
    found = decoder.read(frames)
    shown = [sum(top >= 60 for _, top in places) if n == 1 else len(places) for n in range(3)]
    assert np.bincount(found.frame).tolist() == shown and sum(shown) > 512
    assert decoder.memory_use.hits == sum(shown) and decoder.memory_use.misses == 0
    sight = decoder.look(frames)
    assert (sight.table[:, :-1] == found.table).all() and (sight.frame == found.frame).all()


def test_what_is_looked_at_is_what_is_read():
    scene = make_scene(60)
    reads, looks = (decoder_of(scene.drawings[:2], scene.background) for _ in range(2))
    for index in scene.index:
        found, sight = reads.read(index[None]), looks.look(index[None])
        assert (sight.table[:, :-1] == found.table).all()
        assert sight.error == np.float32(found.unexplained / index.size)
    assert reads.memory_use == looks.memory_use
    at_once = decoder_of(scene.drawings[:2], scene.background)
    at_once.read(scene.index)
    assert at_once.memory_use == reads.memory_use


def test_specks_beside_each_other_that_nothing_explains_are_missed_once():
    box, cross, _ = drawings()
    decoder = decoder_of([box, cross], np.zeros((40, 40), np.uint8))
    frame = np.zeros((40, 40), np.uint8)
    frame[10, [10, 12]] = 9
    for hits in (1, 3, 5):  # the second one is known when it is asked for
        decoder.read(frame[None])
        assert decoder.memory_use[:2] == (hits, 1)


def test_frames_are_not_kept_and_may_be_read_only():
    box, cross, _ = drawings()
    decoder = decoder_of([box, cross], np.zeros((40, 40), np.uint8))
    frames = np.zeros((3, 40, 40), np.uint8)
    paint(frames[1], bitten(box), 10, 10)
    expected = decoder.read(frames).table
    size = len(pickle.dumps(decoder))
    many = np.repeat(frames, 100, 0)
    many.flags.writeable = False
    assert len(decoder.read(many).table) == 100 * len(expected)
    assert len(pickle.dumps(decoder)) < size + 20_000  # of 480,000 bytes, and room for rows
