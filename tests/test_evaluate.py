"""Lets trained agents play by the script in agents/ and checks its report."""

import json
import re

import cv2
import evaluate
import numpy as np
import pytest
from agent_scripts import error_of, read, run

from sprite_obs.errors import SpriteObsError


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
        "pixels": (pixel_run, (3 * 160, 3 * 210)),
    }[kind]
    flags = ["--agent", folder / "agent.zip", "--model", pong_model, "--episodes", 1]
    result = run("evaluate.py", *flags, "--deterministic", "--video", video)
    assert result.returncode == 0, result.stderr
    assert f"filmed an episode: {video}" in result.stderr
    capture = cv2.VideoCapture(str(video))
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == size
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) > 500
    assert [path.name for path in video.parent.iterdir()] == ["pong.mp4"]


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
        (["--agent", "run/agent.zip", "--video", "a" * 250 + ".mp4"], "cannot write a video"),
        (["--agent", "run/agent.zip", "--video", "film.avi"], r"ends in \.mp4, got film\.avi"),
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


def test_frames_of_another_game_are_joined_where_there_are_several(pixel_run):
    joins = {}
    for env in ("ALE/Breakout-v5", "PongNoFrameskip-v4"):
        args = evaluate.Args(str(pixel_run / "agent.zip"), env)
        joins[env] = evaluate.with_settings_of_training(args).join_frames
    assert joins == {"ALE/Breakout-v5": True, "PongNoFrameskip-v4": False}


def test_a_negative_seed_is_refused(pixel_run):
    with pytest.raises(SpriteObsError, match="expected --seed of at least 0, got -1"):
        evaluate.evaluate(evaluate.Args(str(pixel_run / "agent.zip"), seed=-1))
