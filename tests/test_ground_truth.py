"""Ground truth from a file, and what is said about files that hold something else."""

import numpy as np
import pytest

from sprite_obs.errors import RecordingError
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
