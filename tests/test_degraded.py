"""The benchmark of compressed and scaled frames, in a tiny setting."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import COLORS, make_scene
from test_benchmarks import TINY, labelled_scene, run, table

import degraded  # isort: skip  (found in benchmarks/ once test_benchmarks is imported)
from measure import Usage  # isort: skip

from sprite_obs.errors import ConfigError, RecordingError, SpriteObsError
from sprite_obs.metrics.ground_truth import read_ground_truth

IMAGES = COLORS[make_scene(12).index]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    np.savez(folder / "Toys_train.npz", frames=COLORS[make_scene(100, seed=0).index])
    truth = labelled_scene(30, seed=1)
    np.savez(folder / "Toys_test.npz", **truth | {"hud_rects": np.array([[3, 5, 8, 4]])})
    return folder


def error(degraded_images: np.ndarray) -> float:
    return float(np.abs(degraded_images.astype(float) - IMAGES).mean())


def test_frames_are_degraded_as_the_names_say():
    done = {name: degrade(IMAGES) for name, degrade in degraded.DEGRADATIONS.items()}
    assert {images.dtype for images in done.values()} == {np.dtype(np.uint8)}
    shapes = {name: images.shape[1:3] for name, images in done.items()}
    assert shapes.pop("half") == (36, 48) and shapes.pop("double") == (144, 192)
    assert set(shapes.values()) == {(72, 96)}
    assert error(done["none"]) == 0
    assert 0 < error(done["jpeg90"]) < error(done["jpeg50"]) < 20
    assert 0 < error(done["video"]) < 20, "neither the same nor other frames or colours"
    np.testing.assert_array_equal(done["half"][0, 0, 0], IMAGES[0, :2, :2].mean((0, 1)).round())


def test_a_video_that_cannot_be_written_is_named(monkeypatch):
    monkeypatch.setattr(cv2.VideoWriter, "write", lambda *_: None)
    with pytest.raises(RecordingError, match=r"video of \(12, 72, 96\), got .*leave out `video`"):
        degraded.video(IMAGES)


def test_boxes_are_scaled_to_all_pixels_they_reach_into():
    boxes = np.array([[3, 4, 2, 4], [0, 0, 1, 1], [-3, 7, 6, 3]])
    half = degraded.scaled_boxes(boxes, 0.5)
    assert half.tolist() == [[1, 2, 2, 2], [0, 0, 1, 1], [-2, 3, 4, 2]]
    np.testing.assert_array_equal(degraded.scaled_boxes(boxes, 2), boxes * 2)


def test_ground_truth_is_scaled_with_its_frames(data, tmp_path):
    before = read_ground_truth(data / "Toys_test.npz")
    file = degraded.write_degraded(data / "Toys_test.npz", tmp_path, "double")
    after = read_ground_truth(file)
    with np.load(file) as arrays:
        after.check_fits(arrays["frames"])
    np.testing.assert_array_equal(after.box, before.box * 2)
    assert after.hud_rects.tolist() == [[6, 10, 16, 8]]
    same = degraded.write_degraded(data / "Toys_test.npz", tmp_path, "jpeg90")
    np.testing.assert_array_equal(read_ground_truth(same).box, before.box)


def test_the_table_has_a_row_for_each_degradation(data, tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    models, out = tmp_path / "models", tmp_path / "table.md"
    files = "--data", data, "--config", tmp_path / "tiny.yaml", "--models", models, "--out", out
    result = run("degraded.py", *files, "--degradations", "none,double")
    assert result.returncode == 0, result.stderr
    assert out.read_text() == result.stdout
    none, double = table(result.stdout)
    assert (none["game"], none["frames"], double["frames"]) == ("Toys", "none", "double")
    assert (none["F1 moving"], none["palette"], none["decoder"]) == ("1.000", "exact", "lookup")
    assert json.loads((models / "Toys_double" / "model.json").read_text())["frame_shape"][0] == 144


def test_a_game_that_cannot_be_learned_has_a_row_of_dashes(data, tmp_path, monkeypatch):
    def fail(*_: object) -> Usage:
        raise SpriteObsError("no sprites")

    monkeypatch.setattr(degraded.detection, "pretrain", fail)
    args = degraded.Args(data, degradations="jpeg90", models=tmp_path)
    (row,) = table(degraded.measure(args))
    assert (row["game"], row["frames"]) == ("Toys", "jpeg90")
    assert set(list(row.values())[2:]) == {"-"}


def test_an_unknown_degradation_is_named(data):
    with pytest.raises(ConfigError, match=r"expected some of none, jpeg90.*got 'webp'"):
        degraded.measure(degraded.Args(data, degradations="none,webp"))
