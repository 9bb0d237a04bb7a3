"""Runs the commands from the shell, one after the other on the same files, and checks the files."""

import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.cli import Pretrain, main, parse_args
from sprite_obs.config import PretrainConfig
from sprite_obs.evaluate import _decibels, _percent
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.objects.tracker import track_ids

ROOT = Path(__file__).parent.parent
SETTINGS = {
    "num_threads": 1,
    "model": {"sprite_size": 24, "code_dim": 16, "encoder_width": 32},
    "train": {"teach_iterations": 20, "iterations": 2, "batch_size": 2, "teach_batch_size": 32},
}
SPRITE_OBS = sys.executable, "-m", "sprite_obs"
NUM_FRAMES = 200


def run(*flags: object) -> subprocess.CompletedProcess:
    command = [str(part) for part in (*SPRITE_OBS, *flags)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Returns a folder in which all commands have run."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "settings.yaml").write_text(yaml.safe_dump(SETTINGS))
    return folder


@pytest.fixture(scope="module")
def recording(folder) -> Path:
    out = folder / "recordings" / "pong"
    result = run("record", "--env", "ALE/Pong-v5", "--frames", NUM_FRAMES, "--out", out)
    assert result.stdout.startswith(f"recorded {NUM_FRAMES} frames in 1 episodes")
    assert f"{NUM_FRAMES}/{NUM_FRAMES}" in result.stderr, "a progress bar"
    return out


@pytest.fixture(scope="module")
def model(folder, recording) -> Path:
    out = folder / "models" / "pong"
    files = "--data", recording, "--out", out, "--config", folder / "settings.yaml"
    result = run("pretrain", *files, "--train.iterations", 1, "--seed", 3)
    assert "21/21" in result.stderr and "teaching=" in result.stderr, "a progress bar with losses"
    num_sprites = len(load_checkpoint(out).sprites)
    assert result.stdout.startswith(f"learned {num_sprites} sprites of ")
    return out


def test_record_takes_seed_and_policy(recording, tmp_path):
    flags = ["--env", "ALE/Pong-v5", "--frames", "30", "--policy", "random", "--seed", "7"]
    assert main(["record", *flags, "--out", str(tmp_path / "pong")]) == 0
    info = json.loads((tmp_path / "pong" / "recording.json").read_text())
    assert (info["policy"], info["seed"], info["num_frames"]) == ("random", 7, 30)
    info = json.loads((recording / "recording.json").read_text())
    assert (info["policy"], info["seed"], info["num_frames"]) == ("sticky", 0, NUM_FRAMES)


def test_pretrain_takes_defaults_then_file_then_flags(model):
    settings = json.loads((model / "model.json").read_text())
    assert settings["seed"] == 3, "a flag"
    assert settings["train"]["iterations"] == 1, "a flag, against the file"
    assert settings["train"]["teach_iterations"] == 20, "the file"
    assert settings["train"]["beta_weight"] == PretrainConfig().train.beta_weight, "a default"


def test_pretrain_writes_checkpoint_and_pictures(model, recording):
    names = {path.name for path in model.iterdir()}
    pictures = {"dictionary.png", "reconstruction.png"}
    assert names == {"model.safetensors", "model.json", "training.safetensors", *pictures}
    checkpoint = load_checkpoint(model)
    assert checkpoint.env_id == "ALE/Pong-v5"
    sheet = cv2.imread(str(model / "dictionary.png"), cv2.IMREAD_COLOR_RGB)
    for sprite in checkpoint.sprites:
        color = sprite[sprite[..., 3] == 255][0, :3]
        assert (sheet == color).all(-1).any()
    comparison = cv2.imread(str(model / "reconstruction.png"), cv2.IMREAD_COLOR_RGB)
    assert comparison.shape[0] > 3 * 210 and comparison.shape[1] > 4 * 160
    board = read_frames(recording).images[100, 100, 80]
    assert (comparison == board).all(-1).mean() > 0.3


def same_objects(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two numberings group the rows alike; the numbers as such mean nothing."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def check_table(path, model, recording, decoder) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        table = dict(file)
    frames = read_frames(recording)
    images = frames.images
    encoder = FrozenEncoder.load(model, decoder=decoder)
    expected = encoder.in_view(encoder.encode(images)).clipped(images.shape[1:3])
    columns = {"frame": expected.frame, "id": expected.type, "layer": expected.layer}
    columns |= {"sprite": expected.sprite, "score": expected.score}
    columns |= dict(zip("xywh", expected.box.T, strict=True))
    columns["display"] = encoder.is_display(expected)
    columns["track"] = track_ids(expected, frames.episode)
    assert table.keys() == columns.keys() | {"object"}
    assert same_objects(table.pop("object"), expected.object)
    for name, array in columns.items():
        np.testing.assert_array_equal(table[name], array, name)
        assert table[name].dtype == array.dtype
    return table


def test_detect_writes_flat_arrays_in_frame_order(model, recording, folder):
    out = folder / "predictions" / "pong.npz"
    result = run("detect", "--model", model, "--data", recording, "--out", out)
    table = check_table(out, model, recording, decoder=None)
    assert result.stdout == f"found {len(table['frame'])} sprites: {out}\n"
    assert (np.diff(table["frame"]) >= 0).all()
    assert len(set(table["frame"].tolist())) == NUM_FRAMES, "more than one piece of frames"
    assert ((table["id"] == 0) == (table["sprite"] == 0)).all()
    assert (table["x"] + table["w"] <= 160).all() and (table["w"] > 0).all()


def test_detect_with_the_other_decoder(tiny_model, pong_recording, tmp_path):
    files = ["--data", str(pong_recording), "--out", str(tmp_path / "out.npz")]
    assert main(["detect", "--model", str(tiny_model), *files, "--decoder", "network"]) == 0
    check_table(tmp_path / "out.npz", tiny_model, pong_recording, decoder="network")


def test_evaluate_shows_and_writes_figures(model, recording, folder):
    out = folder / "evaluations" / "pong.json"
    result = run("evaluate", "--model", model, "--data", recording, "--out", out)
    figures = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert figures["num_frames"] == figures["num_soft_frames"] == NUM_FRAMES
    images = read_frames(recording).images
    encoder = FrozenEncoder.load(model)
    found = encoder.encode(images)
    rebuilt = encoder.reconstruct(found, encoder.backgrounds(images))
    exact = (rebuilt == images).all(-1)
    mean_square = ((rebuilt.astype(float) - images) ** 2).mean()
    hard = 10 * math.log10(255**2 / mean_square) if mean_square else math.inf
    assert float(figures["psnr_hard"]) == pytest.approx(hard)
    assert 10 < figures["psnr_soft"] < 60
    assert figures["exact_pixels"] == pytest.approx(exact.mean())
    assert figures["exact_frames"] == pytest.approx(exact.all((1, 2)).mean())
    assert figures["num_sprites"] == encoder.num_sprites
    assert figures["num_sprites_used"] == len(set(found.sprite.tolist()) - {0})
    assert figures["sprites_per_frame"] == pytest.approx((found.sprite > 0).sum() / NUM_FRAMES)
    assert figures["unknown_per_frame"] == pytest.approx((found.sprite == 0).sum() / NUM_FRAMES)
    assert figures["frames_per_second"] > 0 and figures["decoder"] == encoder.decoder
    for text in ("PSNR, soft", "PSNR, hard", "pixel-exact frames", f"of {encoder.num_sprites}"):
        assert text in result.stdout


def test_evaluate_samples_long_recordings_for_the_soft_figure(
    tiny_model, pong_recording, monkeypatch, capsys
):
    monkeypatch.setattr("sprite_obs.evaluate.MAX_SOFT_FRAMES", 10)
    assert main(["evaluate", "--model", str(tiny_model), "--data", str(pong_recording)]) == 0
    shown = capsys.readouterr().out
    assert "PSNR, soft (10 frames)" in shown and "400" in shown


def test_figures_are_exact_only_where_nothing_differs():
    assert _percent(1) == "100.0000 %" and _percent(1 - 1e-9) == "99.9999 %"
    assert _percent(0.29) == "29.0000 %"
    assert _decibels(math.inf) == "exact" and _decibels(38.456) == "38.46 dB"


def test_evaluate_with_the_other_decoder(tiny_model, pong_recording, tmp_path):
    images = read_frames(pong_recording).images[:5]
    np.savez_compressed(tmp_path / "frames.npz", frames=images)
    files = ["--data", str(tmp_path / "frames.npz"), "--out", str(tmp_path / "eval.json")]
    for decoder in ("lookup", "network"):
        flags = ["--model", str(tiny_model), *files, "--decoder", decoder]
        assert main(["evaluate", *flags]) == 0
        figures = json.loads((tmp_path / "eval.json").read_text())
        found = FrozenEncoder.load(tiny_model, decoder=decoder).encode(images)
        assert figures["decoder"] == decoder
        assert figures["sprites_per_frame"] == (found.sprite > 0).sum() / 5


def test_data_of_other_kinds(model, recording, tmp_path):
    images = read_frames(recording).images[:60]
    np.savez_compressed(tmp_path / "frames.npz", frames=images)
    (tmp_path / "pngs").mkdir()
    for index, image in enumerate(images):
        name = str(tmp_path / "pngs" / f"{index:03d}.png")
        cv2.imwrite(name, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    tables = []
    for data in ("frames.npz", "pngs"):
        files = ["--data", str(tmp_path / data), "--out", str(tmp_path / "out.npz")]
        assert main(["detect", "--model", str(model), *files]) == 0
        with np.load(tmp_path / "out.npz") as file:
            tables.append(dict(file))
    for name, array in tables[0].items():
        np.testing.assert_array_equal(array, tables[1][name])


def test_training_again_keeps_the_previous_model(folder, recording, tmp_path, capsys):
    config, out = str(folder / "settings.yaml"), tmp_path / "model"
    flags = ["--data", str(recording), "--config", config, "--out", str(out)]
    flags += ["--train.teach-iterations", "2", "--train.iterations", "0"]
    assert main(["pretrain", *flags]) == 0
    assert not (out / "previous").exists()
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    capsys.readouterr()
    assert main(["pretrain", *flags, "--seed", "1"]) == 0
    assert f"kept what {out} held in {out / 'previous'}" in capsys.readouterr().err
    kept = {path.name: path.read_bytes() for path in (out / "previous").iterdir()}
    assert kept == first
    assert load_checkpoint(out).settings["seed"] == 1
    again = (out / "model.safetensors").read_bytes()
    assert main(["pretrain", *flags, "--seed", "1", "--resume"]) == 0, "there is nothing left to do"
    assert (out / "model.safetensors").read_bytes() == again
    assert (out / "previous" / "model.safetensors").read_bytes() == first["model.safetensors"]
    assert main(["pretrain", *flags, "--model.encoder", "pyramid"]) == 2, "not with counted sprites"
    assert (out / "previous" / "model.safetensors").read_bytes() == first["model.safetensors"]


def interrupted(started: Path, *flags: object) -> tuple[int, str]:
    """Runs a command until a file exists, presses Ctrl-C, and returns exit code and last line."""
    command = [str(part) for part in (*SPRITE_OBS, *flags)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        deadline = time.monotonic() + 120
        while not started.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    return process.returncode, errors.splitlines()[-1]


def test_ctrl_c_while_recording(tmp_path):
    out = tmp_path / "pong"
    files = "--env", "ALE/Pong-v5", "--out", out
    code, line = interrupted(out / "recording.json", "record", *files, "--frames", 10**7)
    assert code == 130
    assert line.startswith("sprite-obs: error: interrupted;") and "whole episodes" in line
    assert len(read_frames(out).images) > 0


def test_ctrl_c_while_training(folder, recording, tmp_path):
    out = tmp_path / "model"
    files = "--data", recording, "--out", out, "--config", folder / "settings.yaml"
    steps = "--train.teach-iterations", 10**6, "--train.checkpoint-every", 5
    code, line = interrupted(out / "training.safetensors", "pretrain", *files, *steps)
    assert code == 130
    assert line == ("sprite-obs: error: interrupted; go on with the same command and --resume")
    assert {path.name for path in out.iterdir()} == {"training.safetensors"}


def test_every_setting_is_a_flag():
    given = parse_args(["pretrain", "--data", "a", "--out", "b", "--model.code-dim", "32"])
    assert isinstance(given, Pretrain)
    assert given.settings.model.code_dim == 32
    assert given.settings.train == PretrainConfig().train
    assert (given.data, given.out, given.device) == (Path("a"), Path("b"), "auto")


@pytest.mark.parametrize(
    "command", [(), ("record",), ("pretrain",), ("detect",), ("evaluate",), ("sheet",)]
)
def test_help(command, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main([*command, "--help"])
    assert exit_info.value.code == 0
    text = capsys.readouterr().out
    flags = {
        (): ["record", "pretrain", "detect", "evaluate", "sheet"],
        ("record",): ["--env", "--frames", "--out", "--seed", "--policy"],
        ("pretrain",): ["--data", "--config", "--out", "--device", "--resume", "previous"],
        ("detect",): ["--model", "--data", "--out", "--decoder", "--device"],
        ("evaluate",): ["--model", "--data", "--out", "--decoder", "--device", "--report"],
        ("sheet",): ["--model", "--out", "types.yaml"],
    }
    assert all(flag in text for flag in flags[command])


def test_help_does_not_load_pytorch():
    code = "import sys, sprite_obs.cli; assert not {'torch', 'numba', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
