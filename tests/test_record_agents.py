"""Trained agents play while frames are recorded: on frames, and on sprites."""

import subprocess
import sys
from pathlib import Path

import fake_frame_env  # noqa: F401, registers the environments
import numpy as np
import pytest
import torch
from gymnasium import spaces
from recordings import actions_of, contents, episodes
from stable_baselines3 import A2C, DQN, PPO

from sprite_obs.cli import main
from sprite_obs.envs.make import make_env
from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.frames.policies import MixedPolicy
from sprite_obs.frames.record import record
from sprite_obs.frames.store import read_info
from sprite_obs.wrapper import SpriteObservation

ROOT = Path(__file__).parents[1]
BREAKOUT = "ALE/Breakout-v5"


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    """Saved models that observe the frames of FakeLarge-v0, untrained."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("agents")
    with make_env("FakeLarge-v0") as env:
        PPO("CnnPolicy", env, n_steps=4, batch_size=4, device="cpu").save(folder / "ppo.zip")
        A2C("CnnPolicy", env, device="cpu").save(folder / "a2c.zip")
        dqn = DQN("CnnPolicy", env, buffer_size=10, device="cpu")
        dqn.exploration_rate = 0.5
        dqn.save(folder / "dqn.zip")
    return folder


@pytest.mark.parametrize("name", ["ppo", "a2c", "dqn"])
def test_agent_plays_and_is_seeded(tmp_path, agents, name):
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        record("FakeLarge-v0", 60, tmp_path / out, seed=seed, policy=str(agents / f"{name}.zip"))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    actions = {
        out: np.concatenate([episode.actions for episode in episodes(tmp_path / out)])
        for out in ("a", "c")
    }
    assert not np.array_equal(actions["a"], actions["c"])
    assert set(actions["a"]) == {0, 1, 2}


def test_agent_sees_the_current_frame(tmp_path, agents, monkeypatch):
    seen = []
    predict = A2C.predict

    def spy(self, observation, **kwargs):
        seen.append(observation.copy())
        return predict(self, observation, **kwargs)

    monkeypatch.setattr(A2C, "predict", spy)
    record("FakeLarge-v0", 6, tmp_path, policy=str(agents / "a2c.zip"), random_share=0)
    np.testing.assert_array_equal(seen, episodes(tmp_path)[0].frames[:-1])


@pytest.fixture
def constant_agent():
    """Returns an agent that always does the same, and is none of the random choices."""

    class Constant:
        def predict(self, observation, deterministic):
            return np.array(-1), None

    return Constant()


def test_random_actions_take_the_agents_place_for_a_share_of_the_time(constant_agent):
    space = spaces.Discrete(10**9)
    actions = actions_of(MixedPolicy(constant_agent, space, seed=0, random_share=0.2))
    assert np.mean(actions != -1) == pytest.approx(0.2, abs=0.02)
    drawn = actions[actions != -1]
    assert np.mean(drawn[1:] == drawn[:-1]) > 0.4, "held actions, not single ones"
    for share in (0, 1):
        actions = actions_of(MixedPolicy(constant_agent, space, 0, random_share=share), 1000)
        assert np.mean(actions != -1) == share


def test_how_long_an_agent_plays(constant_agent):
    """Random turns must not be so long that they end the game, nor the agent's so short."""
    actions = actions_of(MixedPolicy(constant_agent, spaces.Discrete(10**9), 0, random_share=0.1))
    lengths = np.diff(np.flatnonzero(np.diff((actions != -1).astype(int))))
    assert np.median(np.sort(lengths)[len(lengths) // 2 :]) > 20


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_share_out_of_range(tmp_path, share):
    with pytest.raises(ConfigError, match=rf"random_share: expected 0 to 1, got {share}"):
        record(BREAKOUT, 10, tmp_path, random_share=share)


# ---------------------------------------------------------------------------- agents on sprites


@pytest.fixture(scope="module")
def sprite_agent(pong_model, tmp_path_factory) -> Path:
    """Returns the file of an agent that was trained on Pong's sprites for a few steps."""
    out = tmp_path_factory.mktemp("runs") / "sprites"
    flags = ["--env=ALE/Pong-v5", f"--model={pong_model}", "--max-sprites=8", f"--out={out}"]
    tiny = ["--total-timesteps=32", "--num-envs=2", "--eval-every=0", "--ppo.n-steps=16"]
    train = [sys.executable, str(ROOT / "agents" / "train_ppo.py"), *flags, *tiny]
    subprocess.run([*train, "--ppo.batch-size=16"], check=True, capture_output=True)
    return out / "agent.zip"


def test_an_agent_on_sprites_is_recorded_as_frames(sprite_agent, pong_model, tmp_path):
    flags = ["--env=ALE/Pong-v5", f"--policy={sprite_agent}", f"--model={pong_model}"]
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        out = [f"--out={tmp_path / name}", f"--seed={seed}", "--frames=120"]
        assert main(["record", *flags, *out]) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert read_info(tmp_path / "a").policy == f"{sprite_agent}, random_share 0.1"
    (first,), (other,) = episodes(tmp_path / "a"), episodes(tmp_path / "c")
    assert not np.array_equal(first.actions, other.actions)
    with make_env("ALE/Pong-v5") as env:
        frame, _ = env.reset(seed=0)
        np.testing.assert_array_equal(frame, first.frames[0])
        for action, expected in zip(first.actions, first.frames[1:], strict=True):
            np.testing.assert_array_equal(env.step(action)[0], expected)


def test_an_agent_on_sprites_observes_what_it_was_trained_on(
    sprite_agent, pong_model, tmp_path, monkeypatch
):
    seen = []
    predict = PPO.predict

    def spy(self, observation, **kwargs):
        seen.append(observation)
        return predict(self, observation, **kwargs)

    def observe(env, max_sprites):
        return SpriteObservation(env, pong_model, max_sprites)

    monkeypatch.setattr(PPO, "predict", spy)
    choices = {"seed": 4, "policy": str(sprite_agent), "random_share": 0, "observe": observe}
    record("ALE/Pong-v5", 60, tmp_path, **choices)
    (episode,) = episodes(tmp_path)
    with SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=8) as env:
        observation, _ = env.reset(seed=4)
        for action, came in zip(episode.actions, seen, strict=True):
            for name in observation:
                np.testing.assert_array_equal(came[name], observation[name])
            observation, *_ = env.step(action)
    assert any(came["presence"].any() for came in seen)


def test_an_agent_on_sprites_without_a_model(sprite_agent, tmp_path):
    with pytest.raises(SpriteObsError, match=r"agent\.zip observes sprites, but .* --model"):
        record("ALE/Pong-v5", 10, tmp_path / "out", policy=str(sprite_agent))
    assert not (tmp_path / "out").exists()


def test_an_agent_on_sprites_with_another_model(sprite_agent, tiny_model, tmp_path, capsys):
    flags = ["--env=ALE/Pong-v5", f"--policy={sprite_agent}", f"--out={tmp_path / 'out'}"]
    assert main(["record", *flags, f"--model={tiny_model}"]) == 2
    assert "trained on other sprites" in capsys.readouterr().err
    assert main(["record", *flags, "--model=nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_agent_that_observes_other_frames(tmp_path, agents):
    expected = r"ppo\.zip observes a Box of shape \(3, 40, 36\), but .*frames are uint8 \(210, 160"
    with pytest.raises(SpriteObsError, match=expected):
        record(BREAKOUT, 10, tmp_path, policy=str(agents / "ppo.zip"))


def test_an_agent_of_flat_vectors(tmp_path):
    PPO("MlpPolicy", "CartPole-v1", n_steps=16, batch_size=16).save(tmp_path / "flat.zip")
    with pytest.raises(SpriteObsError, match=r"flat\.zip observes vectors of \(4,\) numbers; exp"):
        record(BREAKOUT, 10, tmp_path / "out", policy=str(tmp_path / "flat.zip"))


def test_agent_with_other_actions(tmp_path, agents):
    with pytest.raises(SpriteObsError, match=r"acts in Discrete\(3\).*expects Discrete\(2\)"):
        record("FakeLargeTwoActions-v0", 10, tmp_path, policy=str(agents / "ppo.zip"))


@pytest.mark.parametrize("content", [b"", b"no agent"])
def test_file_that_is_no_agent(tmp_path, content):
    (tmp_path / "agent.zip").write_bytes(content)
    with pytest.raises(SpriteObsError, match=r"agent\.zip does not load as one: BadZipFile"):
        record(BREAKOUT, 10, tmp_path / "out", policy=str(tmp_path / "agent.zip"))


def test_zip_file_that_is_no_agent(tmp_path):
    np.savez(tmp_path / "arrays.npz", frames=np.zeros(1))
    with pytest.raises(SpriteObsError, match=r"arrays\.npz does not load as one: KeyError"):
        record(BREAKOUT, 10, tmp_path / "out", policy=str(tmp_path / "arrays.npz"))
