"""Frames with the noise and blur of compression: their background stays in one piece."""

import json
import pickle
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scenes import COLORS, make_scene
from small_runs import CPU, config

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from degraded import jpeg

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.cli import main
from sprite_obs.evaluate import evaluate
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.blur import settle, usual_colors
from sprite_obs.lookup.palette import Palette
from sprite_obs.pretrain.pretrain import pretrain

NUM_FRAMES = 60


@pytest.mark.parametrize(
    ("change", "is_background"),
    [
        ((20, 20, 20), True),
        ((21, 21, 21), False),
        ((-20, -20, -20), True),
        ((30, -15, 0), True),  # hardly brighter: colour that spills over an edge
        ((50, -25, 0), False),
        ((0, 0, 40), False),
        ((60, 0, 0), False),
    ],
)
def test_noise_in_brightness_and_more_of_it_in_colour_are_background(change, is_background):
    usual = np.full((3, 4, 3), 100, np.uint8)
    frame = usual.copy()
    frame[1, 2] = usual[1, 2].astype(int) + change
    out = np.ones((3, 4), np.uint8)
    settle(frame, usual, np.zeros((3, 4), np.uint8), out)
    assert (out[1, 2] == 0) == is_background
    assert out.sum() == out[1, 2], "what is as usual is background"


def test_usual_is_what_most_frames_show():
    frames = np.full((11, 4, 4, 3), 90, np.uint8)
    frames[:5, 1] = 200
    assert (usual_colors(frames) == 90).all()


@pytest.fixture(scope="module")
def frames() -> Frames:
    clean = make_scene(NUM_FRAMES).frames()
    return clean._replace(images=jpeg(90)(clean.images))


def test_only_inexact_palettes_with_a_still_background_settle(frames):
    clean = COLORS[make_scene(NUM_FRAMES).index]
    assert Palette.of_frames(clean, still=True).usual is None
    assert Palette.of_frames(frames.images).usual is None
    palette = Palette.of_frames(frames.images, still=True)
    assert palette.usual is not None and not palette.exact
    again = pickle.loads(pickle.dumps(palette))
    np.testing.assert_array_equal(again.index(frames.images), palette.index(frames.images))
    one_by_one = np.stack([palette.index(image) for image in frames.images])
    np.testing.assert_array_equal(one_by_one, palette.index(frames.images))


def test_compressed_frames_show_their_background(frames):
    scene = make_scene(NUM_FRAMES)
    behind = scene.index == scene.background
    palette = Palette.of_frames(frames.images, still=True)
    plain = Palette(palette.colors, exact=False)
    wrong = [
        (p.index(frames.images) != p.index(usual_colors(frames.images)))[behind].mean()
        for p in (plain, palette)
    ]
    assert wrong[1] < wrong[0] / 2


@pytest.fixture(scope="module")
def folder(frames, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("models") / "compressed"
    pretrain(frames, config(), out, CPU)
    return out


def test_a_model_of_compressed_frames_keeps_what_is_usual(folder, frames):
    checkpoint = load_checkpoint(folder)
    assert not checkpoint.exact_palette
    np.testing.assert_array_equal(checkpoint.tables.usual, usual_colors(frames.images))
    palette = FrozenEncoder(checkpoint, decoder="lookup").palette
    learned = Palette.of_frames(frames.images, checkpoint.settings["seed"], still=True)
    np.testing.assert_array_equal(palette.index(frames.images), learned.index(frames.images))


def test_evaluate_says_that_frames_were_compressed(folder, frames):
    figures = evaluate(load_checkpoint(folder), frames, "cpu")
    assert figures.exact_palette is False and figures.unknown_colors == 0
    assert any("compressed or scaled" in text for _, text in figures.to_rows())
    exact = replace(figures, exact_palette=True)
    assert not any(name == "colours" for name, _ in exact.to_rows())
    other = replace(exact, unknown_colors=0.25)
    assert ("colours", "25.0000 % of pixels in unknown") in [
        (name, text.split(" ones")[0]) for name, text in other.to_rows()
    ]


def test_pretrain_warns_of_compressed_frames(frames, tmp_path, capsys):
    np.savez(tmp_path / "frames.npz", frames=frames.images)
    (tmp_path / "tiny.json").write_text(
        json.dumps(asdict(config(teach_iterations=1, iterations=1)))
    )
    flags = ["--data", str(tmp_path / "frames.npz"), "--config", str(tmp_path / "tiny.json")]
    assert main(["pretrain", *flags, "--out", str(tmp_path / "model")]) == 0
    warning = capsys.readouterr().err.strip().splitlines()[-1]
    assert warning.startswith("warning: these frames hold more than 255 colours")
