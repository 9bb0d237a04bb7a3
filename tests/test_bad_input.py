"""Whatever is wrong with the input, commands say so in one line and exit with code 2."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from pong_model import save_pong_model

from sprite_obs.checkpoint import MODEL_FILE
from sprite_obs.cli import main
from sprite_obs.frames.store import INFO_FILE

EPISODE = "episode_00000.npz"


@pytest.fixture
def fails(capsys):
    """Runs a command that must fail and returns its one line."""

    def run(*argv: object) -> str:
        capsys.readouterr()
        assert main([str(part) for part in argv]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        # A progress bar that had already begun comes before the message.
        *before, line = output.err.splitlines()
        assert not any("error" in earlier or "Traceback" in earlier for earlier in before)
        assert line.startswith("sprite-obs: error: ")
        return line

    return run


@pytest.fixture
def recording(pong_recording, tmp_path) -> Path:
    """Returns a recording that may be damaged."""
    return shutil.copytree(pong_recording, tmp_path / "recording")


@pytest.fixture
def model(pong_model, tmp_path) -> Path:
    """Returns a model that may be damaged."""
    return shutil.copytree(pong_model, tmp_path / "model")


def reading_commands(model, data, out):
    return [
        ["pretrain", "--data", data, "--out", out],
        ["detect", "--model", model, "--data", data, "--out", out],
        ["evaluate", "--model", model, "--data", data, "--out", out],
    ]


def npz(path, **arrays) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def frames(count, height=210, width=160) -> np.ndarray:
    return np.zeros((count, height, width, 3), np.uint8)


def truncate(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize("command", ["detect", "evaluate"])
def test_frames_of_another_size(fails, command, pong_model, tmp_path):
    data = npz(tmp_path / "frames.npz", frames=frames(3, 84, 96))
    line = fails(command, "--model", pong_model, "--data", data, "--out", tmp_path / "out")
    assert "expected uint8 RGB frames of shape (210, 160, 3), got uint8 (84, 96, 3)" in line


@pytest.mark.parametrize(
    ("array", "came"),
    [
        (frames(3).astype(np.float32), "float32 (3, 210, 160, 3)"),
        (frames(3)[0], "uint8 (210, 160, 3)"),
        (frames(3)[..., 0], "uint8 (3, 210, 160)"),
        (frames(0), "uint8 (0, 210, 160, 3)"),
    ],
)
def test_frames_of_another_dtype_or_shape(fails, array, came, pong_model, tmp_path):
    data = npz(tmp_path / "frames.npz", frames=array)
    for command in reading_commands(pong_model, data, tmp_path / "out"):
        line = fails(*command)
        assert "expected `frames` as uint8 (N, H, W, 3)" in line
        assert f"got {came}" in line


def test_npz_without_frames(fails, pong_model, tmp_path):
    data = npz(tmp_path / "frames.npz", images=frames(3))
    for command in reading_commands(pong_model, data, tmp_path / "out"):
        assert "expected an array 'frames', got images" in fails(*command)


@pytest.mark.parametrize("command", ["detect", "evaluate"])
def test_model_of_another_game(fails, command, pong_recording, tmp_path):
    model = save_pong_model(tmp_path / "model", env_id="ALE/Breakout-v5")
    line = fails(command, "--model", model, "--data", pong_recording, "--out", tmp_path / "out")
    assert "expected frames of ALE/Breakout-v5" in line
    assert "got frames of ALE/Pong-v5" in line


@pytest.mark.parametrize("command", ["detect", "evaluate"])
def test_missing_and_truncated_checkpoint(fails, command, model, pong_recording, tmp_path):
    rest = "--data", pong_recording, "--out", tmp_path / "out"
    nowhere = tmp_path / "nowhere"
    assert f"no checkpoint at {nowhere}" in fails(command, "--model", nowhere, *rest)
    truncate(model / MODEL_FILE, 0.7)
    line = fails(command, "--model", model, *rest)
    assert f"{model / MODEL_FILE} is truncated or no sprite-obs checkpoint" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trains: {iterations: 5}", "unknown key 'trains'; known keys are seed,"),
        ("train: {iteration: 5}", "train: unknown key 'iteration'; known keys are init,"),
        ("train: {iterations: many}", "iterations: expected int, got 'many' (str)"),
        ("train: {init: guess}", "expected one of ('frames', 'random'), got 'guess'"),
        ("train: 5", "train: expected a mapping, got int"),
        ("- train", "expected a mapping, got list"),
        ("train: [", "is not a YAML file"),
    ],
)
def test_configuration_file(fails, text, said, pong_recording, tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    out = tmp_path / "out"
    line = fails("pretrain", "--data", pong_recording, "--out", out, "--config", file)
    assert said in line and str(file) in line
    assert not out.exists()


def test_missing_configuration_file(fails, pong_recording, tmp_path):
    file = tmp_path / "nowhere.yaml"
    line = fails("pretrain", "--data", pong_recording, "--out", tmp_path, "--config", file)
    assert f"no configuration file {file}" in line


@pytest.mark.parametrize("flags", [["--train.iteration", "5"], ["--train.iterations", "many"]])
def test_flags_that_do_not_exist_or_fit(capsys, flags, tmp_path):
    with pytest.raises(SystemExit) as exit_info:
        main(["pretrain", "--data", "data", "--out", str(tmp_path), *flags])
    assert exit_info.value.code == 2
    assert "iteration" in capsys.readouterr().err


def test_missing_data(fails, pong_model, tmp_path):
    for command in reading_commands(pong_model, tmp_path / "nowhere", tmp_path / "out"):
        assert f"{tmp_path / 'nowhere'} does not exist" in fails(*command)


def test_empty_folder_and_empty_recording(fails, recording, pong_model, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    info = json.loads((recording / INFO_FILE).read_text())
    (recording / INFO_FILE).write_text(json.dumps(info | {"episodes": [], "num_frames": 0}))
    for data, said in (empty, "neither recording.json nor PNG"), (recording, "is empty"):
        for command in reading_commands(pong_model, data, tmp_path / "out"):
            line = fails(*command)
            assert "expected" in line and said in line and str(data) in line


@pytest.mark.parametrize("name", [EPISODE, INFO_FILE])
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_truncated_recording(fails, name, share, recording, pong_model, tmp_path):
    truncate(recording / name, share)
    for command in reading_commands(pong_model, recording, tmp_path / "out"):
        line = fails(*command)
        assert str(recording / name) in line and "damaged" in line


def test_recording_without_its_episode(fails, recording, pong_model, tmp_path):
    (recording / EPISODE).unlink()
    for command in reading_commands(pong_model, recording, tmp_path / "out"):
        assert f"expected a file {recording / EPISODE}" in fails(*command)


def test_damaged_png(fails, pong_model, tmp_path):
    folder = tmp_path / "pngs"
    folder.mkdir()
    (folder / "000.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    for command in reading_commands(pong_model, folder, tmp_path / "out"):
        assert f"{folder / '000.png'} is damaged" in fails(*command)


def test_too_few_frames(fails, tmp_path):
    data = npz(tmp_path / "frames.npz", frames=frames(49))
    line = fails("pretrain", "--data", data, "--out", tmp_path / "out")
    assert "expected at least 50 frames to learn from, got 49" in line


@pytest.mark.parametrize(("height", "width"), [(6, 30), (30, 6)])
def test_frames_that_are_too_small(fails, height, width, tmp_path):
    data = npz(tmp_path / "frames.npz", frames=frames(60, height, width))
    flags = "--data", data, "--out", tmp_path / "out", "--train.init", "random"
    line = fails("pretrain", *flags)
    assert f"expected frames of at least 7 x 7 pixels to learn from, got {width} x {height}" in line


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["scroll-x", 4], "scroll_x: expected 0 with background: image, got 4"),
        (["scroll-y", 4], "scroll_y: expected 0 with background: image, got 4"),
        (["background", "scroll"], "scroll_x: expected more than 0, or scroll_y"),
        (["max-shift", 1], "max_shift: expected half of anchor_stride (4) or more, got 1"),
        (["sprite-sizes", 8, 99], "sprite_sizes: expected even sizes from 2 to 48, got (8, 99)"),
        (["encoder", "pyramid"], "anchor_stride: expected half of sprite_size (24)"),
    ],
)
def test_settings_that_do_not_go_together(fails, flags, said, tmp_path):
    data = npz(tmp_path / "frames.npz", frames=frames(60))
    key, *values = flags
    rest = "--out", tmp_path / "out", "--train.init", "random", f"--model.{key}", *values
    assert said in fails("pretrain", "--data", data, *rest)
    assert not (tmp_path / "out").exists()


def test_frames_in_which_nothing_recurs(fails, tmp_path):
    data = npz(tmp_path / "frames.npz", frames=frames(60))
    assert "no sprite recurs" in fails("pretrain", "--data", data, "--out", tmp_path / "out")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_device_that_is_not_there(fails, pong_model, pong_recording, tmp_path):
    for command in reading_commands(pong_model, pong_recording, tmp_path / "out"):
        line = fails(*command, "--device", "cuda")
        assert "device cuda was asked for, but this machine has none; use cpu or auto" in line


def test_unknown_device(capsys, pong_model, tmp_path):
    for command in reading_commands(pong_model, tmp_path, tmp_path / "out"):
        with pytest.raises(SystemExit) as exit_info:
            main([str(part) for part in [*command, "--device", "tpu"]])
        assert exit_info.value.code == 2
        text = capsys.readouterr().err
        assert "--device" in text and "'tpu'" in text and "cuda" in text


def test_output_below_a_file(fails, pong_model, pong_recording, tmp_path):
    (tmp_path / "file").write_text("")
    for command in reading_commands(pong_model, pong_recording, tmp_path / "file" / "out"):
        assert f"{tmp_path / 'file'}" in fails(*command)
    line = fails("record", "--env", "ALE/Pong-v5", "--out", tmp_path / "file" / "out")
    assert "Not a directory" in line


def test_resume_without_anything_to_resume(fails, pong_recording, tmp_path):
    out = tmp_path / "out"
    line = fails("pretrain", "--data", pong_recording, "--out", out, "--resume")
    assert "nothing to resume" in line and "training.safetensors; start without --resume" in line


def test_resume_with_other_settings(fails, pong_recording, tiny_model):
    line = fails("pretrain", "--data", pong_recording, "--out", tiny_model, "--resume")
    assert "it was started with another config" in line


def test_record(fails, pong_recording, tmp_path):
    out = tmp_path / "out"
    line = fails("record", "--env", "ALE/Pnog-v5", "--out", out)
    assert "expected the id of a registered environment" in line and "'ALE/Pnog-v5'" in line
    line = fails("record", "--env", "ALE/Pong-v5", "--out", pong_recording)
    assert f"{pong_recording} holds a recording already" in line
    line = fails("record", "--env", "ALE/Pong-v5", "--out", out, "--policy", "clever")
    assert "expected 'random', 'sticky' or the path of a model" in line and "'clever'" in line
    line = fails("record", "--env", "ALE/Pong-v5", "--out", out, "--frames", 0)
    assert "expected at least 1, got 0" in line
    assert not out.exists()
