"""Ground truth from a file, and what is said about files that hold something else."""

import json

import numpy as np
import pytest

from sprite_obs.cli import main
from sprite_obs.errors import RecordingError
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.metrics.ground_truth import read_ground_truth


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    flags = {f"gt_{name}": np.array([True, False]) for name in ("hud", "moving", "visible")}
    box = {f"gt_{name}": np.array([value, 4], np.int16) for value, name in enumerate("xywh")}
    return {
        "gt_frame": np.array([0, 2], np.int32),
        "gt_cat": np.array([1, 0], np.int16),
        **box,
        **flags,
        "hud_rects": np.zeros((0, 4), np.int16),
        "frame_hw": np.array([72, 96]),
        "category_names": np.array(["ball", "wall"]),
    }


@pytest.fixture
def save(arrays, tmp_path):
    """Writes the arrays with some of them changed."""

    def write(**changes):
        np.savez(tmp_path / "truth.npz", **(arrays | changes))
        return tmp_path / "truth.npz"

    return write


def test_reads_what_was_written(save):
    truth = read_ground_truth(save(frames=np.zeros(3), something="else"))
    assert truth.frame.tolist() == [0, 2] and truth.category.tolist() == [1, 0]
    assert truth.box.tolist() == [[0, 1, 2, 3], [4, 4, 4, 4]]
    assert truth.hud.tolist() == truth.moving.tolist() == truth.visible.tolist() == [True, False]
    assert truth.hud_rects.shape == (0, 4)
    assert truth.frame_size == (72, 96) and truth.category_names == ("ball", "wall")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gt_x": np.zeros(3, int)}, "`gt_x` as 2 integers, one per object and frame, got int64"),
        ({"gt_w": np.zeros(2)}, r"`gt_w` as 2 integers.*, got float64 \(2,\)"),
        ({"gt_hud": np.zeros(2, int)}, "`gt_hud` as 2 truth values.*, got int64"),
        ({"gt_frame": np.array([-1, 0])}, "`gt_frame` of at least 0, got -1"),
        ({"gt_cat": np.array([0, 2])}, "`gt_cat` of at least 0 and below 2, got 2"),
        ({"hud_rects": np.zeros(4, int)}, r"`hud_rects` as integers of shape \(R, 4\)"),
        ({"frame_hw": np.zeros(3, int)}, "`frame_hw` as two integers"),
        ({"category_names": np.zeros(2)}, "`category_names` as one-dimensional text"),
        ({"category_names": np.array([{}, {}])}, "is damaged or not an npz file"),
    ],
)
def test_other_arrays_are_refused(save, changes, said):
    with pytest.raises(RecordingError, match=said):
        read_ground_truth(save(**changes))


def test_missing_arrays_and_files_are_refused(arrays, tmp_path):
    arrays.pop("gt_visible")
    np.savez(tmp_path / "truth.npz", **arrays)
    with pytest.raises(RecordingError, match="expected an array 'gt_visible'"):
        read_ground_truth(tmp_path / "truth.npz")
    with pytest.raises(RecordingError, match="there is none"):
        read_ground_truth(tmp_path / "nowhere.npz")


def test_frames_must_be_those_of_the_truth(save):
    truth = read_ground_truth(save())
    truth.check_fits(np.zeros((3, 72, 96, 3), np.uint8))
    with pytest.raises(RecordingError, match="truth of 2 frames, got one with objects in frame 2"):
        truth.check_fits(np.zeros((2, 72, 96, 3), np.uint8))
    with pytest.raises(RecordingError, match=r"\(96, 72\) pixels \(H, W\), got one of \(72, 96\)"):
        truth.check_fits(np.zeros((3, 96, 72, 3), np.uint8))


@pytest.fixture
def labelled(tiny_model, pong_recording, tmp_path):
    """Writes frames with a ground truth that is what the model finds in every second of them."""
    images = read_frames(pong_recording).images[100:110]
    encoder = FrozenEncoder.load(tiny_model)
    found = encoder.in_view(encoder.encode(images[::2])).clipped(images.shape[1:3])
    score = found.box[:, 1] < 24
    arrays = {
        "frames": images,
        "gt_frame": found.frame * 2,
        "gt_cat": found.type,
        **{f"gt_{name}": column for name, column in zip("xywh", found.box.T, strict=True)},
        "gt_hud": score,
        "gt_moving": ~score,
        "gt_visible": np.ones(len(found.frame), bool),
        "hud_rects": np.array([[0, 0, 160, 24]]),
        "frame_hw": np.array(images.shape[1:3]),
        "category_names": np.array([f"type {n}" for n in range(encoder.num_types + 1)]),
    }
    np.savez(tmp_path / "labelled.npz", **arrays)
    return tmp_path / "labelled.npz"


def test_evaluate_measures_detection_too(tiny_model, labelled, tmp_path, capsys):
    files = ["--model", str(tiny_model), "--data", str(labelled), "--out", str(tmp_path / "a.json")]
    assert main(["evaluate", *files, "--ground-truth", str(labelled)]) == 0
    shown = capsys.readouterr().out
    detection = json.loads((tmp_path / "a.json").read_text())["detection"]
    assert set(detection) == {"all", "game", "moving"}
    moving = detection["moving"]
    assert moving["overlap"]["recall"] == moving["centre"]["recall"] == 1
    assert moving["overlap"]["precision"] == pytest.approx(0.5, abs=0.15), "half is not labelled"
    assert moving["num_objects"] < detection["all"]["num_objects"]
    assert moving["identity"]["purity"] == moving["identity"]["few_shot"]["16"] == 1
    f1 = moving["overlap"]["f1"]
    assert "moving: precision, recall, F1 (IoU 0.5)" in shown and f"1.000  {f1:.3f}" in shown


def test_evaluate_without_ground_truth_measures_no_detection(tiny_model, labelled, tmp_path):
    files = ["--model", str(tiny_model), "--data", str(labelled), "--out", str(tmp_path / "a.json")]
    assert main(["evaluate", *files]) == 0
    assert json.loads((tmp_path / "a.json").read_text())["detection"] is None


def test_evaluate_refuses_the_truth_of_other_frames(tiny_model, labelled, save, capsys):
    files = ["--model", str(tiny_model), "--data", str(labelled)]
    assert main(["evaluate", *files, "--ground-truth", str(save())]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("sprite-obs: error: expected ground truth of frames of (210, 160)")
