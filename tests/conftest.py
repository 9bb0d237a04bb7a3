"""Fixtures that several test files use."""

import signal
from pathlib import Path

import pytest
import torch
from agent_scripts import TINY, run
from pong_model import save_pong_model

from sprite_obs.config import PretrainConfig, TrainConfig
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames
from sprite_obs.pretrain.pretrain import pretrain

# A shell starts what runs in its background deaf to Ctrl-C, and so would be all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def pong_model(tmp_path_factory) -> Path:
    """Returns the folder of a checkpoint that knows Pong's ball and paddles."""
    return save_pong_model(tmp_path_factory.mktemp("models") / "pong")


@pytest.fixture(scope="session")
def pong_recording(tmp_path_factory) -> Path:
    """Returns the folder of a recording of 400 frames."""
    folder = tmp_path_factory.mktemp("recordings") / "pong"
    record("ALE/Pong-v5", 400, folder, seed=0)
    return folder


@pytest.fixture(scope="session")
def tiny_model(pong_recording, tmp_path_factory) -> Path:
    """Returns the folder of a checkpoint that was learned, in a hurry, from `pong_recording`."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    train = TrainConfig(teach_iterations=150, iterations=2, batch_size=2)
    config = PretrainConfig(num_threads=1, train=train)
    pretrain(read_frames(pong_recording), config, folder, torch.device("cpu"))
    return folder


@pytest.fixture(scope="session")
def sprite_run(pong_model, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "sprites"
    flags = ["--model", pong_model, "--max-sprites", 8, "--total-timesteps", 64, "--out", out]
    every = ["--eval-every", 64, "--eval-episodes", 1, "--checkpoint-every", 32]
    result = run("train_ppo.py", *flags, *every, *TINY)
    assert result.returncode == 0, result.stderr
    assert "trained 64 steps" in result.stdout
    assert "Warning: Training" not in result.stderr, "the bonus is for training alone"
    return out


@pytest.fixture(scope="session")
def pixel_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "pixels"
    flags = ["--obs", "pixels", "--total-timesteps", 32, "--out", out, "--eval-every", 0]
    result = run("train_ppo.py", *flags, *TINY)
    assert result.returncode == 0, result.stderr
    return out
