"""The background in other colours: regions that change as a whole, and what only looks like it."""

import numpy as np
from scenes import HEIGHT, WIDTH

from sprite_obs.discover.regions import find_regions
from sprite_obs.lookup.background import Background

FIELD, LINE, OTHER, THING = 1, 2, 3, 4
COURT = np.s_[30:32, 20:50]
"""A line on the field, 60 pixels: too few for the colours of the whole image to be swapped."""


def still() -> np.ndarray:
    image = np.full((HEIGHT, WIDTH), FIELD, np.uint8)
    image[COURT] = LINE
    return image


def changed(part: tuple[slice, slice], color: int, image: np.ndarray | None = None) -> np.ndarray:
    frame = still() if image is None else image.copy()
    frame[part] = color
    return frame


def learn(image: np.ndarray, *frames: np.ndarray, times: int = 10) -> Background:
    """Learns from frames that show the image, and each of the others a few times."""
    known = Background.still(image)
    recording = np.stack([image] * 50 + list(frames) * times)
    return known._replace(regions=find_regions(recording, known, 5, 0.25))


def test_a_line_that_changes_its_colour_is_background_in_both_colours():
    background = learn(still(), changed(COURT, OTHER))
    assert background.regions.dtype == np.int32
    assert background.regions.tolist() == [[30, 20, OTHER]]
    assert (background.shown(changed(COURT, OTHER), 0.25) == changed(COURT, OTHER)).all()
    assert background.shown(still(), 0.25) is background.image


def test_a_line_takes_on_each_of_several_colours():
    background = learn(still(), changed(COURT, OTHER), changed(COURT, THING))
    for color in (OTHER, THING):
        frame = changed(COURT, color)
        assert (background.shown(frame, 0.25) == frame).all()


def test_a_thing_in_front_of_a_changed_line_stands_out():
    background = learn(still(), changed(COURT, OTHER))
    frame = changed(np.s_[25:37, 30:38], THING, changed(COURT, OTHER))
    assert (background.shown(frame, 0.25) == changed(COURT, OTHER)).all()


def test_a_rare_colour_is_no_state():
    assert not len(learn(still(), changed(COURT, OTHER), times=4).regions)


def test_what_vanishes_does_not_change_its_colour():
    assert not len(learn(still(), changed(COURT, FIELD)).regions)


def test_a_thing_that_covers_a_region_and_more_is_no_state():
    assert not len(learn(still(), changed(np.s_[29:33, 19:51], OTHER)).regions)


def test_a_thing_that_covers_a_part_is_no_state():
    assert not len(learn(still(), changed(np.s_[30:32, 20:45], OTHER)).regions)


def test_small_and_huge_regions_are_left_alone():
    small, huge = np.s_[30:33, 20:25], np.s_[0:27, 0:40]
    for part in (small, huge):
        image = np.full((HEIGHT, WIDTH), FIELD, np.uint8)
        image[part] = image[50:70] = LINE
        assert not len(learn(image, changed(part, OTHER, image)).regions)


def test_regions_that_touch_may_change_together():
    beside = np.s_[32:34, 25:50]
    image = changed(beside, OTHER)
    frame = changed(beside, THING, changed(COURT, OTHER, image))
    background = learn(image, frame)
    assert len(background.regions) == 2
    assert (background.shown(frame, 0.25) == frame).all()


def test_a_seed_that_became_part_of_something_huge_changes_nothing():
    background = learn(still(), changed(COURT, OTHER))
    cleared = np.full((HEIGHT, WIDTH), FIELD, np.uint8)
    background = background._replace(image=cleared)
    assert background.shown(changed(COURT, OTHER), 0.25) is cleared
