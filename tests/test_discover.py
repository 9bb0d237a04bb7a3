"""Counting: the background without resting things, the sprites, their parts and their types."""

import numpy as np
import pytest
from scenes import CLEAR, COLORS, HEIGHT, WIDTH, drawings, make_scene, paint

from sprite_obs.config import DiscoverConfig, PretrainConfig
from sprite_obs.discover.background import common_background, remove_resting
from sprite_obs.discover.compose import find_compositions
from sprite_obs.discover.copies import cut_copies
from sprite_obs.discover.discovery import discover
from sprite_obs.errors import RecordingError
from sprite_obs.lookup.bank import make_bank
from sprite_obs.pretrain.start import start_from_frames


def run(index, episode=None, **settings):
    episode = np.zeros(len(index), np.int32) if episode is None else episode
    return discover(index, episode, DiscoverConfig(**settings), 48, 512)


def as_set(bank):
    return {bank.drawing(i).tobytes() + bytes(bank.drawing(i).shape) for i in range(len(bank))}


def test_finds_background_and_all_sprites_exactly():
    scene = make_scene()
    found = run(scene.index)
    assert (found.background.image == scene.background).all()
    assert as_set(found.bank) == as_set(make_bank(scene.drawings))
    assert (found.counts == len(scene.index)).all()
    assert (found.moving > 0.5).all()


def test_title_screens_do_not_spoil_the_background():
    scene = make_scene(100)
    title = np.full((60, HEIGHT, WIDTH), 4, np.uint8)
    index = np.concatenate([scene.index, title])
    assert (common_background(index, 0.25) == scene.background).all()


def test_a_resting_thing_is_no_background():
    scene = make_scene(200)
    box = drawings()[0]
    index = scene.index.copy()
    for frame in index[:150]:  # the mode of these pixels is the thing
        paint(frame, box, 70, 60)
    mode = common_background(index, 0.25)
    assert (mode != scene.background).sum() == box.size
    assert (remove_resting(index, mode, 0.25, 48) == scene.background).all()
    assert as_set(run(index).bank) == as_set(make_bank(scene.drawings))


def test_a_row_of_bricks_stays_but_for_those_that_are_hit():
    scene = make_scene(200)
    wall = scene.background.copy()
    wall[60:66, :90] = 2
    index = np.where(scene.index == scene.background, wall, scene.index)
    for n in range(200):
        broken = np.s_[60:66, 0:10] if n % 2 else np.s_[60:66, 30:40]
        index[n][broken] = np.where(index[n][broken] == 2, 1, index[n][broken])
    found = remove_resting(index, common_background(index, 0.25), 0.25, 48)
    assert (found[60:66, 42:88] == 2).all()


def test_copies_of_known_sprites_leave_the_background():
    box, cross, ring = drawings()
    clean = np.zeros((40, 60), np.uint8)
    background = clean.copy()
    for left, drawing in ((3, box), (20, cross), (40, ring)):
        paint(background, drawing, left, 10)
    assert (cut_copies(background, make_bank([ring, box, cross])) == clean).all()


def test_a_drawing_of_two_others_is_composed():
    box, cross, _ = drawings()
    both = np.full((7, 15), CLEAR, np.uint8)
    paint(both, cross, 0, 0)
    paint(both, box, 7, 1)
    bank = make_bank([both, box, cross])
    composed = find_compositions(bank, np.array([10, 100, 100]))
    assert list(composed) == [0]
    assert sorted(place[:3] for place in composed[0]) == [(1, 7, 1), (2, 0, 0)]
    assert find_compositions(bank, np.array([1000, 10, 10])) == {}


def animated(num_frames=90):
    """A figure that walks and swaps two poses, and one that stands still."""
    first = np.full((6, 5), 2, np.uint8)
    second = first.copy()
    second[4:, 2] = CLEAR
    still = np.full((4, 4), 4, np.uint8)
    index = np.zeros((num_frames, HEIGHT, WIDTH), np.uint8)
    for n in range(num_frames):
        paint(index[n], second if n // 3 % 2 else first, 5 + n % 60, 20)
        if n < 0.9 * num_frames and n % 9:
            paint(index[n], still, 40, 50)
    return index


def test_poses_of_one_thing_share_a_type_and_movers_come_first():
    index = animated()
    start = start_from_frames(index, np.zeros(len(index), np.int32), PretrainConfig())
    areas = {
        int(area): int(kind) for area, kind in zip(start.bank.areas, start.sprite_type, strict=True)
    }
    assert areas[30] == areas[28] == 1
    assert 16 not in areas or areas[16] == 2
    assert start.type_capacity[:2].tolist() == [0, 1]
    assert (start.seen.type[start.seen.sprite > 0] > 0).all()


def test_no_link_across_episodes():
    index = animated()[:, :40]
    together = run(index)
    apart = run(index, np.arange(len(index), dtype=np.int32))
    assert together.groups.max() == 0
    assert apart.groups.max() == 1
    assert (apart.moving == 0).all()


def test_nothing_recurring_is_said_plainly():
    rng = np.random.default_rng(0)
    index = np.zeros((60, 30, 30), np.uint8)
    for n in range(60):
        index[n, 5:12, 5:12] = rng.integers(1, 6, (7, 7))
    with pytest.raises(RecordingError, match=r"no sprite recurs 5 times in 60 frames"):
        start_from_frames(index, np.zeros(60, np.int32), PretrainConfig())


def test_the_dictionary_keeps_to_its_limit():
    scene = make_scene()
    found = discover(scene.index, np.zeros(120, np.int32), DiscoverConfig(), 48, 2)
    explained = sorted((d != CLEAR).sum() for d in scene.drawings)[-2:]
    assert sorted(found.bank.areas) == explained
    assert len(discover(scene.index, np.zeros(120, np.int32), DiscoverConfig(), 8, 9).bank) == 2


def test_palette_of_the_scenes_is_valid():
    assert len(np.unique(COLORS, axis=0)) == len(COLORS)
