import fake_frame_env
import gymnasium
import numpy as np
import pytest

from sprite_obs.envs.make import make_env, make_frame_env, rgb_frame
from sprite_obs.envs.rendered import as_bytes
from sprite_obs.errors import SpriteObsError


def test_atari_keeps_its_registered_settings_and_observes_frames():
    with make_env("ALE/Pong-v5") as env:
        observation, _ = env.reset(seed=0)
        assert rgb_frame(env, observation) is observation
        assert observation.shape == (210, 160, 3)
        assert env.spec.kwargs["frameskip"] == 4
        assert env.spec.kwargs["repeat_action_probability"] == 0.25


def test_settings_reach_the_environment():
    with make_env("ALE/Pong-v5", frameskip=2) as env:
        assert env.spec.kwargs["frameskip"] == 2


def test_atari_without_rgb_observations_renders_the_same_frame():
    with make_env("ALE/Pong-v5") as env, make_env("ALE/Pong-v5", obs_type="ram") as ram_env:
        expected, _ = env.reset(seed=3)
        observation, _ = ram_env.reset(seed=3)
        assert observation.shape == (128,)
        np.testing.assert_array_equal(rgb_frame(ram_env, observation), expected)


def test_observed_frames_need_no_render_mode():
    with make_env("FakeObserves-v0") as env:
        assert env.render_mode is None
        observation, _ = env.reset()
        assert rgb_frame(env, observation) is observation


def test_frames_are_rendered_when_observations_are_no_frames():
    with make_env("FakeRenders-v0") as env:
        env.reset()
        observation, *_ = env.step(0)
        frame = rgb_frame(env, observation)
    assert (frame.shape, frame.dtype) == (fake_frame_env.SIZE, np.uint8)
    assert (frame[..., 0] == 1).all()


def test_brightness_from_0_to_1_becomes_bytes():
    with make_env("FakeBrightness-v0") as env, make_frame_env("FakeBrightness-v0") as observed:
        observation, _ = env.reset(seed=4)
        frame, _ = observed.reset(seed=4)
        expected = env.unwrapped.frame
        np.testing.assert_array_equal(rgb_frame(env, observation), expected)
        np.testing.assert_array_equal(frame, expected)
    assert (frame.dtype, observed.observation_space.dtype) == (np.uint8, np.uint8)
    assert expected.max() > 1


@pytest.mark.parametrize("other", [None, np.full((2, 2, 3), 200.0), np.zeros((0, 2, 3)), [0.5]])
def test_what_is_no_brightness_stays_as_it_is(other):
    assert as_bytes(other) is other


def test_brightness_may_be_slightly_beyond_its_range():
    frame = as_bytes(np.array([[[1 + 1e-6, -1e-6, 0.5]]], np.float32))
    assert frame.tolist() == [[[255, 0, 128]]]


PLUGIN = """
import gymnasium

def register():
    gymnasium.register("Declared/Game-v0", "fake_frame_env:FakeFrameEnv", kwargs={"observes": True})
"""


def test_games_that_an_installed_package_declares(tmp_path, monkeypatch):
    package = tmp_path / "declared_games-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: declared-games\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        "[gymnasium.envs]\nDeclared = declared_games:register\n"
    )
    (tmp_path / "declared_games.py").write_text(PLUGIN)
    with pytest.raises(SpriteObsError, match="Namespace Declared not found"):
        make_env("Declared/Game-v0")
    monkeypatch.syspath_prepend(tmp_path)
    with make_env("Declared/Game-v0") as env:
        assert env.reset(seed=0)[0].shape == fake_frame_env.SIZE
    gymnasium.registry.pop("Declared/Game-v0")


def test_a_package_that_cannot_register_its_games(tmp_path, monkeypatch):
    package = tmp_path / "broken_games-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-games\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[gymnasium.envs]\nBroken = no_such_games:register\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpriteObsError, match=r"cannot register .* Broken .*no_such_games.*install"):
        make_env("Broken/Game-v0")


def test_unknown_id():
    with pytest.raises(SpriteObsError, match=r"registered environment .*'ALE/Pongg-v5'.*Pong"):
        make_env("ALE/Pongg-v5")


def test_id_in_an_unknown_module():
    with pytest.raises(SpriteObsError, match=r"got 'no_such_module:Pong-v0'.*No module named"):
        make_env("no_such_module:Pong-v0")


def test_malformed_id():
    with pytest.raises(SpriteObsError, match=r"cannot build 'not an id' .*Malformed"):
        make_env("not an id")


def test_unknown_setting():
    with pytest.raises(SpriteObsError, match=r"cannot build 'ALE/Pong-v5' with .*'speed': 2"):
        make_env("ALE/Pong-v5", speed=2)


def test_wrong_value_of_a_setting():
    with pytest.raises(SpriteObsError, match=r"cannot build 'ALE/Pong-v5'.*frameskip of 0"):
        make_env("ALE/Pong-v5", frameskip=0)


def test_environment_without_frames():
    expected = r"BlindEnv: expected uint8 \(H, W, 3\) frames .* got Box.*nothing; choose"
    with make_env("FakeBlind-v0") as env:
        observation, _ = env.reset()
        with pytest.raises(SpriteObsError, match=expected):
            rgb_frame(env, observation)


def test_rendering_that_fails():
    with make_env("FakeRenderError-v0") as env:
        observation, _ = env.reset()
        with pytest.raises(SpriteObsError, match=r"FakeFrameEnv cannot render .*pip install"):
            rgb_frame(env, observation)


def test_what_cannot_be_drawn_ends_in_one_line():
    with pytest.raises(SpriteObsError, match="cannot render FakeRenderError-v0: drawing needs"):
        make_frame_env("FakeRenderError-v0")
