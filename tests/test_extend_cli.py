"""Runs `sprite-obs pretrain --extend` from the shell on real frames, and in place."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.cli import main, parse_args
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder

SETTINGS = {
    "num_threads": 1,
    "model": {"sprite_size": 24, "code_dim": 16, "encoder_width": 32},
    "train": {"teach_iterations": 10, "iterations": 2, "batch_size": 2, "teach_batch_size": 32},
}
NUM_EARLY = 55  # before the ball is seen


@pytest.fixture(scope="module")
def folder(pong_recording, tmp_path_factory) -> Path:
    """Returns a folder with the beginning of a recording, the rest, and a model of the former."""
    folder = tmp_path_factory.mktemp("extend_cli")
    frames = read_frames(pong_recording).images[:, :128, 24:136]  # smaller is faster
    np.savez(folder / "early.npz", frames=frames[:NUM_EARLY])
    np.savez(folder / "late.npz", frames=frames[NUM_EARLY:])
    (folder / "settings.yaml").write_text(yaml.safe_dump(SETTINGS))
    flags = ["--config", str(folder / "settings.yaml"), "--out", str(folder / "old")]
    assert main(["pretrain", "--data", str(folder / "early.npz"), *flags]) == 0
    (folder / "old" / "types.yaml").write_text("something: [1]\n")
    return folder


def command(folder: Path, *flags: object) -> list[str]:
    data = "--data", folder / "late.npz", "--extend", folder / "old"
    return [str(part) for part in ("pretrain", *data, *flags)]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_model_of_the_beginning_is_extended_with_the_rest(folder):
    flags = command(folder, "--out", folder / "new", "--train.teach-iterations", 12)
    process = [sys.executable, "-m", "sprite_obs", *flags]
    result = subprocess.run(process, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    old, new = load_checkpoint(folder / "old"), load_checkpoint(folder / "new")
    num_new = len(new.sprites) - len(old.sprites), len(new.type_capacity) - len(old.type_capacity)
    assert min(num_new) > 0 and "12/12" in result.stderr
    said = f"learned {num_new[0]} new sprites of {num_new[1]} new types (max_sprites="
    assert result.stdout.startswith(said)
    names = {"model.safetensors", "model.json", "training.safetensors", "types.yaml"}
    assert files(folder / "new") == names | {"dictionary.png", "reconstruction.png"}
    assert (folder / "new" / "types.yaml").read_text() == "something: [1]\n"
    assert new.settings["train"]["teach_iterations"] == 10, "those of the model"
    assert new.settings["extended"][0]["teach_iterations"] == 12
    encoders = [FrozenEncoder(model, decoder="lookup") for model in (old, new)]
    late = read_frames(folder / "late.npz").images
    before, after = (encoder.explain(late)[1].mean() for encoder in encoders)
    assert after < 0.1 * before
    early = read_frames(folder / "early.npz").images
    (found, error), (again, _) = (encoder.explain(early) for encoder in encoders)
    explained = error[found.frame] == 0
    for one, other in zip(found, again.rows(error[again.frame] == 0), strict=True):
        assert np.array_equal(one[explained], other)


def test_a_model_is_extended_in_its_own_folder(folder, capsys):
    place = folder / "place"
    for source in (folder / "old").iterdir():
        place.mkdir(exist_ok=True)
        (place / source.name).write_bytes(source.read_bytes())
    flags = ["--extend", str(place), "--out", str(place)]
    assert main(["pretrain", "--data", str(folder / "late.npz"), *flags]) == 0
    assert load_checkpoint(place).former_sizes == [len(load_checkpoint(folder / "old").sprites)]
    assert (place / "types.yaml").read_text() == "something: [1]\n"
    kept = "model.safetensors", "types.yaml"
    for name in kept:
        assert (place / "previous" / name).read_bytes() == (folder / "old" / name).read_bytes()
    assert main(["pretrain", "--data", str(folder / "late.npz"), *flags, "--resume"]) == 2
    assert "nothing that the model does not know recurs" in capsys.readouterr().err


def test_settings_are_those_of_the_model_then_of_the_file_then_of_flags(folder):
    (folder / "more.yaml").write_text("train: {teach_iterations: 30, teach_batch_size: 16}\n")
    flags = "--config", folder / "more.yaml", "--train.teach-batch-size", 8, "--out", folder / "no"
    settings = parse_args(command(folder, *flags)).settings
    assert (settings.model.code_dim, settings.num_threads, settings.train.iterations) == (16, 1, 0)
    assert (settings.train.teach_iterations, settings.train.teach_batch_size) == (30, 8)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--model.code-dim", 64], "model.code_dim: expected 16, .*got 64; leave it out"),
        (["--config", "model.yaml"], "model.sprite_size: expected 24, .*got 48"),
        (["--config", "typo.yaml"], "unknown key .nothing."),
        (["--extend", "nowhere"], "no checkpoint at .*nowhere"),
        (["--resume"], "nothing to resume"),
    ],
)
def test_what_does_not_fit_is_one_line(folder, capsys, monkeypatch, flags, reason):
    monkeypatch.chdir(folder)
    Path("model.yaml").write_text("model: {sprite_size: 48}\n")
    Path("typo.yaml").write_text("nothing: {}\n")
    assert main(command(folder, "--out", folder / "refused", *flags)) == 2
    error = capsys.readouterr().err
    assert error.count("sprite-obs: error:") == 1
    assert re.search(reason, error)
