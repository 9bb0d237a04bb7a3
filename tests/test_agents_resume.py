"""Trainings that were interrupted."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import fake_frame_env  # noqa: F401  registers environments
import numpy as np
import ppo_settings
import pytest
import runs
import train_ppo
from agent_scripts import ROOT, TINY, error_of, read, run
from callbacks import build_callbacks
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from sprite_obs.envs.make import make_env


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_goes_on(ends, pong_model, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    flags = ["--model", pong_model, "--total-timesteps", 4096, "--out", out, "--eval-every", 0]
    command = [sys.executable, ROOT / "agents" / "train_ppo.py", *flags, *TINY]
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    progress = out / "progress.csv"
    while process.poll() is None and not (progress.exists() and progress.stat().st_size > 100):
        time.sleep(0.2)
    process.send_signal(ends)
    message = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert re.search(r"interrupted after \d+ steps; go on with --resume ", message)
    done = PPO.load(out / "interrupted.zip").num_timesteps
    assert 0 < done < 4096
    assert "holds an interrupted run" in error_of(train_ppo, monkeypatch, capsys, *flags)

    result = run("train_ppo.py", "--resume", out)
    assert result.returncode == 0, result.stderr
    agent = PPO.load(out / "agent.zip")
    assert 4096 <= agent.num_timesteps < 4096 + 2 * 16, "whole rollouts"
    assert agent.lr_schedule(0) == pytest.approx(1e-4)
    assert read(out / "result.json")["timesteps"] == agent.num_timesteps
    assert (out / f"progress-{done}.csv").exists() and progress.exists()
    assert not (out / "interrupted.zip").exists()
    steps = np.loadtxt(out / "episodes.csv", delimiter=",", skiprows=1, ndmin=2)[:, 0]
    assert len(steps) >= 2 and (np.diff(steps) >= 0).all() and steps[-1] <= agent.num_timesteps
    assert "is complete" in error_of(train_ppo, monkeypatch, capsys, "--resume", out)


def test_nothing_is_resumed_where_nothing_is(tmp_path, monkeypatch, capsys):
    error = error_of(train_ppo, monkeypatch, capsys, "--resume", tmp_path)
    assert "interrupted run" in error and "holds no agent" in error


def test_a_truncated_agent_is_not_resumed(sprite_run, tmp_path, monkeypatch, capsys):
    (tmp_path / "interrupted.zip").write_bytes((sprite_run / "agent.zip").read_bytes()[:1000])
    (tmp_path / "config.json").write_bytes((sprite_run / "config.json").read_bytes())
    error = error_of(train_ppo, monkeypatch, capsys, "--resume", tmp_path)
    assert "interrupted.zip is truncated" in error and "delete it" in error


def test_the_newest_agent_is_resumed(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    names = ["checkpoints/agent_900_steps.zip", "checkpoints/agent_1000_steps.zip"]
    for age, name in enumerate([*names, "interrupted.zip"]):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    assert runs.newest_agent(tmp_path).name == "interrupted.zip"
    os.utime(tmp_path / names[1], (9, 9))
    assert runs.newest_agent(tmp_path).name == "agent_1000_steps.zip"


def test_a_resumed_training_keeps_its_evaluations(sprite_run, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(sprite_run, out)
    (out / "agent.zip").rename(out / "interrupted.zip")
    settings = read(out / "config.json") | {"total_timesteps": 128}
    (out / "config.json").write_text(json.dumps(settings))
    best = (out / "best_model.zip").read_bytes()
    train_ppo.resume(out)
    with np.load(out / "evaluations.npz") as evaluations:
        assert evaluations["timesteps"].tolist() == [64, 128]
        first, second = evaluations["results"][:, 0]
    assert ((out / "best_model.zip").read_bytes() == best) == (second <= first)


def test_what_is_evaluated_again_is_not_kept_but_what_was_best_is(tmp_path):
    results = np.array([[1.0, 3.0], [9.0, 5.0], [2.0, 2.0]])
    times = {"timesteps": np.array([100, 200, 300]), "ep_lengths": np.full((3, 2), 50)}
    np.savez(tmp_path / "evaluations.npz", results=results, **times)
    args, env = ppo_settings.Args(), DummyVecEnv([lambda: make_env("FakeObserves-v0")])
    *_, evaluation = build_callbacks(args, tmp_path, env, num_steps=150)
    assert evaluation.evaluations_timesteps == [100]
    assert evaluation.evaluations_results == [[1, 3]]
    assert evaluation.evaluations_length == [[50, 50]]
    assert evaluation.best_mean_reward == 7
    *_, anew = build_callbacks(args, tmp_path, env)
    assert anew.evaluations_timesteps == [] and anew.best_mean_reward == -np.inf
