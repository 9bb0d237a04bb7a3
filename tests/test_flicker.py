"""What is drawn in every other frame is there in every observation."""

import fake_frame_env  # noqa: F401  registers environments
import gymnasium
import numpy as np
import pytest
import torch
from pong_model import LEFT_PADDLE, RIGHT_PADDLE

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.config import PretrainConfig, from_dict
from sprite_obs.detections import Detections, from_rows
from sprite_obs.envs.last_two_frames import LastTwoFrames, make_last_two_frames
from sprite_obs.envs.make import make_env
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames
from sprite_obs.objects.flicker import MAX_SHIFT, join_frames
from sprite_obs.pretrain.pretrain import pretrain
from sprite_obs.wrapper import SpriteObservation

OLDER, NEWER = 0, 1
GHOSTS = [(200, 72, 72), (198, 89, 179), (84, 184, 153), (180, 122, 48)]


def joined(*things: tuple[int, int, int, int]) -> list[tuple[int, int, int]]:
    """Joins things of 10 x 10 pixels, each a frame, a sprite, x and y; returns sprites and places.

    Sprites 1 and 2 are of type 1, sprite 3 of type 2.
    """
    rows = [(frame, sprite, 0, x, y, 10, 10, 1.0) for frame, sprite, x, y in things]
    both = from_rows(rows, np.array([1, 1, 2], np.int32))
    found = join_frames(both)
    assert (found.frame == 0).all()
    order = np.lexsort((found.box[:, 0], found.box[:, 1], found.layer))
    assert (order == np.arange(len(order))).all()
    assert [array.dtype for array in found] == [array.dtype for array in both]
    places = found.box[:, :2].tolist()
    return [(sprite, x, y) for sprite, (x, y) in zip(found.sprite.tolist(), places, strict=True)]


def test_what_is_missing_is_added_in_order():
    things = joined((OLDER, 1, 50, 20), (NEWER, 3, 90, 80), (NEWER, 3, 10, 10))
    assert things == [(3, 10, 10), (1, 50, 20), (3, 90, 80)]


def test_what_is_new_or_rests_is_there_once():
    assert joined((OLDER, 1, 50, 20), (NEWER, 1, 50, 20), (NEWER, 3, 80, 90)) == [
        (1, 50, 20),
        (3, 80, 90),
    ]


def test_what_moves_or_changes_its_look_is_where_it_is_now():
    assert joined((OLDER, 1, 50, 20), (NEWER, 1, 62, 20)) == [(1, 62, 20)]
    assert joined((OLDER, 1, 50, 20), (NEWER, 2, 55, 22)) == [(2, 55, 22)]


def test_what_changes_to_the_next_lane_is_where_it_is_now():
    assert joined((OLDER, 1, 50, 20), (NEWER, 1, 54, 36)) == [(1, 54, 36)]


def test_what_is_too_far_away_is_another_thing():
    far = 50 + int(MAX_SHIFT)
    assert joined((OLDER, 1, 50, 20), (NEWER, 1, far, 20)) == [(1, 50, 20), (1, far, 20)]


def test_each_thing_accounts_for_one():
    assert joined((OLDER, 1, 50, 20), (OLDER, 1, 50, 31), (NEWER, 1, 50, 32)) == [
        (1, 50, 20),
        (1, 50, 32),
    ]


@pytest.mark.parametrize(("x", "is_added"), [(55, False), (56, True)])
def test_what_is_shown_in_its_place_speaks_against_it(x, is_added):
    """Something else covers half of it, or less."""
    assert joined((OLDER, 1, 50, 20), (NEWER, 3, x, 20)) == (
        [(1, 50, 20), (3, x, 20)] if is_added else [(3, x, 20)]
    )


def test_unknown_things_are_not_added_but_cover_others():
    assert joined((OLDER, 0, 50, 20)) == []
    assert joined((OLDER, 1, 50, 20), (NEWER, 0, 50, 20)) == [(0, 50, 20)]


def test_empty_frames_are_joined():
    assert joined() == []
    assert joined((OLDER, 1, 50, 20)) == [(1, 50, 20)]
    assert joined((NEWER, 1, 50, 20)) == [(1, 50, 20)]


@pytest.fixture
def flickering(pong_model) -> SpriteObservation:
    env = LastTwoFrames(gymnasium.make("FakeFlickers-v0"), frames_per_step=4)
    return SpriteObservation(env, pong_model, max_sprites=6, any_game=True)


def test_the_last_frame_alone_lacks_what_flickers(pong_model):
    env = SpriteObservation(gymnasium.make("FakeFlickers-v0"), pong_model, 4, any_game=True)
    env.reset()
    shown = [RIGHT_PADDLE in env.step(0)[0]["sprite"] for _ in range(8)]
    assert shown == [True, False] * 4


def test_two_frames_show_what_flickers_on_one_track(flickering):
    flickering.reset()
    tracks = set()
    for step in range(1, 9):  # each ends with an even frame, which lacks the right paddle
        observation, *_ = flickering.step(0)
        assert observation in flickering.observation_space
        right, left = 2, 4  # two frames may show two of each type, of the ball in slots 0 and 1
        last = 4 * step
        assert observation["position"][left].tolist() == [18, 58 + last]
        assert observation["position"][right].tolist() == [142, 58 + last - 1]
        tracks.add((observation["track"][left], observation["track"][right]))
        velocity = 4 if step > 1 else 0
        assert observation["velocity"][right].tolist() == [0, velocity]
    assert len(tracks) == 1


def test_the_error_is_that_of_the_last_frame(flickering, monkeypatch):
    encoder = flickering.get_wrapper_attr("_encoder")

    def explain(frames: np.ndarray) -> tuple[Detections, np.ndarray]:
        found, share = original(frames)
        return found, np.linspace(0.25, 0.5, len(share), dtype=np.float32)

    original = encoder.explain
    flickering.reset()
    monkeypatch.setattr(encoder, "explain", explain)
    assert flickering.step(0)[-1]["sprite_error"] == 0.5


def test_nothing_of_the_last_episode_is_joined(flickering):
    flickering.reset()
    while not flickering.step(0)[2]:
        pass
    observation, _ = flickering.reset()
    assert set(observation["sprite"]) == {0, LEFT_PADDLE}


@pytest.fixture(scope="module")
def pacman_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pacman")
    record("ALE/MsPacman-v5", 400, folder / "recording", seed=0)
    settings = {
        "num_threads": 1,
        "model": {"code_dim": 8, "encoder_width": 8},
        "train": {"teach_iterations": 0, "iterations": 0},
    }
    config = from_dict(PretrainConfig, settings)
    frames = read_frames(folder / "recording")
    pretrain(frames, config, folder / "model", torch.device("cpu"))
    return folder / "model"


def ghosts_seen(game: gymnasium.Env, model) -> np.ndarray:
    """Returns which of the four ghosts the observations of a game show, `(steps, 4)` bool."""
    ghost_of = np.array([-1] + [ghost(sprite) for sprite in load_checkpoint(model).sprites])
    env = SpriteObservation(game, model, max_sprites=200)
    env.reset(seed=1)
    shown = [ghost_of[env.step(0)[0]["sprite"]] for _ in range(250)]
    return np.array([[(row == k).any() for k in range(4)] for row in shown[100:]])


def ghost(sprite: np.ndarray) -> int:
    """Says which ghost a `(S, S, 4)` sprite mostly is by its colour, -1 if it is none."""
    pixels = sprite[sprite[..., 3] == 255][:, :3]
    shares = [(pixels == color).all(1).mean() for color in GHOSTS]
    return int(np.argmax(shares)) if len(pixels) > 40 and max(shares) > 0.5 else -1


def test_pacmans_ghosts_are_seen_together(pacman_model):
    single = ghosts_seen(make_env("ALE/MsPacman-v5"), pacman_model)
    both = ghosts_seen(make_last_two_frames("ALE/MsPacman-v5"), pacman_model)
    assert len(both) == len(single)
    assert not (single & ~both).any() or (single & ~both).mean() < 0.01
    assert single.all(1).mean() < 0.2, "all four are hardly ever drawn in one frame"
    assert both.all(1).mean() > single.all(1).mean() + 0.2
