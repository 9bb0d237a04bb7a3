"""Pretraining on scenes with known sprites: what is learned, resumed, and refused."""

import dataclasses
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scenes import COLORS, drawings, make_scene, paint

from sprite_obs.checkpoint import load_checkpoint, load_tensors
from sprite_obs.cli import main
from sprite_obs.config import PretrainConfig, from_dict, to_dict
from sprite_obs.errors import CheckpointError, ConfigError, RecordingError, SpriteObsError
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.bank import to_canvases
from sprite_obs.lookup.palette import Palette
from sprite_obs.metrics.reconstruction import psnr
from sprite_obs.pretrain.pretrain import pretrain
from sprite_obs.pretrain.start import start_from_frames
from sprite_obs.pretrain.teach import WindowSampler
from sprite_obs.pretrain.windows import anchor_targets, collect_windows

CPU = torch.device("cpu")
SMALL = {
    "num_threads": 1,
    "model": {"sprite_size": 16, "code_dim": 16, "encoder_width": 32},
    "train": {"teach_iterations": 40, "iterations": 4, "batch_size": 2, "checkpoint_every": 5},
}


def config(width=32, **train):
    model = SMALL["model"] | {"encoder_width": width}
    return from_dict(PretrainConfig, SMALL | {"model": model, "train": SMALL["train"] | train})


def random_config(model=None, **train):
    """Everything that draws random numbers while training."""
    model = SMALL["model"] | {"num_sprites": 6, "background": "color"} | (model or {})
    eventful = {
        "init": "random",
        "iterations": 12,
        "batch_size": 2,
        "max_active": 40,
        "checkpoint_every": 5,
        "gumbel": 0.5,
        "overlap": "random",
        "straight_through_every": 2,
        "shift_warmup": 0.5,
        "reassign_every": 3,
    }
    return from_dict(PretrainConfig, SMALL | {"model": model, "train": eventful | train})


def small_frames(num_frames=60):
    """A part of the scene, for what takes long on whole frames."""
    frames = make_scene(num_frames).frames()
    return frames._replace(images=frames.images[:, 16:56, :64].copy())


STARTS = {
    "frames": (config(), make_scene(60).frames()),
    "random": (random_config(), small_frames()),
}


def windows_of(scene, settings):
    start = start_from_frames(scene.index, scene.frames().episode, settings)
    size = scene.index.shape[1:]
    targets = anchor_targets(start.seen, start.bank, len(scene.index), size, settings.model)
    rng = np.random.default_rng(0)
    return start, targets, collect_windows(scene.index, targets, 8, rng)


def test_anchor_targets_give_every_sprite_its_place_back():
    scene = make_scene(30)
    settings = config()
    start, targets, _ = windows_of(scene, settings)
    n, row, column, layer = np.nonzero(targets.sprite)
    assert len(n) == len(scene.truth)
    sprite = targets.sprite[n, row, column, layer] - 1
    shift = targets.shift[n, row, column, layer] - settings.model.max_shift
    corner = np.stack([column, row], 1) * 8 + 4 + shift - 8 + (16 - start.bank.sizes[sprite]) // 2
    place = {(f, x, y) for f, _, x, y in scene.truth.tolist()}
    assert {(int(f), int(x), int(y)) for f, (x, y) in zip(n, corner, strict=True)} == place
    assert np.abs(shift).max() <= settings.model.max_shift


def test_the_anchor_of_a_thin_sprite_at_the_border():
    scene = make_scene(30)
    index = scene.index.copy()
    settings = config()
    line = np.full((3, 1), 3, np.uint8)
    for n in range(30):
        index[n, 8:60, 90:] = 0
        paint(index[n], line, 95, 10 + n % 5)
    start = start_from_frames(index, scene.frames().episode, settings)
    targets = anchor_targets(start.seen, start.bank, 30, index.shape[1:], settings.model)
    thin = 1 + int(np.flatnonzero((start.bank.sizes == [1, 3]).all(1))[0])
    n, row, column, layer = np.nonzero(targets.sprite == thin)
    shift = targets.shift[n, row, column, layer, 0] - settings.model.max_shift
    assert len(n) == 30 and (column * 8 + 4 + shift - 8 + (16 - 1) // 2 == 95).all()


def test_windows_are_distinct_and_carry_the_pixels_around_their_anchor():
    scene = make_scene(60)
    _, targets, windows = windows_of(scene, config())
    flat = windows.pixels.reshape(len(windows.pixels), -1)
    assert len(np.unique(flat, axis=0)) == len(flat)
    assert windows.frequency.sum() == targets.known.size == 60 * 9 * 12
    corner = windows.pixels[(windows.pixels[:, :8] == 255).all((1, 2))]
    assert len(corner) and (windows.sprite > 0).any()


def test_sampler_draws_every_sprite_and_enough_nothing():
    scene = make_scene(60)
    start, _, windows = windows_of(scene, config())
    sampler = WindowSampler(windows, Palette(COLORS), CPU)
    batch = sampler.sample(3000, torch.Generator().manual_seed(0))
    shown = (batch.sprite > 0).any(1).float().mean()
    assert 0.45 < shown < 0.55
    counts = torch.bincount(batch.sprite[batch.sprite > 0])[1:]
    assert len(counts) == len(start.bank) and counts.min() > 0.7 * counts.max()
    assert batch.pixels.shape == (3000, 3, 24, 24) and batch.pixels.max() <= 1


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


@pytest.mark.parametrize(("start", "last", "saved"), [("frames", 42, 40), ("random", 6, 5)])
def test_a_killed_run_resumes_to_the_same_weights(tmp_path, start, last, saved):
    settings, frames = STARTS[start]
    steps = []
    whole = pretrain(
        frames, settings, tmp_path / "whole", CPU, report=lambda step, _: steps.append(step)
    )

    def stop(step, losses):
        if step == last:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(frames, settings, tmp_path / "cut", CPU, report=stop)
    again = []
    resumed = pretrain(
        frames, settings, tmp_path / "cut", CPU, True, lambda step, _: again.append(step)
    )
    assert again == steps[saved:] and len(again) > 1
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name
    for name in ("sprites", "background", "sprite_type", "type_capacity"):
        assert (getattr(whole, name) == getattr(resumed, name)).all()


def killed_after_the_first_state(command):
    """Runs a command, kills it once a state was written, and returns the steps of the state."""
    state = Path(command[-1]) / "training.safetensors"
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    return load_tensors(state)[1]["step"]


def test_a_sigkilled_command_resumes_to_the_same_files(tmp_path):
    np.savez(tmp_path / "frames.npz", frames=small_frames().images)
    settings = random_config(iterations=60, reassign_every=20)
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(to_dict(settings)))
    command = ["pretrain", "--data", str(tmp_path / "frames.npz"), "--device", "cpu"]
    command += ["--config", str(tmp_path / "settings.yaml"), "--out"]
    process = [sys.executable, "-m", "sprite_obs", *command, str(tmp_path / "cut")]
    assert 0 < killed_after_the_first_state(process) < 60
    subprocess.run([*process, "--resume"], check=True, capture_output=True)
    assert main([*command, str(tmp_path / "whole")]) == 0
    for name in ("model.safetensors", "training.safetensors", "dictionary.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


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


def scrolling(num_frames=60, reach=12, height=32, width=40):
    """Frames cut out of a wide texture, with a box somewhere: images, and what lies behind."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, len(COLORS), (height // 4, (width + reach) // 4), np.uint8)
    texture = texture.repeat(4, 0).repeat(4, 1)
    offset = rng.integers(0, reach + 1, num_frames)
    behind = np.stack([texture[:, left : left + width] for left in offset])
    index = behind.copy()
    for frame in index:
        paint(frame, drawings()[0], *rng.integers(0, (width - 8, height - 6)))
    return COLORS[index], COLORS[behind]


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
    with pytest.raises(CheckpointError, match=r"network .* scrolls, got lookup"):
        FrozenEncoder.load(tmp_path, decoder="lookup")


def test_resume_refuses_other_settings_and_missing_states(tmp_path):
    frames = make_scene(60).frames()
    with pytest.raises(
        CheckpointError, match=r"nothing to resume: .*training\.safetensors; start without"
    ):
        pretrain(frames, config(), tmp_path, CPU, resume=True)
    pretrain(frames, config(), tmp_path, CPU)
    with pytest.raises(CheckpointError, match=r"another config\.train\.batch_size;"):
        pretrain(frames, config(batch_size=3), tmp_path, CPU, resume=True)
    with pytest.raises(CheckpointError, match="started with another data;"):
        pretrain(make_scene(60, seed=3).frames(), config(), tmp_path, CPU, resume=True)


def test_too_few_frames(tmp_path):
    with pytest.raises(RecordingError, match="expected at least 50 frames to learn from, got 20"):
        pretrain(make_scene(20).frames(), config(), tmp_path, CPU)


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
