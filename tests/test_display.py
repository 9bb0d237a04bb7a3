"""Which things are display: found in recordings with scores and movers, and marked in frames."""

import numpy as np
import pytest
from pong_model import save_pong_model

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.detections import Detections, from_rows
from sprite_obs.discover.display import find_display, roaming
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.display import ALL, STILL, DisplayRows

SIZE = (72, 96)
NUM_FRAMES = 100
TYPES = np.array([1, 2, 2, 3], np.int32)
"""Of a mover, two digits and something that rests."""
MOVER, ZERO, ONE, REST = 1, 2, 3, 4
NO_TILES = np.zeros(0, int)


def mover(top: int = 30, until: int = NUM_FRAMES) -> list[tuple]:
    """Returns a thing of 10 x 8 pixels that goes back and forth between 20 and 70."""
    way = [*range(20, 60, 2), *range(60, 20, -2)]
    return [(n, MOVER, 0, way[n % 40], top + n % 20, 10, 8, 1.0) for n in range(until)]


def score(top: int, left: int = 40, frames=range(NUM_FRAMES)) -> list[tuple]:
    """Returns digits of 6 x 8 pixels that change in place."""
    return [(n, (ZERO, ONE)[n // 3 % 2], 0, left, top, 6, 8, 1.0) for n in frames]


def rest(left: int, top: int, frames=range(NUM_FRAMES)) -> list[tuple]:
    return [(n, REST, 0, left, top, 6, 8, 1.0) for n in frames]


def joined(parts) -> list[tuple]:
    return [row for part in parts for row in part]


def display_of(*parts: list[tuple], test: list[tuple] | None = None) -> list[bool]:
    """Learns from a recording and tells which of other things in a frame are display."""
    seen = from_rows(joined(parts), TYPES)
    episode = np.zeros(NUM_FRAMES, np.int32)
    found = find_display(seen, episode, int(TYPES.max()), SIZE)
    assert found.rows.dtype == np.int32 and found.moves.dtype == bool
    things = from_rows(test or joined(parts), TYPES)
    shown = DisplayRows(*found, TYPES, NO_TILES, SIZE).show(things)
    if test:
        return shown.tolist()
    return [bool(shown[things.sprite == sprite].all()) for sprite in (MOVER, ZERO, REST)]


def test_a_score_above_or_below_what_moves_is_display():
    for top in (5, 60):
        assert display_of(mover(), score(top)) == [False, True, True], "nothing rests"


def test_what_rests_among_things_that_move_is_none():
    assert display_of(mover(), score(5), rest(56, 35)) == [False, True, False]
    assert display_of(mover(), score(5), rest(40, 35)) == [False, True, False]


def test_a_score_is_display_though_something_flies_where_it_was():
    """As where a score gives way to a mother ship, and comes back."""
    first, second = range(60), range(60, NUM_FRAMES)
    above = [(n, MOVER, 0, 2 * (n - 60), 6, 10, 8, 1.0) for n in second]
    parts = mover(), above, score(5, frames=first)
    assert display_of(*parts) == [False, True, True]
    # What moves is none, even where the score was.
    assert display_of(*parts, test=[(0, MOVER, 0, 40, 6, 10, 8, 1.0)]) == [False]


def test_things_of_a_moving_type_that_stand_for_lives_are_display():
    lives = [(n, MOVER, 0, 30, 60, 10, 8, 1.0) for n in range(NUM_FRAMES)]
    places = [(30, 30), (30, 60), (60, 60)]
    test = [(0, MOVER, 0, left, top, 10, 8, 1.0) for left, top in places]
    assert display_of(mover(), lives, test=test) == [False, True, False]


def test_digits_that_were_never_seen_are_display_in_a_row_that_nothing_enters():
    places = [(ONE, 10, 5), (0, 70, 5), (ONE, 10, 16)]
    test = [(0, sprite, 0, left, top, 6, 8, 1.0) for sprite, left, top in places]
    assert display_of(mover(), score(5), test=test) == [True, True, False]


def test_a_digit_taken_for_something_else_is_display_where_nothing_ever_moves():
    """Also one that is taken for a part of something larger, which would reach out of the frame."""
    test = [(0, MOVER, 0, 70, 5, 10, 8, 1.0), (0, MOVER, 0, 70, 30, 10, 8, 1.0)]
    assert display_of(mover(), score(5), test=test) == [True, False]
    outside = [(0, ZERO, 0, 40, -20, 6, 32, 0.3), (0, ZERO, 0, 40, -20, 6, 40, 0.3)]
    assert display_of(mover(), score(5), test=outside) == [True, True]


def test_what_flashes_up_anywhere_is_none():
    sparks = [(n, REST, 0, 7 * n % 90, 5, 6, 8, 1.0) for n in range(NUM_FRAMES)]
    assert display_of(mover(), sparks, score(60)) == [False, True, False]


def test_a_bar_that_shrinks_does_not_move_about():
    widths = [1 + n % 40 for n in range(NUM_FRAMES)]
    bar = [(n, REST, 0, 10 + w, 60, 41 - w, 4, 1.0) for n, w in enumerate(widths)]
    seen = from_rows([*mover(), *bar], TYPES)
    roams = roaming(seen, np.zeros(NUM_FRAMES, np.int32))
    assert roams[seen.sprite == MOVER].all() and not roams[seen.sprite == REST].any()


@pytest.mark.parametrize("parts", [[score(5)], [[]]])
def test_without_movers_nothing_is_known(parts):
    seen = from_rows(joined(parts), TYPES)
    found = find_display(seen, np.zeros(NUM_FRAMES, np.int32), 3, SIZE)
    assert found.rows.shape == (0, 5) and not found.moves.any() and len(found.moves) == 4


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Returns an encoder with rows for what rests, sprite 2 and all; sprite 3 is a tile."""
    checkpoint = load_checkpoint(save_pong_model(tmp_path_factory.mktemp("model")))
    types = checkpoint.sprite_type
    moves = np.zeros(int(types.max()) + 1, bool)
    moves[types[1]] = True
    tables = checkpoint.tables._replace(
        display=np.array(
            [[STILL, 0, 0, 160, 40], [types[1], 30, 190, 50, 210], [ALL, 100, 0, 160, 40]], np.int32
        ),
        moves=moves,
        tiles=np.array([[0, 60, 4, 16, 4, 3]], np.int32),
    )
    return FrozenEncoder(checkpoint._replace(tables=tables))


def at(encoder: FrozenEncoder, sprite: int, left: int, top: int) -> Detections:
    return from_rows([(0, sprite, 0, left, top, 2, 4, 1.0)], encoder.sprite_type)


@pytest.mark.parametrize(
    ("sprite", "left", "top", "expected"),
    [
        (1, 80, 10, True),
        (1, 80, 37, True),
        (1, 80, 38, False),
        (0, 80, 10, True),
        (2, 80, 10, False),
        (2, 120, 10, True),
        (2, 40, 195, True),
        (1, 40, 195, False),
        (3, 80, 10, False),
        (3, 120, 10, False),
        (1, -6, 10, False),
    ],
)
def test_the_encoder_marks_rows_for_their_types_but_no_tiles(encoder, sprite, left, top, expected):
    assert encoder.is_display(at(encoder, sprite, left, top)).tolist() == [expected]


def test_nothing_found_is_no_display(encoder):
    assert encoder.is_display(from_rows([], encoder.sprite_type)).shape == (0,)
