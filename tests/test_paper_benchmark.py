"""Runs benchmarks/paper.py in a tiny setting and checks its tables."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import paper
from synthetic.clip import read_video, tennis_clip, write_video
from synthetic.segmentation import choose_sprites, parse_sprites, write_segmentation
from synthetic.trial import CONFIGS, Trial

from sprite_obs.config import PretrainConfig, load_yaml
from sprite_obs.errors import ConfigError, RecordingError
from sprite_obs.frames.sources import read_frames
from sprite_obs.model.build import check_model_config

ROOT = Path(__file__).parent.parent
TINY = "--iterations", 2, "--frames", 60


def run(*flags: object) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "benchmarks" / "paper.py", *flags]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def table(text: str) -> list[dict[str, str]]:
    """Reads the Markdown table at the beginning of a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    header, _, *rows = [line.strip("| ").split(" | ") for line in lines]
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_random_start(tmp_path):
    out, folder = tmp_path / "table.md", tmp_path / "models"
    result = run("random-start", *TINY, "--folder", folder, "--out", out)
    assert result.returncode == 0, result.stderr
    assert out.read_text() == result.stdout
    published, ours = table(result.stdout)
    assert (published["PSNR hard, dB"], published["CPU, s"]) == ("17.7", "-")
    assert 0 <= int(ours["recovered, of 11"]) <= 11
    assert 5 < float(ours["PSNR hard, dB"]) < 40 and 5 < float(ours["PSNR soft, dB"]) < 40
    assert ours["sprites used"].endswith(" of 12") and float(ours["training, s"]) > 0
    assert float(ours["CPU, s"]) > 0
    pictures = [line.removeprefix("look at ") for line in result.stdout.splitlines()[5:]]
    assert [Path(file).name for file in pictures] == ["dictionary.png", "unseen.png"]
    assert all(cv2.imread(file) is not None for file in pictures)
    assert np.load(folder / "random-start_train.npz")["frames"].shape == (60, 64, 64, 3)
    assert np.load(folder / "random-start_test.npz")["frames"].shape == (6, 64, 64, 3)
    learned = (folder / "random-start" / "model.safetensors").stat().st_mtime_ns
    again = paper.random_start(paper.Args("random-start", folder, frames=60, iterations=2))
    assert again == result.stdout.rstrip("\n")
    assert (folder / "random-start" / "model.safetensors").stat().st_mtime_ns == learned


def test_figure9_with_a_video(tmp_path):
    video, folder = tmp_path / "own.mp4", tmp_path / "models"
    write_video(video, tennis_clip(60, 0).images)
    flags = {"folder": folder, "video": video, "frames": 60, "iterations": 1}
    (row,) = table(paper.figure9(paper.Args("figure9", **flags, sprites="1,2")))
    assert (row["video"], row["sprites chosen"]) == ("own.mp4", "2")
    assert row["IoU of the segment"] == "-", "the truth is not known"
    segmentation = folder / "figure9-own" / "segmentation.png"
    assert cv2.imread(str(segmentation)).shape == (2 * 2 * 128, 4 * 2 * 160, 3)
    with pytest.raises(ConfigError, match="expected ids from 1 to 50"):
        paper.figure9(paper.Args("figure9", **flags, sprites="51"))


def test_every_experiment_can_be_named():
    assert set(paper.EXPERIMENTS) == set(get_args(paper.Experiment))


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_configurations(file):
    config = load_yaml(PretrainConfig, file)
    check_model_config(config.model)
    assert config.train.init == "random"


def test_configurations_are_used(tmp_path, monkeypatch):
    """Runs all experiments without learning, to see which configurations they ask for."""
    asked = set()

    def fake(config: str, *_: object) -> Trial:
        asked.add(config)
        raise InterruptedError

    def fake_recorded(*_: object) -> np.ndarray:
        return np.zeros((2, 210, 160, 3), np.uint8)

    monkeypatch.setattr(paper, "run_trial", fake)
    monkeypatch.setattr(paper, "_recorded", fake_recorded)
    for name, experiment in paper.EXPERIMENTS.items():
        with pytest.raises(InterruptedError):
            experiment(paper.Args(name, tmp_path, frames=20))
    assert asked <= {file.stem for file in CONFIGS.glob("*.yaml")} and len(asked) == 7


def test_segmentation(tmp_path):
    shown = np.array([[[0, 1, 1, 2], [3, 3, 1, 0]]], np.int32)
    masks = np.array([[[1, 1, 1, 0], [1, 0, 0, 1]]], bool)
    assert choose_sprites(shown, masks).tolist() == [1]
    assert choose_sprites(shown, masks & False).tolist() == []
    images = np.full((5, 32, 48, 3), 200, np.uint8)
    cut = np.zeros(images.shape[:3], bool)
    cut[:, 8:16] = True
    video, picture = write_segmentation(tmp_path, images, cut)
    assert read_frames(video).images.shape == (5, 32, 96, 3)
    shown_picture = cv2.imread(str(picture))
    assert shown_picture.shape == (128, 384, 3)
    assert (shown_picture[64 + 16 : 64 + 32] == 200).all() and (shown_picture[64:80] == 50).all()


@pytest.mark.parametrize("sprites", ["0", "2,9", "a", "1,", "-1"])
def test_sprites_that_do_not_exist(sprites):
    with pytest.raises(ConfigError, match="sprites: expected ids from 1 to 8"):
        parse_sprites(sprites, 8)
    assert parse_sprites("3,8", 8).tolist() == [3, 8]


def test_videos_are_scaled_down(tmp_path):
    large = np.full((8, 256, 512, 3), 90, np.uint8)
    write_video(tmp_path / "large.mp4", large)
    assert read_video(tmp_path / "large.mp4", 5).shape == (5, 128, 256, 3)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(RecordingError, match="expected a video that OpenCV reads"):
        read_video(tmp_path / "text.mp4", 5)
