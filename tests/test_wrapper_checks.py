"""What `SpriteObservation` refuses."""

import fake_frame_env  # noqa: F401 - registers FakeRenders-v0
import gymnasium
import pytest
from pong_model import (
    save_pong_model,
)

from sprite_obs.envs.make import make_env
from sprite_obs.errors import CheckpointError
from sprite_obs.games import game_name
from sprite_obs.wrapper import SpriteObservation


@pytest.mark.parametrize(
    ("env_id", "game"),
    [
        ("ALE/Pong-v5", "pong"),
        ("SpriteObs/Pong-v5", "pong"),
        ("PongNoFrameskip-v4", "pong"),
        ("Pong-ramDeterministic-v0", "pong"),
        ("Pong", "pong"),
        ("ALE/MsPacman-v5", "mspacman"),
        ("my.games/Ping-Pong-v0", "ping-pong"),
    ],
)
def test_game_name(env_id, game):
    assert game_name(env_id) == game


@pytest.mark.parametrize("env_id", ["PongNoFrameskip-v4", "Pong-v0"])
def test_a_model_fits_every_version_of_its_game(env_id, pong_model):
    SpriteObservation(make_env(env_id), pong_model)


def test_a_model_of_another_game_is_refused_unless_asked_for(pong_model):
    breakout = make_env("ALE/Breakout-v5")
    message = r"game ALE/Breakout-v5, got .*, which was learned on ALE/Pong-v5; .*any_game=True"
    with pytest.raises(ValueError, match=message):
        SpriteObservation(breakout, pong_model)
    observation, _ = SpriteObservation(breakout, pong_model, any_game=True).reset()
    assert observation["presence"].shape == (32,)


def test_a_model_of_unknown_origin_fits_every_game(tmp_path):
    SpriteObservation(make_env("ALE/Breakout-v5"), save_pong_model(tmp_path, env_id=None))


def test_an_environment_is_expected(pong_model):
    with pytest.raises(TypeError, match=r"SpriteObservation expects a gymnasium\.Env, got str"):
        SpriteObservation("ALE/Pong-v5", pong_model)


def test_frames_of_the_models_size_are_expected(pong_model):
    gray = gymnasium.make("ALE/Pong-v5", obs_type="grayscale")
    with pytest.raises(ValueError, match=r"uint8 Box of shape \(210, 160, 3\).*got Box\(0, 255"):
        SpriteObservation(gray, pong_model)


def test_a_space_without_frames_is_refused(pong_model):
    with pytest.raises(TypeError, match=r"got Discrete\(16\) and render_mode=None; make the env"):
        SpriteObservation(gymnasium.make("FrozenLake-v1"), pong_model, any_game=True)


def test_a_rendered_frame_of_another_size_is_refused(pong_model):
    small = gymnasium.make("FakeRenders-v0", render_mode="rgb_array")
    env = SpriteObservation(small, pong_model, any_game=True)
    with pytest.raises(ValueError, match=r"shape \(210, 160, 3\).*got uint8 \(8, 6, 3\)"):
        env.reset()


def test_an_unknown_level_is_refused(pong_model):
    with pytest.raises(ValueError, match="expects level 'object' or 'sprite', got 'frame'"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, level="frame")


@pytest.mark.parametrize("value", ["8", 8.0, True])
def test_max_sprites_must_be_an_int(value, pong_model):
    with pytest.raises(TypeError, match="max_sprites to be an int, got"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=value)


def test_a_slot_is_needed(pong_model):
    with pytest.raises(ValueError, match="max_sprites of at least 1, got 0"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=0)


def test_drawing_sprites_needs_rgb_arrays(pong_model):
    with pytest.raises(ValueError, match="render_mode='rgb_array', got render_mode=None"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, render_sprites=True)


def test_a_missing_model_is_named():
    with pytest.raises(CheckpointError, match="models/missing"):
        SpriteObservation(make_env("ALE/Pong-v5"), "models/missing")


def test_display_must_be_a_bool(pong_model):
    with pytest.raises(TypeError, match="display to be True or False, got 'no' "):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, display="no")
