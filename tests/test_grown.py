"""A dictionary that grew explains what the smaller one explained as that did."""

import numpy as np
import pytest

from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import make_bank
from sprite_obs.lookup.decoder import LookupDecoder

HEIGHT, WIDTH = 40, 60
RED = np.full((4, 4), 1, np.uint8)
GREEN = np.full((4, 6), 2, np.uint8)
BOTH = np.full((4, 10), 2, np.uint8)
BOTH[:, :4] = 1
BLUE = np.full((5, 5), 3, np.uint8)
BLUE[2, 2] = 4


def decoder(*known: np.ndarray, former: tuple[int, ...] = ()) -> LookupDecoder:
    background = Background.still(np.zeros((HEIGHT, WIDTH), np.uint8))
    counts = np.full(len(known), 10)
    return LookupDecoder(make_bank(known), counts, background, former_sizes=former)


def frame(*things: tuple[np.ndarray, int, int]) -> np.ndarray:
    """Returns a frame with drawings at (left, top); what lies beyond its border is cut off."""
    padded = np.zeros((HEIGHT + 20, WIDTH + 20), np.uint8)
    for drawing, left, top in things:
        height, width = drawing.shape
        padded[top + 10 : top + 10 + height, left + 10 : left + 10 + width] = drawing
    return padded[None, 10:-10, 10:-10]


def sprites(found: list[tuple]) -> list[int]:
    return [row[1] for row in found]


def test_what_was_composed_of_known_sprites_stays_composed():
    composed = frame((BOTH, 20, 10))
    assert sprites(decoder(RED, GREEN, BOTH).decode(composed)) == [3]
    assert sorted(sprites(decoder(RED, GREEN, BOTH, former=(2,)).decode(composed))) == [1, 2]


def test_what_was_cut_off_at_the_border_stays_a_known_sprite():
    cut = GREEN[:, :4]
    at_border = frame((GREEN, WIDTH - 4, 10))
    before, after = decoder(GREEN), decoder(GREEN, cut, former=(1,))
    assert after.decode(at_border) == before.decode(at_border)
    assert sprites(after.decode(at_border)) == [1]
    assert sprites(decoder(GREEN, cut).decode(at_border)) == [2]


def test_what_was_unknown_is_found_alone_and_beside_known_things():
    for things in ([(BLUE, 20, 10)], [(BLUE, 20, 10), (RED, 26, 10)]):
        before = decoder(RED, GREEN).decode_and_count(frame(*things))
        after = decoder(RED, GREEN, BLUE, former=(2,)).decode_and_count(frame(*things))
        assert 0 in sprites(before[0]) and before[1] == BLUE.size
        assert sorted(sprites(after[0]), reverse=True) == [3, 1][: len(things)]
        assert after[1] == 0


def test_new_sprites_may_be_covered():
    things = frame((BLUE, 20, 10), (RED, 23, 12))
    assert sorted(sprites(decoder(RED, BLUE, former=(1,)).decode(things))) == [1, 2]


@pytest.mark.parametrize("former", [(1,), (1, 2), (1, 2, 2)])
def test_a_dictionary_may_grow_again_and_again(former):
    grown = decoder(RED, GREEN, BLUE, former=former)
    things = frame((RED, 2, 2), (GREEN, 20, 2), (BLUE, 40, 2))
    rows, unexplained = grown.decode_and_count(things)
    assert sorted(sprites(rows)) == [1, 2, 3] and unexplained == 0


def test_random_scenes_are_read_as_before_where_everything_was_explained():
    rng = np.random.default_rng(0)
    before = decoder(RED, GREEN)
    after = decoder(RED, GREEN, BOTH, BLUE, GREEN[:3], former=(2,))
    explained = 0
    for _ in range(200):
        things = [
            (drawing, *rng.integers((-3, -3), (WIDTH, HEIGHT)).tolist())
            for drawing in (RED, GREEN, RED, GREEN, BLUE)[: rng.integers(1, 6)]
        ]
        scene = frame(*things)
        rows, unexplained = before.decode_and_count(scene)
        again, left = after.decode_and_count(scene)
        assert left <= unexplained
        if unexplained == 0:
            explained += 1
            assert again == rows
    assert explained > 50
