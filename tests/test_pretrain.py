"""Pretraining on scenes with known sprites: what is learned, and what makes a difference."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from scenes import COLORS, make_scene
from small_runs import CPU, SMALL, STARTS, config, random_config, scrolling, small_frames

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.config import PretrainConfig, from_dict
from sprite_obs.errors import CheckpointError, SpriteObsError
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.bank import to_canvases
from sprite_obs.lookup.palette import Palette
from sprite_obs.metrics.reconstruction import psnr
from sprite_obs.model.background import kmeans_color
from sprite_obs.model.scroll import stitch
from sprite_obs.pretrain.pretrain import pretrain
from sprite_obs.pretrain.start import start_from_frames


def test_learns_the_sprites_exactly_and_teaches_the_network(tmp_path):
    scene = make_scene(150)
    losses = []
    checkpoint = pretrain(
        scene.frames(),
        config(width=64, teach_iterations=600, iterations=10),
        tmp_path,
        CPU,
        report=lambda step, parts: losses.append(parts),
    )
    assert checkpoint.decoder == "lookup" and len(checkpoint.sprites) == 3
    start = start_from_frames(scene.index, scene.frames().episode, config())
    palette = Palette(COLORS)
    assert (checkpoint.sprites == to_canvases(start.bank, palette, 16)).all()
    assert (checkpoint.background == COLORS[scene.background]).all()
    unseen = make_scene(50, seed=7)
    images = COLORS[unseen.index]
    exact = FrozenEncoder.load(tmp_path)
    assert (exact.rebuild(images) == images).all()
    network = FrozenEncoder.load(tmp_path, decoder="network")
    found = network.encode(images)
    places = {(f, x, y) for f, _, x, y in unseen.truth.tolist()}
    hits = [
        (n, x, y) in places
        for n, (x, y, _, _) in zip(found.frame.tolist(), found.box.tolist(), strict=True)
    ]
    assert np.mean(hits) > 0.8 and sum(hits) > 0.8 * len(places)
    assert losses[-1]["teaching"] < 0.3 * losses[0]["teaching"]
    assert losses[-1]["reconstruction"] < 0.01


@pytest.mark.parametrize("background", ["color", "image"])
def test_random_start_lowers_the_loss(tmp_path, background):
    settings = from_dict(
        PretrainConfig,
        SMALL
        | {
            "model": SMALL["model"] | {"num_sprites": 6, "background": background},
            "train": {"init": "random", "iterations": 60, "batch_size": 8, "max_active": 40},
        },
    )
    losses = []
    checkpoint = pretrain(
        make_scene(80).frames(),
        settings,
        tmp_path,
        CPU,
        report=lambda _, parts: losses.append(parts),
    )
    first, last = (
        np.mean([parts["reconstruction"] for parts in some]) for some in (losses[:4], losses[-4:])
    )
    assert last < 0.7 * first
    assert checkpoint.sprites.shape == (6, 16, 16, 4)


def untrained_background(folder, images, model):
    settings = random_config(model, iterations=0)
    frames = Frames(images, np.zeros(len(images), np.int32), None)
    return pretrain(frames, settings, folder, CPU).model.background


def test_a_learned_background_starts_from_the_median(tmp_path):
    images = small_frames().images
    images[:29, :4, :4] = 255  # in less than half of the frames
    images[:31, -4:, -4:] = 255
    shown = untrained_background(tmp_path, images, {"background": "image"})().detach()
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    assert torch.equal(shown, tensor.median(0).values)
    assert shown[:, :4, :4].max() < 1 and shown[:, -4:, -4:].min() == 1


def test_a_solid_background_starts_from_the_commonest_colour(tmp_path):
    images = small_frames().images
    shown = untrained_background(tmp_path, images, {"background": "color"}).color
    assert torch.equal(shown, kmeans_color(images, seed=0))


def test_a_scrolling_background_starts_from_stitched_frames(tmp_path):
    images, _ = scrolling()
    shown = untrained_background(tmp_path, images, {"background": "scroll", "scroll_x": 12})
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    assert torch.equal(shown.whole().detach(), stitch(tensor, (0, 12)))


@pytest.mark.parametrize("start", STARTS)
def test_same_seed_same_weights(tmp_path, start):
    settings, frames = STARTS[start]
    one, two = (pretrain(frames, settings, tmp_path / name, CPU) for name in "ab")
    other = pretrain(
        frames, dataclasses.replace(settings, seed=1), tmp_path / "c", CPU
    ).model.state_dict()
    for name, value in one.model.state_dict().items():
        assert torch.equal(value, two.model.state_dict()[name])
    assert not torch.equal(one.model.dictionary.latents, other["dictionary.latents"])


def weights_after(folder, **train):
    settings = random_config(**{"iterations": 6, "reassign_every": 0} | train)
    return pretrain(small_frames(50), settings, folder, CPU).model.state_dict()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return weights_after(tmp_path_factory.mktemp("weights"))


@pytest.mark.parametrize(
    "change",
    [
        {"gumbel": 0.0},
        {"overlap": "average"},
        {"straight_through_every": 0},
        {"dream_weight": 0.0},
        {"reassign_every": 2},
        {"shift_warmup": 0.0},
        {"usage_weight": 0.5},
        {"presence_weight": 0.1},
        {"beta_weight": 0.01},
        {"schedule": "constant"},
        {"max_gradient_norm": 0.1},
        {"max_active": 10},
    ],
    ids=str,
)
def test_every_setting_makes_a_difference(tmp_path, weights, change):
    """Or the tests about resuming and seeds would say nothing about it."""
    changed = weights_after(tmp_path, **change)
    assert not torch.equal(changed["encoder.heads.weight"], weights["encoder.heads.weight"])


@pytest.mark.parametrize("start", STARTS)
def test_bf16_learns_nearly_the_same(tmp_path, start):
    settings, frames = STARTS[start]
    curves = []
    for precision in ("32", "bf16"):
        short = {"precision": precision, "teach_iterations": 5, "iterations": 5}
        train = dataclasses.replace(settings.train, **short)
        settings = dataclasses.replace(settings, train=train)
        curves.append([])
        report = lambda _, parts: curves[-1].append(sum(parts.values()))  # noqa: E731
        pretrain(frames, settings, tmp_path / precision, CPU, report=report)
    exact, rounded = curves
    assert all(map(math.isfinite, rounded)) and rounded != exact
    assert rounded[0] == pytest.approx(exact[0], rel=0.01)


def test_a_scrolling_background_is_learned_and_found(tmp_path):
    images, behind = scrolling()
    settings = random_config(
        {"num_sprites": 2, "background": "scroll", "scroll_x": 12},
        iterations=120,
        batch_size=8,
        max_active=10,
        reassign_every=60,
    )
    frames = Frames(images, np.zeros(len(images), np.int32), None)
    assert pretrain(frames, settings, tmp_path, CPU).decoder == "network"
    encoder = FrozenEncoder.load(tmp_path)
    assert encoder.decoder == "network"
    assert psnr(behind, encoder.backgrounds(images)) > 25
    with pytest.raises(CheckpointError, match=r"network .* background scroll, .* got lookup"):
        FrozenEncoder.load(tmp_path, decoder="lookup")


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path):
    with pytest.raises(
        SpriteObsError, match=r"no longer a number at step \d+: .*nan.*; lower train"
    ):
        pretrain(make_scene(60).frames(), config(learning_rate=1e30), tmp_path, CPU)


def test_checkpoint_says_how_it_was_made(tmp_path):
    pretrain(make_scene(60).frames(), config(), tmp_path, CPU)
    settings = load_checkpoint(tmp_path).settings
    assert settings["num_frames"] == 60
    assert settings["train"]["teach_iterations"] == 40
