"""Trains agents by the script in agents/ and checks what it writes."""

import dataclasses
import re

import numpy as np
import ppo_settings
import pytest
import train_ppo
from agent_scripts import TINY, error_of, read, run
from stable_baselines3 import PPO

from sprite_obs.extractors.attention import AttentionExtractor
from sprite_obs.extractors.deep_set import DeepSetExtractor
from sprite_obs.extractors.pairs import SpriteExtractor


def test_training_writes_settings_result_logs_and_agents(sprite_run):
    config = read(sprite_run / "config.json")
    assert config["env"] == "ALE/Pong-v5" and config["obs"] == "objects"
    assert config["ppo"]["n_steps"] == 16, "a flag"
    assert config["ppo"]["hidden_size"] == 128, "configs/ppo/fast.yaml"
    assert config["ppo"]["gamma"] == 0.99, "a default"
    result = read(sprite_run / "result.json")
    assert result["timesteps"] == 64 and result["steps_per_second"] > 0
    assert list(sprite_run.glob("events.out.tfevents*"))
    assert (
        "rollout/ep_rew_mean" in (sprite_run / "progress.csv").read_text()
        or "time/fps" in (sprite_run / "progress.csv").read_text()
    )
    with np.load(sprite_run / "evaluations.npz") as evaluations:
        assert evaluations["timesteps"].tolist() == [64]
        assert -21 <= evaluations["results"].item() <= 21
    checkpoints = sorted(path.name for path in (sprite_run / "checkpoints").iterdir())
    assert checkpoints == ["agent_32_steps.zip", "agent_64_steps.zip"]


def test_the_agent_is_built_as_configured(sprite_run):
    agent = PPO.load(sprite_run / "agent.zip")
    assert agent.num_timesteps == 64
    assert isinstance(agent.policy.features_extractor, SpriteExtractor)
    assert agent.observation_space["sprite"].shape == (8,)
    assert agent.policy.net_arch == [128, 128]
    assert agent.lr_schedule(1) == pytest.approx(1e-3)
    assert agent.lr_schedule(0) == pytest.approx(1e-4)


def test_pixels_are_sb3s_pipeline(pixel_run):
    agent = PPO.load(pixel_run / "agent.zip")
    assert agent.observation_space.shape == (4, 84, 84)
    assert read(pixel_run / "config.json")["ppo"]["clip_range"] == 0.1
    assert agent.clip_range(1) == 0.1


def test_the_same_seed_trains_the_same_agent_evaluated_or_not(sprite_run, pong_model, tmp_path):
    flags = ["--model", pong_model, "--max-sprites", 8, "--total-timesteps", 64, "--out", tmp_path]
    result = run("train_ppo.py", *flags, "--eval-every", 0, "--checkpoint-every", 0, *TINY)
    assert result.returncode == 0, result.stderr
    one, other = (PPO.load(folder / "agent.zip") for folder in (sprite_run, tmp_path))
    for first, second in zip(one.policy.parameters(), other.policy.parameters(), strict=True):
        assert first.equal(second)


def test_an_error_ends_in_one_line_and_exit_code_2(tmp_path):
    result = run("train_ppo.py", "--model", "nowhere", cwd=tmp_path)
    assert result.returncode == 2 and result.stdout == ""
    assert re.fullmatch("error: no checkpoint at nowhere.*\n", result.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--model .* got none"),
        (["--obs", "pixels", "--env", "ALE/Ping-v5"], "registered environment .* 'ALE/Ping-v5'"),
        (["--obs", "pixels", "--env", "CartPole-v1"], "Atari games only, got CartPole-v1"),
        (["--obs", "pixels", "--config", "no.yaml"], "no configuration file no.yaml"),
        (["--obs", "pixels", "--preset", "best"], "--preset best is for sprites"),
        (["--preset", "best", "--config", "a.yaml"], "--preset or --config, got best and a.yaml"),
        (["--obs", "pixels", "--device", "abacus"], "unknown device 'abacus'"),
        (["--obs", "pixels", "--num-envs", "0"], "expected --num-envs of at least 1, got 0"),
        (["--obs", "pixels", "--seed", "-1"], "--seed of at least 0 and at most 4294967295, got"),
        (["--obs", "pixels", "--eval-every", "-5"], "expected --eval-every of at least 0, got -5"),
        (["--obs", "pixels", "--eval-episodes", "0"], "--eval-episodes of at least 1, got 0"),
        (["--obs", "pixels", "--ppo.batch-size", "1"], "--ppo.batch-size of at least 2, got 1"),
        (["--obs", "pixels", "--ppo.gamma", "1.1"], "--ppo.gamma of at least 0 and at most 1, got"),
        (["--obs", "pixels", "--ppo.learning-rate", "nan"], "finite --ppo.learning-rate of at"),
        (["--ppo.num-pairs-slots", "-1"], "expected --ppo.num-pairs-slots of at least 0, got -1"),
        (["--num-envs", "1", "--ppo.n-steps", "1"], "rollouts of at least 2 steps"),
    ],
)
def test_training_refuses_what_it_cannot_use(flags, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert re.search(message, error_of(train_ppo, monkeypatch, capsys, *flags))
    assert list(tmp_path.iterdir()) == []


def test_training_refuses_a_model_of_another_game(pong_model, monkeypatch, capsys):
    flags = ["--env", "ALE/Breakout-v5", "--model", pong_model]
    error = error_of(train_ppo, monkeypatch, capsys, *flags)
    assert "ALE/Breakout-v5" in error and "learned on ALE/Pong-v5" in error


def test_training_keeps_an_agent_that_is_there(pixel_run, monkeypatch, capsys):
    error = error_of(train_ppo, monkeypatch, capsys, "--obs", "pixels", "--out", pixel_run)
    assert "holds a trained agent already" in error


def test_an_unknown_key_of_a_configuration_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "own.yaml").write_text("learning_rat: 0.1\n")
    flags = ["--obs", "pixels", "--config", tmp_path / "own.yaml"]
    assert "own.yaml: unknown key 'learning_rat'" in error_of(
        train_ppo, monkeypatch, capsys, *flags
    )


def test_presets_are_files_that_flags_override():
    presets = {name: ppo_settings.parse_args(["--preset", name]).ppo for name in ("fast", "best")}
    assert presets["fast"] == ppo_settings.parse_args([]).ppo
    best = presets["best"]
    assert (best.final_rate, best.n_steps, best.batch_size) == (0, 512, 1024)
    assert (best.visit_bonus, presets["fast"].visit_bonus) == (0.01, 0.3)
    short = {"final_rate": 0.1, "n_steps": 256, "batch_size": 512, "visit_bonus": 0.3}
    assert dataclasses.replace(best, **short) == presets["fast"]
    changed = ppo_settings.parse_args(["--preset", "best", "--ppo.n-steps", "64"])
    assert changed.preset == "best"
    assert changed.ppo == dataclasses.replace(best, n_steps=64)


@pytest.mark.parametrize(
    ("flags", "extractor"),
    [
        (["--obs", "sprites", "--ppo.features", "attention"], AttentionExtractor),
        (["--obs", "objects", "--ppo.features", "deep_set", "--display"], DeepSetExtractor),
    ],
)
def test_other_observations_and_features(flags, extractor, pong_model, tmp_path):
    sizes = ["--total-timesteps", 32, "--out", tmp_path, "--eval-every", 0]
    result = run("train_ppo.py", "--model", pong_model, *flags, *sizes, *TINY)
    assert result.returncode == 0, result.stderr
    agent = PPO.load(tmp_path / "agent.zip")
    assert isinstance(agent.policy.features_extractor, extractor)
