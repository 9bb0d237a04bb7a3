"""Fixtures that several test files use."""

import signal
from pathlib import Path

import pytest
import torch
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
