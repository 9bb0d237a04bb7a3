"""Frames and settings that nothing can be learned with are refused before any work."""

import dataclasses

import numpy as np
import pytest
from scenes import make_scene
from small_runs import CPU, SMALL, config, random_config

from sprite_obs.config import ModelConfig, PretrainConfig, TrainConfig, from_dict
from sprite_obs.errors import ConfigError, RecordingError
from sprite_obs.frames.sources import Frames
from sprite_obs.pretrain.checks import check_config, check_frames
from sprite_obs.pretrain.pretrain import pretrain


def frames(count, height, width):
    images = np.zeros((count, height, width, 3), np.uint8)
    images[::2, :3, :3] = 200
    return Frames(images, np.zeros(count, np.int32), None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"encoder": "pyramid"}, "model.encoder: expected window .*, got 'pyramid'; or set"),
        ({"shifts": "crop"}, "model.shifts: expected shared .*, got 'crop'; or set"),
        ({"sprite_sizes": [8, 16]}, r"model.sprite_sizes: expected none .*, got \(8, 16\); or set"),
        (
            {"background": "scroll", "scroll_x": 4},
            "model.background: expected color or image .*, got 'scroll'; or set",
        ),
    ],
)
def test_what_cannot_start_from_counted_sprites_is_refused(tmp_path, model, message):
    settings = from_dict(PretrainConfig, SMALL | {"model": SMALL["model"] | model})
    frames = make_scene(50).frames()
    with pytest.raises(ConfigError, match=message):
        pretrain(frames, settings, tmp_path, CPU)
    assert not list(tmp_path.iterdir())


def test_too_few_frames(tmp_path):
    with pytest.raises(RecordingError, match="expected at least 50 frames to learn from, got 20"):
        pretrain(make_scene(20).frames(), config(), tmp_path, CPU)


@pytest.mark.parametrize(("height", "width"), [(6, 30), (30, 6), (1, 1)])
def test_frames_in_which_nothing_can_recur(tmp_path, height, width):
    small = frames(50, height, width)
    message = rf"at least 7 x 7 pixels .* got {width} x {height}; .*reassign_every to 0"
    with pytest.raises(RecordingError, match=message):
        pretrain(small, random_config(), tmp_path, CPU)
    assert not list(tmp_path.iterdir())
    pretrain(small, random_config(reassign_every=0, iterations=1), tmp_path, CPU)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (7, 20), (12, 9)])
def test_frames_smaller_than_a_canvas_do(tmp_path, height, width):
    pretrain(frames(50, height, width), random_config(), tmp_path, CPU)


def test_frames_without_pixels():
    with pytest.raises(RecordingError, match=r"at least 1 x 1 pixels .* got 4 x 0; .* ones$"):
        check_frames(frames(50, 0, 4), config())


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((50, 20, 20, 3), np.float32),
        np.zeros((50, 20, 20), np.uint8),
        np.zeros((50, 20, 20, 4), np.uint8),
    ],
    ids=lambda images: f"{images.dtype} {images.shape}",
)
def test_arrays_that_are_no_frames(tmp_path, images):
    given = Frames(images, np.zeros(50, np.int32), None)
    with pytest.raises(RecordingError, match=r"expected frames as uint8 \(N, H, W, 3\), got"):
        pretrain(given, random_config(), tmp_path, CPU)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"model": ModelConfig(background="picture")}, "model: background: .*got 'picture'"),
        ({"train": TrainConfig(init="guess")}, "train: init: .*got 'guess'"),
        (
            {"model": ModelConfig(sprite_size=16.0)},
            "sprite_size: expected int, got 16.0",
        ),
        ({"seed": 1.5}, "seed: expected int, got 1.5"),
    ],
)
def test_settings_made_in_python_are_checked_too(part, message):
    with pytest.raises(ConfigError, match=message):
        check_config(dataclasses.replace(PretrainConfig(), **part))
