"""Small scenes whose switches are counted by hand."""

import json

import numpy as np
import pytest

from sprite_obs.cli import main
from sprite_obs.detections import Detections
from sprite_obs.errors import RecordingError
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.metrics.ground_truth import GroundTruth, read_ground_truth
from sprite_obs.metrics.tracking import TrackingFigures, score_tracking

LEFT, RIGHT, AWAY = (20, 50), (90, 50), (90, 150)
SIZE = (210, 160)


def boxes(places: list[tuple[int, int]]) -> np.ndarray:
    return np.array([(x, y, 10, 10) for x, y in places], np.int32).reshape(-1, 4)


def truth(*rows: tuple, moving: bool = True, told_apart: bool = True) -> GroundTruth:
    """Objects as frame, object and place."""
    count = len(rows)
    return GroundTruth(
        frame=np.array([row[0] for row in rows], np.int32),
        category=np.zeros(count, np.int16),
        box=boxes([row[2] for row in rows]),
        hud=np.zeros(count, bool),
        moving=np.full(count, moving),
        visible=np.ones(count, bool),
        hud_rects=np.zeros((0, 4), np.int16),
        frame_size=SIZE,
        category_names=("a",),
        track=np.array([row[1] for row in rows], np.int32) if told_apart else None,
    )


def figures(objects: GroundTruth, *rows: tuple, episode=(0, 0, 0, 0)) -> TrackingFigures | None:
    """Scores detections given as frame, track and place."""
    ones = np.ones(len(rows), np.int32)
    frame = np.array([row[0] for row in rows], np.int32)
    box = boxes([row[2] for row in rows])
    found = Detections.separate(frame, ones, ones, ones * 0, box, ones.astype(np.float32))
    tracks = np.array([row[1] for row in rows], np.int32)
    return score_tracking(found, tracks, objects, np.array(episode))


TWO = [(n, k, place) for n in range(4) for k, place in ((7, LEFT), (8, RIGHT))]


def test_steady_tracks_never_switch():
    found = [(n, track - 6, place) for n, track, place in TWO]
    assert figures(truth(*TWO), *found) == TrackingFigures(8, 0, 0, 0, 0)


def test_an_exchange_is_a_switch_and_a_takeover_of_both():
    found = [(n, k - 6 if n < 2 else 9 - k, place) for n, k, place in TWO]
    assert figures(truth(*TWO), *found) == TrackingFigures(8, 2, 2, 25, 25)


def test_a_new_number_is_a_switch_but_takes_nothing_over():
    found = [(n, k if n < 2 else 10 * k, place) for n, k, place in TWO]
    assert figures(truth(*TWO), *found) == TrackingFigures(8, 2, 0, 25, 0)


def test_one_number_for_whatever_comes_next_is_all_takeovers():
    objects = truth((0, 1, LEFT), (1, 2, RIGHT), (2, 3, AWAY))
    found = [(0, 5, LEFT), (1, 5, RIGHT), (2, 5, AWAY)]
    assert figures(objects, *found) == TrackingFigures(3, 0, 2, 0, pytest.approx(200 / 3))


def test_frames_in_which_nothing_matches_are_passed_over():
    objects = truth(*[(n, 7, LEFT) for n in range(4)])
    assert figures(objects, (0, 1, LEFT), (1, 2, AWAY), (3, 1, LEFT)).num_switches == 0
    assert figures(objects, (0, 1, LEFT), (1, 2, AWAY), (3, 2, LEFT)).num_switches == 1


def test_a_new_episode_begins_anew():
    objects = truth(*[(n, 7, LEFT) for n in range(4)])
    found = [(n, 1 + n // 2, LEFT) for n in range(4)]
    assert figures(objects, *found).num_switches == 1
    assert figures(objects, *found, episode=(0, 0, 1, 1)).num_switches == 0


def test_what_rests_does_not_count():
    found = [(n, n, place) for n, _, place in TWO]
    assert figures(truth(*TWO, moving=False), *found) == TrackingFigures(0, 0, 0, 0, 0)


def test_objects_outside_the_frame_leave_rows_in_place():
    objects = truth((0, 1, (-50, 50)), (0, 7, LEFT), (1, 1, (-50, 50)), (1, 7, LEFT))
    assert figures(objects, (0, 1, LEFT), (1, 2, LEFT)).num_switches == 1


def test_without_numbers_of_objects_there_are_no_figures():
    assert figures(truth(*TWO, told_apart=False), (0, 1, LEFT)) is None


@pytest.fixture
def labelled(tiny_model, pong_recording, tmp_path):
    """Returns what writes frames in which every thing that the model finds is an object."""
    images = read_frames(pong_recording).images[100:120]
    encoder = FrozenEncoder.load(tiny_model)
    found = encoder.in_view(encoder.encode(images)).clipped(images.shape[1:3])
    yes = np.ones(len(found.frame), bool)
    arrays = {
        "frames": images,
        "gt_frame": found.frame,
        "gt_cat": found.type * 0,
        **{f"gt_{name}": column for name, column in zip("xywh", found.box.T, strict=True)},
        **{"gt_hud": ~yes, "gt_moving": yes, "gt_visible": yes},
        "hud_rects": np.zeros((0, 4), int),
        "frame_hw": np.array(images.shape[1:3]),
        "category_names": np.array(["thing"]),
    }

    def save(**others):
        np.savez(tmp_path / "labelled.npz", **(arrays | others))
        return tmp_path / "labelled.npz", len(yes)

    return save


def test_evaluate_shows_and_writes_the_figures(tiny_model, labelled, tmp_path, capsys):
    path, count = labelled()
    path, count = labelled(gt_track=np.arange(count))
    flags = ["--model", str(tiny_model), "--data", str(path), "--ground-truth", str(path)]
    assert main(["evaluate", *flags, "--out", str(tmp_path / "a.json")]) == 0
    tracking = json.loads((tmp_path / "a.json").read_text())["tracking"]
    assert tracking["num_pairs"] == count
    assert tracking["switches"] == 0, "every object is seen once"
    assert tracking["takeovers"] > 50, "tracks last"
    assert "moving: track switches, takeovers" in capsys.readouterr().out


def test_evaluate_shows_how_well_the_display_is_told(tiny_model, labelled, tmp_path, capsys):
    """A short recording of Pong is enough to learn that the score rests above all that moves."""
    path, _ = labelled()
    with np.load(path) as arrays:
        score = arrays["gt_y"] < 24
    shown = []
    for hud in (score, np.zeros_like(score)):
        path, _ = labelled(gt_hud=hud)
        flags = ["--model", str(tiny_model), "--data", str(path), "--ground-truth", str(path)]
        assert main(["evaluate", *flags, "--out", str(tmp_path / "a.json")]) == 0
        shown.append(json.loads((tmp_path / "a.json").read_text())["display"])
        assert ("display: precision, recall" in capsys.readouterr().out) == hud.any()
    assert (shown[0]["precision"], shown[0]["recall"]) == (1, 1)
    assert shown[0]["num_display"] == score.sum() and shown[0]["num_lost"] == 0
    assert shown[1] is None, "no display is known"


def test_the_column_may_be_missing_but_not_wrong(labelled):
    path, count = labelled()
    assert read_ground_truth(path).track is None
    path, _ = labelled(gt_track=np.arange(count))
    np.testing.assert_array_equal(read_ground_truth(path).track, np.arange(count))
    path, _ = labelled(gt_track=np.arange(count + 1))
    with pytest.raises(RecordingError, match=rf"`gt_track` as {count} integers"):
        read_ground_truth(path)
