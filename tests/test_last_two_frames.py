import fake_frame_env
import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from sprite_obs.envs.last_two_frames import LastTwoFrames, make_last_two_frames
from sprite_obs.envs.make import make_env
from sprite_obs.errors import SpriteObsError


def test_the_frames_are_those_of_the_games_own_frameskip():
    """Sticky actions too: both draw a random number for each frame."""
    own, ours = make_env("ALE/MsPacman-v5"), make_last_two_frames("ALE/MsPacman-v5")
    rng = np.random.default_rng(0)
    results = own.reset(seed=4), ours.reset(seed=4)
    for _ in range(150):
        (frame, *others), (same_frame, *same_others) = results
        np.testing.assert_array_equal(frame, same_frame)
        assert others == same_others
        assert not any(others[1:3]), "after an episode, random numbers are others"
        action = rng.integers(9)
        results = own.step(action), ours.step(action)


def test_the_earlier_frame_is_the_last_but_one():
    single = make_env("ALE/MsPacman-v5", frameskip=1)
    env = make_last_two_frames("ALE/MsPacman-v5", frameskip=3)
    single.reset(seed=0)
    env.reset(seed=0)
    assert env.earlier_frame is None
    for action in (0, 1, 2, 3) * 30:
        _, earlier, last = [single.step(action)[0] for _ in range(3)]
        observation, *_ = env.step(action)
        np.testing.assert_array_equal(observation, last)
        np.testing.assert_array_equal(env.earlier_frame, earlier)


@pytest.mark.parametrize("env_id", ["FakeObserves-v0", "FakeRenders-v0"])
def test_rewards_are_summed_and_a_step_ends_with_the_episode(env_id):
    env = LastTwoFrames(make_env(env_id), frames_per_step=3)
    env.reset()
    _, reward, terminated, *_ = env.step(0)
    assert (reward, terminated) == (4.5, False)
    assert (env.earlier_frame[..., 0] == 2).all(), "environments write into one array again"
    _, reward, terminated, *_ = env.step(0)
    assert fake_frame_env.EPISODE_STEPS == 5
    assert (reward, terminated) == (3.0, True)
    env.reset()
    assert env.earlier_frame is None


def test_no_frame_is_kept_where_the_episode_ends_before_the_last_one():
    env = LastTwoFrames(make_env("FakeObserves-v0"), frames_per_step=4)
    env.reset()
    env.step(0)
    assert env.earlier_frame is not None
    assert env.step(0)[2] and env.earlier_frame is None


def test_settings_reach_the_environment_and_limits_count_steps():
    env = make_last_two_frames("ALE/Pong-v5", mode=1, frameskip=2, max_episode_steps=3)
    assert env.unwrapped.spec.kwargs["mode"] == 1
    env.reset(seed=0)
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]


def test_gymnasium_accepts_it_and_its_spec_rebuilds_it():
    env = make_last_two_frames("ALE/Pong-v5")
    check_env(env, skip_render_check=True)
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert isinstance(again, LastTwoFrames) and again.spec == env.spec


@pytest.mark.parametrize(
    ("env_id", "skips"), [("Pong-v0", r"\(2, 5\)"), ("PongNoFrameskip-v4", "1")]
)
def test_a_fixed_number_of_frames_to_skip_is_needed(env_id, skips):
    with pytest.raises(SpriteObsError, match=f"got {env_id} with frameskip={skips}; choose"):
        make_last_two_frames(env_id)
    with pytest.raises(SpriteObsError, match="got FakeObserves-v0 with frameskip=None"):
        make_last_two_frames("FakeObserves-v0")


def test_an_environment_that_skips_frames_itself_is_refused():
    with pytest.raises(ValueError, match=r"got ALE/Pong-v5 with frameskip=4; make it with"):
        LastTwoFrames(gymnasium.make("ALE/Pong-v5"))


def test_two_frames_are_needed():
    with pytest.raises(ValueError, match="frames_per_step of at least 2, got 1"):
        LastTwoFrames(make_env("FakeObserves-v0"), frames_per_step=1)
