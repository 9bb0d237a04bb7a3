"""The background in other colours, and other rooms: what is found, and what only looks like it."""

import dataclasses

import numpy as np
from scenes import HEIGHT, WIDTH

from sprite_obs.config import DiscoverConfig
from sprite_obs.discover.discovery import discover
from sprite_obs.discover.regions import find_regions
from sprite_obs.discover.rooms import split_rooms
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.rooms import Rooms

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
    return dataclasses.replace(known, regions=find_regions(recording, known, 5, 0.25))


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
    background = dataclasses.replace(background, image=cleared)
    assert background.shown(changed(COURT, OTHER), 0.25) is cleared


def maze(room: int, num_frames: int, seed: int) -> np.ndarray:
    """Frames of a room with walls of its own, in which a thing walks about."""
    rng = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH), FIELD, np.uint8)
    image[10 + 12 * room : 14 + 12 * room] = LINE
    image[:, 20 + 30 * room : 24 + 30 * room] = LINE
    index = np.repeat(image[None], num_frames, 0)
    for frame in index:
        top, left = rng.integers(0, 60, 2)
        frame[top : top + 6, left : left + 6] = THING
    return index


def visits(*rooms: int, num_frames: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Frames of one room after the other, and the room of each frame."""
    frames = [maze(room, num_frames, seed) for seed, room in enumerate(rooms)]
    return np.concatenate(frames), np.repeat(rooms, num_frames)


def one_episode(frames: np.ndarray) -> np.ndarray:
    return np.zeros(len(frames), np.int32)


def test_rooms_that_are_left_and_entered_again_are_told_apart():
    frames, truth = visits(0, 1, 0, 2, 1, 0)
    room = split_rooms(frames, one_episode(frames))
    settled = room >= 0
    assert settled.mean() > 0.6
    assert (room[settled] == truth[settled]).all()


def test_a_single_screen_is_one_room():
    frames, _ = visits(0, 0, 0)
    assert not split_rooms(frames, one_episode(frames)).any()


def test_a_screen_that_changes_little_by_little_is_one_room():
    wall = maze(0, 160, 0)
    for number, frame in enumerate(wall):
        frame[40:60, : number // 2] = OTHER  # built anew with each episode
    frames = np.concatenate([wall, wall])
    assert not split_rooms(frames, np.repeat([0, 1], 160).astype(np.int32)).any()


def test_a_screen_that_scrolls_is_one_room():
    ground = np.random.default_rng(0).integers(0, 4, (HEIGHT, WIDTH)).astype(np.uint8)
    frames = np.stack([np.roll(ground, step, 0) for step in range(200)])
    assert not split_rooms(frames, one_episode(frames)).any()


def test_a_screen_in_other_colours_is_no_other_room():
    day, _ = visits(0, 0)
    night = np.where(day == FIELD, OTHER, day).astype(np.uint8)
    frames = np.concatenate([day, night, day])
    room = split_rooms(frames, one_episode(frames))
    assert not room.any()


def test_sprites_are_found_in_front_of_each_room():
    frames, truth = visits(0, 1, 0, 2, 1, 0)
    found = discover(frames, one_episode(frames), DiscoverConfig(), 48, 512)
    assert isinstance(found.background, Rooms)
    thing = np.full((6, 6), THING, np.uint8)
    assert [found.bank.drawing(i).tolist() for i in range(len(found.bank))] == [thing.tolist()]
    for frame, room in zip(frames[::7], truth[::7], strict=True):
        shown = found.background.shown(frame, 0.25)
        assert (shown == found.background.rooms[room].image).all()
        assert set(frame[frame != shown]) == {THING}


def test_the_room_does_not_depend_on_the_frame_before():
    rooms = Rooms([Background.still(maze(room, 20, 0)[0]) for room in range(3)])
    frames, _ = visits(0, 2, 1, 2, num_frames=5)
    forward = [rooms.room(frame) for frame in frames]
    assert [rooms.room(frame) for frame in frames[::-1]] == forward[::-1]


def test_a_window_and_changed_images_reach_all_rooms():
    rooms = Rooms([Background.still(maze(room, 20, 0)[0]) for room in range(2)])
    window = np.array([1, 2, 3, 4], np.int32)
    assert all((room.window == window).all() for room in rooms.with_window(window).rooms)
    cleared = rooms.with_images(np.zeros_like)
    assert not any(room.image.any() for room in cleared.rooms)


def test_an_unknown_colour_is_no_state():
    image = np.zeros((20, 20), np.uint8)
    frame = np.full_like(image, 255)
    frame[4:7, 4:7] = 3
    assert (Background.still(image).shown(frame, 0.25) == 0).all()
