"""Scenery that scrolls: recognised by itself, put together, found again in unseen frames."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from scenes import HEIGHT, WIDTH, drawings, make_scene, paint
from scrolling_scenes import (
    DISPLAY,
    WORLD_COLORS,
    add_parallax,
    make_scrolling,
    make_world,
)
from scrolling_scenes import HEIGHT as SCREEN_HEIGHT
from scrolling_scenes import WIDTH as SCREEN_WIDTH
from small_runs import CPU, config
from stable_baselines3.common.vec_env import DummyVecEnv

from sprite_obs.config import PretrainConfig
from sprite_obs.detect import detect
from sprite_obs.discover.camera import find_scrolling
from sprite_obs.discover.discovery import discover
from sprite_obs.discover.shifts import find_shift
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.locate import Locator
from sprite_obs.lookup.panorama import NOWHERE, Panorama, flatten_layers, restore_layers
from sprite_obs.pretrain.pretrain import pretrain
from sprite_obs.pretrain.start import start_from_frames
from sprite_obs.vector.sb3 import VecSpriteObservation
from sprite_obs.vector.wrapper import VectorSpriteObservation
from sprite_obs.wrapper import SpriteObservation

VIEW_HEIGHT = SCREEN_HEIGHT - DISPLAY
WORLDS = {
    "horizontal": (VIEW_HEIGHT, 260),
    "vertical": (240, SCREEN_WIDTH),
    "both": (100, 150),
}


class Player(gymnasium.Env):
    """Shows given frames, one after the other."""

    action_space = gymnasium.spaces.Discrete(1)

    def __init__(self, images):
        self.images, self.now = images, 0
        self.observation_space = gymnasium.spaces.Box(0, 255, images.shape[1:], np.uint8)

    def reset(self, *, seed=None, options=None):
        self.now = 0
        return self.images[0], {}

    def step(self, action):
        self.now += 1
        return self.images[self.now], 0.0, False, False, {}


def learn(index, episode=None):
    episode = np.zeros(len(index), np.int32) if episode is None else episode
    return start_from_frames(index, episode, PretrainConfig())


def decode(start, index):
    """Returns the rows of all sprites, and how many pixels of each frame they leave."""
    decoder = LookupDecoder(start.bank, start.tables.counts, start.background, max_foreground=0.25)
    return decoder.decode_and_count(index)


def check_exact(start, scene):
    rows, unexplained = decode(start, scene.index)
    assert not unexplained.any()
    found = [sorted(row[3:7] for row in rows if row[0] == n) for n in range(len(scene.index))]
    assert found == [sorted(map(tuple, boxes)) for boxes in scene.boxes.tolist()]
    for index, behind in zip(scene.index, scene.behind, strict=True):
        assert (start.background.shown(index, 0.25) == behind).all()


@pytest.mark.parametrize("kind", WORLDS)
def test_sprites_in_front_of_scenery_that_scrolls_are_exact_on_unseen_frames(kind):
    world = make_world(WORLDS[kind])
    scene = make_scrolling(world, 300)
    start = learn(scene.index)
    assert isinstance(start.background, Panorama)
    assert [layer.axes.tolist() for layer in start.background.layers] == [
        {"horizontal": [1, 0], "vertical": [0, 1], "both": [1, 1]}[kind]
    ]
    left, top, right, bottom = start.background.layers[0].window.tolist()
    assert (left, right, bottom) == (0, SCREEN_WIDTH, SCREEN_HEIGHT)
    assert top == DISPLAY
    check_exact(start, make_scrolling(world, 40, seed=7, seen=scene.camera))
    assert len(start.bank) == 3


def test_layers_that_move_at_different_speeds_are_told_apart():
    far, near = make_world((24, 200), seed=3), make_world((VIEW_HEIGHT, 260))
    scene = make_scrolling(near, 300)
    start = learn(add_parallax(scene, far).index)
    assert isinstance(start.background, Panorama)
    windows = sorted(layer.window.tolist() for layer in start.background.layers)
    assert [(top, bottom) for _, top, _, bottom in windows] == [(12, 36), (36, 80)]
    check_exact(start, add_parallax(make_scrolling(near, 40, 7, scene.camera), far))


def test_a_world_that_ends_where_it_began_is_known_once():
    world = make_world((VIEW_HEIGHT, 200))
    place = np.arange(150) * 4 % 200
    around = np.concatenate([world, world], 1)
    scene = make_scrolling(np.concatenate([around] * 2, 1), 150)
    sprite = scene.index != scene.behind
    behind = scene.behind.copy()
    for frame, x in zip(behind, place, strict=True):
        frame[DISPLAY:] = around[:, x : x + SCREEN_WIDTH]
    start = learn(np.where(sprite, scene.index, behind))
    layer = start.background.layers[0]
    assert 200 <= layer.scenery.shape[1] <= 400
    assert layer.scenery.shape[0] == VIEW_HEIGHT


def test_each_episode_finds_its_place_in_the_same_world():
    world = make_world((VIEW_HEIGHT, 260))
    parts = [make_scrolling(world, 100, seed) for seed in range(3)]
    index = np.concatenate([part.index for part in parts])
    start = learn(index, np.repeat(np.arange(3, dtype=np.int32), 100))
    assert start.background.layers[0].scenery.shape[0] == VIEW_HEIGHT
    check_exact(start, make_scrolling(world, 20, seed=9, seen=parts[2].camera))


def test_a_screen_that_stands_still_has_no_layers():
    scene = make_scene(120)
    assert find_scrolling(scene.index, np.zeros(120, np.int32), 48) == []
    found = discover(scene.index, np.zeros(120, np.int32), PretrainConfig().discover, 48, 512)
    assert isinstance(found.background, Background)
    assert (found.background.image == scene.background).all()


def test_a_fleet_that_moves_as_one_is_no_scenery():
    index = np.zeros((160, HEIGHT, WIDTH), np.uint8)
    for n, frame in enumerate(index):
        for row in range(4):
            for column in range(5):
                paint(frame, drawings()[row % 3], 2 + abs(n % 40 - 20) + 13 * column, 6 + 14 * row)
    assert find_scrolling(index, np.zeros(160, np.int32), 48) == []


@pytest.mark.parametrize("shift", [(0, 0), (5, 0), (0, -3), (-4, 7), (20, -9)])
def test_a_shift_is_found_whatever_moves_in_front(shift):
    world = make_world((160, 200))
    before, after = (
        world[40 - y : 40 - y + VIEW_HEIGHT, 40 - x : 40 - x + SCREEN_WIDTH].copy()
        for x, y in ((0, 0), shift)
    )
    paint(before, drawings()[0], 30, 20)
    paint(after, drawings()[0], 33, 21)
    found = find_shift(before, after, np.array([0, 0, SCREEN_WIDTH, VIEW_HEIGHT]))
    assert (found.x, found.y) == shift
    assert 0.5 * found.textured < found.moved < found.textured


def test_views_are_located_by_themselves_alone():
    world = make_world((120, 180))
    locator = Locator(world, np.array([True, True]), 60)
    views = {place: world[place[1] :, place[0] :][:60, :90].copy() for place in ((0, 0), (50, 33))}
    first = {place: locator.find(view) for place, view in views.items()}
    for place in reversed(views):
        assert locator.find(views[place]) == first[place] == (*place, 1.0)
    assert locator.find(np.zeros((60, 90), np.uint8)) is None


def test_scenery_survives_its_file():
    world = make_world((VIEW_HEIGHT, 260))
    layers = learn(make_scrolling(world, 100).index).background.layers
    for before, after in zip(layers, restore_layers(*flatten_layers(layers)), strict=True):
        for old, new in zip(before, after, strict=True):
            assert old.dtype == new.dtype
            assert (old == new).all()
    assert restore_layers(*flatten_layers([])) == []


def test_a_model_learned_by_default_knows_camera_and_scenery(tmp_path):
    world = make_world(WORLDS["both"])
    scene = make_scrolling(world, 250)
    unseen = make_scrolling(world, 24, 7, scene.camera)
    frames = Frames(WORLD_COLORS[scene.index], np.zeros(250, np.int32), None)
    pretrain(frames, config(teach_iterations=0, iterations=0), tmp_path, CPU)
    encoder = FrozenEncoder.load(tmp_path)
    images = WORLD_COLORS[unseen.index]
    assert (encoder.backgrounds(images) == WORLD_COLORS[unseen.behind]).all()
    assert (encoder.rebuild(images) == images).all()
    assert encoder.has_camera
    moved = encoder.cameras(images) - unseen.camera
    assert (moved == moved[0]).all()
    alone = [encoder.encode(image).box for image in images[::-1]][::-1]
    assert (np.concatenate(alone) == encoder.encode(images).box).all()
    _, error = encoder.explain(images)
    assert not error.any()
    table = detect(encoder, Frames(images, np.zeros(24, np.int32), None))
    assert (table["camera"] == encoder.cameras(images)[table["frame"]]).all()
    env = SpriteObservation(Player(images), tmp_path)
    infos = [env.reset()[1], *(env.step(0)[-1] for _ in images[1:])]
    assert ([info["camera"] for info in infos] == encoder.cameras(images)).all()
    assert [info["sprite_error"] for info in infos] == [0.0] * 24
    envs = VectorSpriteObservation(SyncVectorEnv([lambda: Player(images)] * 2), tmp_path)
    infos = [envs.reset()[1], *(envs.step(np.zeros(2, int))[-1] for _ in images[1:])]
    assert all(
        (info["camera"] == encoder.cameras(image)).all()
        for info, image in zip(infos, images, strict=True)
    )
    venv = VecSpriteObservation(DummyVecEnv([lambda: Player(images)]), tmp_path)
    venv.reset()
    assert (venv.reset_infos[0]["camera"] == encoder.cameras(images[0])).all()
    assert (venv.step(np.zeros(1, int))[-1][0]["camera"] == encoder.cameras(images[1])).all()


@pytest.mark.parametrize("episode", [[0], [0, 1, 2]])
def test_episodes_of_one_frame_scroll_nowhere(episode):
    index = make_scrolling(make_world((VIEW_HEIGHT, 260)), len(episode)).index
    assert find_scrolling(index, np.array(episode, np.int32), 48) == []


def test_new_territory_shows_in_the_error():
    start = learn(make_scrolling(make_world((VIEW_HEIGHT, 260)), 200).index)
    elsewhere = make_scrolling(make_world((VIEW_HEIGHT, 260), seed=5), 10)
    _, unexplained = decode(start, elsewhere.index)
    assert (unexplained > 0.05 * elsewhere.index[0].size).all()
    nothing = np.zeros((SCREEN_HEIGHT, SCREEN_WIDTH), np.uint8)
    assert start.background.camera(nothing) == NOWHERE
