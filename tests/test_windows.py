"""What the encoder is taught: where counted sprites are, and the distinct windows around them."""

import numpy as np
import torch
from scenes import COLORS, make_scene, paint
from small_runs import CPU, config

from sprite_obs.lookup.palette import Palette
from sprite_obs.pretrain.start import start_from_frames
from sprite_obs.pretrain.teach import WindowSampler
from sprite_obs.pretrain.windows import anchor_targets, collect_windows


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
