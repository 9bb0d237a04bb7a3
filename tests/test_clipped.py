"""Sprites that the border of the playing field cuts off: one drawing, found at its true place."""

import dataclasses

import numpy as np
import pytest
from scenes import CLEAR, HEIGHT, WIDTH, drawings, paint

from sprite_obs.config import DiscoverConfig
from sprite_obs.discover.clipped import seen_window
from sprite_obs.discover.discovery import discover
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import make_bank
from sprite_obs.lookup.decoder import LookupDecoder

BOX, CROSS, _ = drawings()
BOX[0, 0] = 4  # or its views at the left and right border would be equal
WINDOW = np.array([8, 4, WIDTH, HEIGHT - 6], np.int32)
"""Nothing is ever seen left of it, above it and below it."""


def draw(drawing: np.ndarray, left: int, top: int) -> np.ndarray:
    """Returns a frame with a drawing, cut off at the border of the playing field."""
    large = np.zeros((HEIGHT + 40, WIDTH + 40), np.uint8)
    paint(large, drawing, left + 20, top + 20)
    frame = large[20 : 20 + HEIGHT, 20 : 20 + WIDTH].copy()
    frame[: WINDOW[1]] = frame[WINDOW[3] :] = frame[:, : WINDOW[0]] = 0
    return frame


def decoder(*known: np.ndarray) -> LookupDecoder:
    behind = dataclasses.replace(
        Background.still(np.zeros((HEIGHT, WIDTH), np.uint8)), window=WINDOW
    )
    return LookupDecoder(make_bank(known), np.ones(len(known)), behind)


def passing(drawing: np.ndarray, num_rounds: int = 12) -> np.ndarray:
    """Lets a drawing enter on the left and leave on the right, a row lower each time."""
    places = np.arange(2, WIDTH)
    tops = np.linspace(WINDOW[1], WINDOW[3] - len(drawing), num_rounds).astype(int)
    return np.stack([draw(drawing, left, top) for top in tops for left in places])


@pytest.fixture(scope="module")
def found():
    frames = passing(BOX)
    return discover(frames, np.zeros(len(frames), np.int32), DiscoverConfig(), 48, 512)


def test_clipped_views_are_no_sprites_of_their_own(found):
    assert len(found.bank) == 1
    assert (found.bank.drawing(0) == BOX).all()


def test_the_playing_field_is_where_something_happens(found):
    assert found.background.window.tolist() == WINDOW.tolist()
    still = Background.still(np.zeros((HEIGHT, WIDTH), np.uint8))
    assert seen_window(still.image[None], still, 0.25).tolist() == [0, 0, WIDTH, HEIGHT]


def test_a_thing_that_is_seen_only_at_the_border_stays(found):
    frames = passing(BOX)
    for frame in frames[::3]:
        paint(frame, np.full((5, 3), 4, np.uint8), WIDTH - 3, 20)
    again = discover(frames, np.zeros(len(frames), np.int32), DiscoverConfig(), 48, 512)
    areas = set(again.bank.areas.tolist())
    assert {BOX.size, 15} <= areas


@pytest.mark.parametrize(
    ("left", "top"),
    [(5, 30), (2, 30), (WIDTH - 3, 30), (40, 2), (40, HEIGHT - 9), (4, 2), (WIDTH - 5, 1)],
)
def test_a_sprite_cut_off_by_the_border_is_found_at_its_true_place(left, top):
    frame = draw(BOX, left, top)
    rows, unexplained = decoder(BOX, CROSS).decode_and_count(frame[None])
    [(_, sprite, _, *box, score)] = rows
    assert (sprite, box) == (1, [left, top, 8, 6])
    assert score == pytest.approx((frame > 0).sum() / BOX.size)
    assert unexplained.tolist() == [0]


def test_away_from_the_border_a_part_is_not_taken_for_the_whole():
    part = BOX[:, :2]  # a quarter of it, with nothing that covers the rest
    [(_, sprite, *_)] = decoder(BOX).decode(draw(part, 40, 30)[None])
    assert sprite == 0


def test_what_was_remembered_elsewhere_does_not_count_at_the_border():
    middle, border = draw(BOX[:, 6:], 40, 30), draw(BOX, 2, 30)
    for frames, expected in (([middle, border], [0, 1]), ([border, middle], [1, 0])):
        assert [row[1] for row in decoder(BOX).decode(np.stack(frames))] == expected


def test_views_of_things_with_holes_are_found_too():
    frame = draw(CROSS, WIDTH - 5, 30)
    assert CLEAR in CROSS and (frame > 0).sum() >= 8
    [(_, sprite, _, left, top, *_)] = decoder(BOX, CROSS).decode(frame[None])
    assert (sprite, left, top) == (2, WIDTH - 5, 30)
