"""Rows of the background that change their colour as a whole."""

import dataclasses

import numpy as np
from scenes import HEIGHT, WIDTH, drawings, paint

from sprite_obs.discover.bands import find_bands
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import make_bank
from sprite_obs.lookup.decoder import LookupDecoder

SKY, SEA, FOAM, WAVE = 0, 1, 4, 5


def still() -> np.ndarray:
    image = np.full((HEIGHT, WIDTH), SKY, np.uint8)
    image[40:44] = SEA
    image[40:44, :8] = WAVE  # a rock
    return image


def waves(*rows: tuple[int, int]) -> np.ndarray:
    """Returns a frame in which rows of the sea have another colour."""
    frame = still()
    for y, color in rows:
        frame[y, 8:] = color
    return frame


def learn(*frames: np.ndarray, times: int = 5) -> Background:
    recording = np.stack([still()] * 30 + list(frames) * times)
    return dataclasses.replace(Background.still(still()), bands=find_bands(recording, still(), 5))


def test_rows_that_change_their_colour_are_background_in_each_colour():
    background = learn(waves((40, FOAM)), waves((40, WAVE), (42, FOAM)))
    assert background.bands.dtype == np.int32
    assert background.bands.tolist() == [[40, 8, 96, FOAM], [40, 8, 96, WAVE], [42, 8, 96, FOAM]]
    for frame in (waves((40, WAVE)), waves((40, FOAM), (42, FOAM)), still()):
        assert (background.shown(frame, 1.0) == frame).all()
    assert background.shown(still(), 1.0) is background.image


def test_a_color_that_is_rare_or_was_never_seen_is_no_background():
    assert not len(learn(waves((40, FOAM)), times=4).bands)
    background = learn(waves((40, FOAM)))
    assert (background.shown(waves((41, FOAM)), 1.0) == still()).all()
    assert (background.shown(waves((40, WAVE)), 1.0) == still()).all()


def test_what_fills_a_part_of_a_row_is_no_band():
    frames = []
    for _ in range(20):
        frame = still()
        frame[41, 20:90] = FOAM
        frames.append(frame)
    assert not len(learn(*frames).bands)


def test_a_thing_in_front_of_a_wave_is_found_alone():
    box = drawings()[0]
    background = learn(waves((40, FOAM), (41, WAVE)))
    frame = waves((40, FOAM), (41, WAVE))
    paint(frame, box, 30, 38)
    decoder = LookupDecoder(make_bank([box]), np.ones(1), background)
    assert decoder.decode(frame[None]) == [(0, 1, 0, 30, 38, 8, 6, 1.0)]
    plain = LookupDecoder(make_bank([box]), np.ones(1), Background.still(still()))
    assert plain.decode(frame[None]) != decoder.decode(frame[None])
