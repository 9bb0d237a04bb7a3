import os
import re
import subprocess
import sys
import time
from pathlib import Path

import fake_frame_env
import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from recordings import actions_of, contents, episodes

from sprite_obs.envs.make import make_env
from sprite_obs.errors import ConfigError, RecordingError, SpriteObsError
from sprite_obs.frames import record as record_module
from sprite_obs.frames.policies import RandomPolicy, StickyPolicy
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames
from sprite_obs.frames.store import read_info

ROOT = Path(__file__).parents[1]
BREAKOUT = "ALE/Breakout-v5"  # random play loses its five lives within a few hundred frames


@pytest.fixture(scope="module")
def breakout(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "deep" / "breakout"
    return path, record(BREAKOUT, 600, path, seed=5)


def test_summary(breakout):
    path, summary = breakout
    info = read_info(path)
    assert summary.num_frames == info.num_frames == 600
    assert summary.num_episodes == len(info.episodes) >= 2
    assert summary.num_bytes == sum(len(data) for data in contents(path).values())


def test_info(breakout):
    info = read_info(breakout[0])
    assert (info.env_id, info.policy, info.seed) == (BREAKOUT, "sticky", 5)
    assert info.frame_shape == (210, 160, 3)
    assert info.env_kwargs["frameskip"] == 4
    assert info.env_kwargs["repeat_action_probability"] == 0.25
    assert set(info.versions) == {"sprite_obs", "gymnasium", "ale_py", "numpy"}
    assert info.versions["gymnasium"] == gymnasium.__version__


def test_episode_borders(breakout):
    *whole, last = episodes(breakout[0])
    for episode in whole:
        assert (episode.terminated, episode.truncated) == (True, False)
    assert (last.terminated, last.truncated) == (False, True)
    for episode in (*whole, last):
        length = len(episode.frames)
        assert (episode.actions.shape, episode.actions.dtype) == ((length - 1,), np.int64)
        assert (episode.rewards.shape, episode.rewards.dtype) == ((length - 1,), np.float32)


def test_actions_replay_to_the_same_frames_and_rewards(breakout):
    """Frames, actions and rewards belong together, across the border of two episodes too."""
    with make_env(BREAKOUT) as env:
        for index, episode in enumerate(episodes(breakout[0])[:2]):
            frame, _ = env.reset(seed=None if index else 5)
            np.testing.assert_array_equal(frame, episode.frames[0])
            for step, action in enumerate(episode.actions):
                frame, reward, terminated, *_ = env.step(action)
                np.testing.assert_array_equal(frame, episode.frames[step + 1])
                assert reward == episode.rewards[step]
            assert terminated == episode.terminated


@pytest.mark.parametrize("policy", ["sticky", "random"])
def test_same_seed_same_files(tmp_path, policy):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        record(BREAKOUT, 300, tmp_path / name, seed=seed, policy=policy)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    first, other = episodes(tmp_path / "a")[0], episodes(tmp_path / "c")[0]
    assert not np.array_equal(first.actions[:50], other.actions[:50])


def test_pong_is_small(tmp_path):
    summary = record("ALE/Pong-v5", 3000, tmp_path)
    assert summary.num_frames == 3000
    assert summary.num_bytes < 5e6


def test_progress_goes_to_stderr(tmp_path, capfd):
    record("FakeObserves-v0", 20, tmp_path)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "20/20" in captured.err


def test_every_count_of_frames_is_met(tmp_path):
    full = fake_frame_env.EPISODE_STEPS + 1
    for num_frames in (1, full - 1, full, full + 1):
        path = tmp_path / str(num_frames)
        assert record("FakeObserves-v0", num_frames, path).num_frames == num_frames
        *whole, last = episodes(path)
        assert [len(episode.frames) for episode in whole] == [full] * (num_frames > full)
        assert len(last.frames) == (num_frames - 1) % full + 1
        assert (last.terminated, last.truncated) == (num_frames == full, num_frames != full)


def test_first_episode_starts_from_the_seed_and_the_next_ones_differ(tmp_path):
    record("FakeObserves-v0", 18, tmp_path, seed=9)
    with make_env("FakeObserves-v0") as env:
        for index, episode in enumerate(episodes(tmp_path)):
            frame, _ = env.reset(seed=None if index else 9)
            np.testing.assert_array_equal(episode.frames[0], frame)
    greens = [episode.frames[0, 0, 0, 1] for episode in episodes(tmp_path)]
    assert len(set(greens)) == 3


def test_frames_are_copied(tmp_path):
    record("FakeObserves-v0", 6, tmp_path)
    np.testing.assert_array_equal(episodes(tmp_path)[0].frames[:, 0, 0, 0], range(6))


def test_rendered_frames(tmp_path):
    record("FakeRenders-v0", 6, tmp_path)
    np.testing.assert_array_equal(episodes(tmp_path)[0].frames[:, 0, 0, 0], range(6))
    assert read_info(tmp_path).env_kwargs == {"render_mode": "rgb_array"}


def test_continuous_actions(tmp_path):
    record("FakeBoxActions-v0", 7, tmp_path)
    first, last = episodes(tmp_path)
    assert (first.actions.shape, first.actions.dtype) == ((5, 2), np.float32)
    assert last.actions.shape == (0, 2)


def test_random_policy_is_uniform_in_every_step():
    actions = actions_of(RandomPolicy(spaces.Discrete(4), seed=0))
    np.testing.assert_allclose(np.bincount(actions) / len(actions), 0.25, atol=0.02)
    assert np.mean(actions[1:] == actions[:-1]) == pytest.approx(0.25, abs=0.02)


def test_sticky_policy_holds_actions():
    actions = actions_of(StickyPolicy(spaces.Discrete(10**9), seed=0))
    borders = np.flatnonzero(np.diff(actions)) + 1
    lengths = np.diff(borders)
    assert lengths.max() == 12
    # Holds of every length from 2 to 12 are about equally frequent; plain steps have length 1.
    counts = np.bincount(lengths, minlength=13)
    assert counts[2:].min() > 0.7 * counts[2:].max()
    assert counts[1] / lengths.sum() == pytest.approx(0.34, abs=0.05)


# ---------------------------------------------------------------------------- interrupted


def test_interrupt_keeps_whole_episodes(tmp_path, monkeypatch, breakout):
    """The policy raises what Ctrl-C raises, in the middle of the third episode."""
    lengths = [entry.num_frames for entry in read_info(breakout[0]).episodes]
    num_steps = sum(lengths[:2]) + 10

    class Interrupted(StickyPolicy):
        num_calls = 0

        def __call__(self, frame):
            self.num_calls += 1
            if self.num_calls == num_steps:
                raise KeyboardInterrupt
            return super().__call__(frame)

    monkeypatch.setattr(
        record_module,
        "make_policy",
        lambda policy, env, seed, *_: (Interrupted(env.action_space, seed), env),
    )
    with pytest.raises(KeyboardInterrupt, match=f"keeps {sum(lengths[:2])} frames in 2 whole"):
        record(BREAKOUT, 10_000, tmp_path, seed=5)
    assert all(episode.terminated for episode in episodes(tmp_path))
    whole = read_frames(breakout[0], max_frames=sum(lengths[:2]))
    np.testing.assert_array_equal(read_frames(tmp_path).images, whole.images)
    assert not list(tmp_path.glob(".*"))


def test_killed_recording_is_readable(tmp_path):
    code = f"from sprite_obs.frames.record import record; record({BREAKOUT!r}, 10**6, 'killed')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed" / "episode_00001.npz").exists():
            assert process.poll() is None, "the recorder stopped by itself"
            assert time.monotonic() < deadline, "no second episode within two minutes"
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    stored = episodes(tmp_path / "killed")
    assert stored
    assert all(episode.terminated for episode in stored)
    frames = read_frames(tmp_path / "killed")
    assert len(frames.images) == sum(len(episode.frames) for episode in stored)


# ---------------------------------------------------------------------------- errors


def test_unknown_policy(tmp_path):
    expected = "policy: expected 'random', 'sticky' or the path .*, got 'greedy'"
    with pytest.raises(SpriteObsError, match=expected):
        record(BREAKOUT, 10, tmp_path / "out", policy="greedy")
    assert not (tmp_path / "out").exists()


def test_unknown_environment(tmp_path):
    with pytest.raises(SpriteObsError, match="registered environment"):
        record("ALE/NoSuchGame-v5", 10, tmp_path)


def test_existing_recording(breakout):
    before = contents(breakout[0])
    with pytest.raises(RecordingError, match="holds a recording already"):
        record(BREAKOUT, 10, breakout[0])
    assert contents(breakout[0]) == before


def test_environment_without_frames(tmp_path):
    with pytest.raises(SpriteObsError, match="BlindEnv: expected uint8"):
        record("FakeBlind-v0", 10, tmp_path)


def test_environment_with_dictionaries_of_actions(tmp_path):
    with pytest.raises(SpriteObsError, match=r"FakeFrameEnv: expected actions .*got Dict"):
        record("FakeDictActions-v0", 10, tmp_path)


def test_frames_that_change_their_size_between_episodes(tmp_path):
    with pytest.raises(RecordingError, match="frames of one recording have one shape"):
        record("FakeGrows-v0", 10, tmp_path)


@pytest.mark.parametrize("num_frames", [0, -5])
def test_too_few_frames(tmp_path, num_frames):
    with pytest.raises(ConfigError, match=f"num_frames: expected at least 1, got {num_frames}"):
        record(BREAKOUT, num_frames, tmp_path)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range(tmp_path, seed):
    with pytest.raises(ConfigError, match=rf"seed: expected 0 to .*, got {seed}"):
        record(BREAKOUT, 10, tmp_path, seed=seed)


def test_example_in_the_docs_runs(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "recording.md").read_text()
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1), {})
