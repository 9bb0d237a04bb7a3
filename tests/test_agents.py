"""Runs the scripts in agents/ by their command lines and checks what they write."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from stable_baselines3 import PPO

from sprite_obs.errors import SpriteObsError
from sprite_obs.extractors.attention import AttentionExtractor
from sprite_obs.extractors.deep_set import DeepSetExtractor
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.frozen import FrozenEncoder

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "agents"))

import environments  # noqa: E402
import evaluate  # noqa: E402
import run_settings  # noqa: E402
import runs  # noqa: E402
import train_ppo  # noqa: E402

TINY = ["--num-envs", "2", "--ppo.n-steps", "16", "--ppo.batch-size", "16", "--ppo.n-epochs", "1"]


def run(script: str, *flags: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "agents" / script, *flags]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd)


def read(path: Path) -> dict:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def sprite_run(pong_model, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "sprites"
    flags = ["--model", pong_model, "--max-sprites", 8, "--total-timesteps", 64, "--out", out]
    every = ["--eval-every", 64, "--eval-episodes", 1, "--checkpoint-every", 32]
    result = run("train_ppo.py", *flags, *every, *TINY)
    assert result.returncode == 0, result.stderr
    assert "trained 64 steps" in result.stdout
    assert "Warning: Training" not in result.stderr, "the bonus is for training alone"
    return out


@pytest.fixture(scope="module")
def pixel_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "pixels"
    flags = ["--obs", "pixels", "--total-timesteps", 32, "--out", out, "--eval-every", 0]
    result = run("train_ppo.py", *flags, *TINY)
    assert result.returncode == 0, result.stderr
    return out


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


def test_evaluation_reports_returns_and_seeds(sprite_run, pong_model, tmp_path):
    out = tmp_path / "results" / "agent.json"
    flags = ["--agent", sprite_run / "agent.zip", "--model", pong_model, "--episodes", 2]
    result = run("evaluate.py", *flags, "--seed", 7, "--out", out, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report == read(out)
    assert report["seeds"] == [7, 8] and report["deterministic"] is False
    assert all(-21 <= score <= 21 for score in report["returns"])
    assert report["mean"] == pytest.approx(np.mean(report["returns"]))
    assert report["std"] == pytest.approx(np.std(report["returns"]))


def test_an_episode_depends_on_its_own_seed_only(sprite_run, pong_model):
    flags = ["--agent", sprite_run / "agent.zip", "--model", pong_model]
    both = json.loads(run("evaluate.py", *flags, "--seed", 7, "--episodes", 2).stdout)
    second = json.loads(run("evaluate.py", *flags, "--seed", 8, "--episodes", 1).stdout)
    assert second["returns"] == both["returns"][1:]


@pytest.mark.parametrize("kind", ["sprites", "pixels"])
def test_the_video_shows_the_first_episode(kind, sprite_run, pixel_run, pong_model, tmp_path):
    video = tmp_path / "videos" / "pong.mp4"
    folder, size = {
        "sprites": (sprite_run, (2 * 480 + 230 + 4 * 12, 26 + 630 + 12)),  # frame, rebuilt, list
        "pixels": (pixel_run, (160, 210)),
    }[kind]
    flags = ["--agent", folder / "agent.zip", "--model", pong_model, "--episodes", 1]
    result = run("evaluate.py", *flags, "--deterministic", "--video", video)
    assert result.returncode == 0, result.stderr
    assert f"filmed an episode: {video}" in result.stderr
    capture = cv2.VideoCapture(str(video))
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == size
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) > 500
    assert [path.name for path in video.parent.iterdir()] == ["pong.mp4"]


def error_of(module, monkeypatch, capsys, *flags: object) -> str:
    """Runs a script in this process, which is faster, and returns its one line of complaint."""
    monkeypatch.setattr(sys, "argv", [module.__name__, *(str(flag) for flag in flags)])
    with pytest.raises(SystemExit) as stop:
        module.main()
    output = capsys.readouterr()
    assert stop.value.code == 2
    assert output.out == ""
    assert output.err.startswith("error: ") and output.err.count("\n") == 1
    return output.err


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
    presets = {name: run_settings.parse_args(["--preset", name]).ppo for name in ("fast", "best")}
    assert presets["fast"] == run_settings.parse_args([]).ppo
    best = presets["best"]
    assert (best.final_rate, best.n_steps, best.batch_size) == (0, 512, 1024)
    assert (best.visit_bonus, presets["fast"].visit_bonus) == (0.01, 0.3)
    short = {"final_rate": 0.1, "n_steps": 256, "batch_size": 512, "visit_bonus": 0.3}
    assert dataclasses.replace(best, **short) == presets["fast"]
    changed = run_settings.parse_args(["--preset", "best", "--ppo.n-steps", "64"])
    assert changed.preset == "best"
    assert changed.ppo == dataclasses.replace(best, n_steps=64)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--agent", "no.zip"], "no agent at no.zip"),
        (["--agent", "broken.zip"], "broken.zip is truncated or no agent"),
        (["--agent", "agent.zip"], "expected --env, for agent.zip has no config.json"),
        (["--agent", "agent.zip", "--env", "ALE/Pong-v5"], "--model .* got none"),
        (["--agent", "agent.zip", "--episodes", "0"], "--episodes of at least 1, got 0"),
        (["--agent", "agent.zip", "--num-envs", "0"], "--num-envs of at least 1, got 0"),
        (["--agent", "damaged/agent.zip"], "settings of a run in damaged/config.json"),
        (["--agent", "agent.zip", "--model", "pong", "--env", "ALE/Breakout-v5"], "learned on"),
        (["--agent", "pixels.zip", "--env", "ALE/Breakout-v5"], "other observations or actions"),
        (["--agent", "pixels.zip", "--obs", "ram"], "on pixels, .*; leave --obs ram out"),
        (["--agent", "run/agent.zip", "--video", "a" * 250], "cannot write a video"),
        (["--agent", "run/agent.zip", "--video", "pixels.zip/a.mp4"], "pixels.zip"),
        (["--agent", "run/agent.zip", "--out", "pixels.zip/a.json"], "pixels.zip"),
    ],
)
def test_evaluation_refuses_what_it_cannot_use(
    flags, message, sprite_run, pixel_run, pong_model, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.zip").write_bytes((sprite_run / "agent.zip").read_bytes()[:1000])
    (tmp_path / "agent.zip").symlink_to(sprite_run / "agent.zip")
    (tmp_path / "pixels.zip").symlink_to(pixel_run / "agent.zip")
    (tmp_path / "pong").symlink_to(pong_model)
    (tmp_path / "run").symlink_to(sprite_run)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "agent.zip").symlink_to(sprite_run / "agent.zip")
    (tmp_path / "damaged" / "config.json").write_text("{")
    assert re.search(message, error_of(evaluate, monkeypatch, capsys, *flags))


def test_evaluation_plays_as_it_was_trained(sprite_run):
    flags = ["--agent", sprite_run / "agent.zip", "--episodes", 1, "--deterministic"]
    report = json.loads(run("evaluate.py", *flags).stdout)
    config = read(sprite_run / "config.json")
    assert {key: report[key] for key in ("env", "model", "obs", "display")} == {
        "env": "ALE/Pong-v5",
        "model": config["model"],
        "obs": "objects",
        "display": False,
    }


def test_the_report_says_what_was_seen(pixel_run, sprite_run, monkeypatch):
    monkeypatch.setattr(evaluate, "play", lambda *_: [0.0])
    seen = []
    for folder, flags in (
        (pixel_run, {}),
        (pixel_run, {"env": "ALE/Pong-v5", "display": True}),
        (sprite_run, {"obs": "sprites", "display": True}),
    ):
        args = evaluate.Args(str(folder / "agent.zip"), episodes=1, **flags)
        report = evaluate.evaluate(args)
        seen.append((report["obs"], report["display"]))
    assert seen == [("pixels", None), ("pixels", None), ("sprites", True)]


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


def test_the_display_has_slots_only_if_asked_for():
    seen = []
    for display in (False, True):
        envs = environments.build_vec_env(
            "ALE/Pong-v5", "objects", "pong", 64, 1, 0, display=display
        )
        seen.append(envs.reset()["display"].any())
        envs.close()
    assert seen == [False, True]


def test_sprites_have_slots_of_their_own():
    counts = []
    for obs in ("objects", "sprites"):
        envs = environments.build_vec_env("ALE/Breakout-v5", obs, "breakout", 200, 1, 0)
        counts.append(envs.reset()["presence"].sum())
        envs.close()
    assert 0 < counts[0] < counts[1], "rows of bricks are objects"


def test_sprites_are_found_on_the_cpu_also_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    devices, load = [], FrozenEncoder.load

    def noted(path, device="cpu", decoder=None):
        devices.append(device)
        return load(path, device, decoder)

    monkeypatch.setattr(FrozenEncoder, "load", noted)
    environments.build_vec_env("ALE/Pong-v5", "objects", "pong", 8, 1, 0).close()
    assert devices == ["cpu"]


def test_an_unknown_observation_is_refused():
    with pytest.raises(SpriteObsError, match=r"'objects', 'sprites', 'pixels'.* got 'smells'"):
        environments.build_vec_env("ALE/Pong-v5", "smells", None, 8, 1, 0)


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
