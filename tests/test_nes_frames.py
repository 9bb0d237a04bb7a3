"""What is learned from real NES frames that scroll, compared with the console's sprite table."""

import numpy as np
import pytest
import torch
from homebrew_game import write_game
from nes import camera_right, play_unseen

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.config import PretrainConfig, TrainConfig
from sprite_obs.envs.make import make_env
from sprite_obs.evaluate import examine
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames
from sprite_obs.metrics.ground_truth import read_ground_truth
from sprite_obs.pretrain.pretrain import pretrain
from sprite_obs.wrapper import SpriteObservation


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Returns the game's settings and the folder of a model, learned in a hurry from 700 frames."""
    folder = tmp_path_factory.mktemp("nes")
    game = write_game(folder)
    record(str(game), 700, folder / "recording", seed=0)
    config = PretrainConfig(
        num_threads=1, train=TrainConfig(teach_iterations=20, iterations=1, batch_size=1)
    )
    pretrain(read_frames(folder / "recording"), config, folder / "model", torch.device("cpu"))
    return game, folder / "model"


def test_actors_are_found_where_the_console_draws_them(learned, tmp_path):
    game, model = learned
    unseen, cameras = play_unseen(game, tmp_path / "unseen.npz", 60, seed=1)
    frames, truth = read_frames(unseen), read_ground_truth(unseen)
    figures = examine(load_checkpoint(model), frames, "cpu", "lookup", truth, {}).figures
    assert len(np.unique(cameras)) > 5  # it scrolled
    assert figures.detection["moving"].overlap.f1 >= 0.9
    assert figures.exact_pixels >= 0.99
    assert float(camera_right(model, unseen, cameras)) == 100


def test_positions_on_the_screen_and_in_the_world(learned):
    game, model = learned
    with SpriteObservation(make_env(str(game)), model, max_sprites=64) as env:
        _, info = env.reset(seed=0)
        first = info["camera"], info["camera_x"]
        for _ in range(10):
            _, _, _, _, info = env.step(1)
    assert info["camera_x"] > first[1]
    assert info["camera"][0] - first[0][0] == info["camera_x"] - first[1]
