"""Runs the scripts in benchmarks/ by their command lines, in a tiny setting, and checks tables."""

import contextlib
import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import cv2
import gymnasium
import numpy as np
import pytest
from scenes import COLORS, make_scene

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import detection  # noqa: E402
import measure  # noqa: E402
import peer_speed  # noqa: E402
import player  # noqa: E402
from measure import Usage  # noqa: E402
from truth.environment import STAMP  # noqa: E402

OCATARI = ROOT / "models" / "ocatari"

TINY = """
num_threads: 1
model: {sprite_size: 16, num_sprites: 16, code_dim: 16, encoder_width: 16}
train: {teach_iterations: 10, teach_batch_size: 16, iterations: 1, batch_size: 2}
"""


def run(script: str, *flags: object) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "benchmarks" / script, *flags]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def table(text: str) -> list[dict[str, str]]:
    """Reads a Markdown table."""
    header, rule, *rows = [line.strip("| ").split(" | ") for line in text.strip().splitlines()]
    assert set("".join(rule)) == {"-", ":"}
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("config") / "tiny.yaml"
    file.write_text(TINY)
    return file


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Returns a folder with a game of three things, one of which is said not to move."""
    folder = tmp_path_factory.mktemp("data")
    np.savez(folder / "Toys_train.npz", frames=COLORS[make_scene(100, seed=0).index])
    np.savez(folder / "Toys_test.npz", **labelled_scene(30, seed=1))
    return folder


def labelled_scene(num_frames: int, seed: int) -> dict[str, np.ndarray]:
    scene = make_scene(num_frames, seed)
    frame, drawing, left, top = scene.truth.T
    height, width = np.array([scene.drawings[number].shape for number in drawing]).T
    return {
        "frames": COLORS[scene.index],
        "gt_frame": frame,
        "gt_cat": drawing,
        **{"gt_x": left, "gt_y": top, "gt_w": width, "gt_h": height},
        "gt_hud": np.zeros(len(frame), bool),
        "gt_moving": drawing < 2,
        "gt_visible": np.ones(len(frame), bool),
        "hud_rects": np.zeros((0, 4), int),
        "frame_hw": np.array(scene.background.shape),
        "category_names": np.array(["box", "cross", "ring"]),
    }


def test_detection(data, config, tmp_path):
    models, out = tmp_path / "models", tmp_path / "table.md"
    files = "--data", data, "--config", config, "--models", models, "--out", out
    result = run("detection.py", *files)
    assert result.returncode == 0, result.stderr
    assert out.read_text() == result.stdout
    rows = table(result.stdout)
    assert [row["game"] for row in rows] == ["Toys"] * 3 + ["mean"] * 4
    assert [row["decoder"] for row in rows[3:]] == ["lookup", "network", "both", "chosen"]
    lookup, network = rows[:2]
    assert (lookup["decoder"], network["decoder"]) == ("lookup, chosen", "network")
    # Counting finds all there is to find in these scenes.
    assert lookup["F1 moving"] == lookup["F1 game"] == lookup["MOC F1 moving"] == "1.000"
    assert lookup["few_shot_16"] == "1.000" and lookup["types per category"] == "1.0"
    assert (lookup["hard PSNR, dB"], lookup["exact frames, %"]) == ("exact", "100.0")
    assert lookup["display precision"] == "-", "no display is known"
    assert int(lookup["sprites"]) == 3
    assert float(lookup["pretraining, s"]) > 0 and float(lookup["peak memory, MB"]) > 50
    assert float(network["F1 game"]) < 1, "ten steps are too few"
    assert rows[3]["F1 game"] == rows[5]["F1 game"] == rows[6]["F1 game"] == "1.000"
    assert rows[4]["F1 game"] == network["F1 game"]


def test_models_are_learned_once(data, config, tmp_path, monkeypatch):
    commands = []

    def fake(*argv: object) -> Usage:
        commands.append(argv)
        return Usage(seconds=len(commands), peak_mb=100)

    monkeypatch.setattr(detection, "run_sprite_obs", fake)
    train, test = data / "Toys_train.npz", data / "Toys_test.npz"
    other = tmp_path / "other.yaml"
    other.write_text(TINY + "seed: 1\n")
    args = [(train, config), (train, config), (train, other), (train, other), (test, other)]
    taken = [detection.pretrain(*files, tmp_path / "model").seconds for files in args]
    assert taken == [1, 1, 2, 2, 3], "other settings or frames need another model"
    assert commands[0] == (
        *("pretrain", "--data", train, "--config", config),
        *("--out", tmp_path / "model"),
    )


def test_a_failed_run_is_not_taken_for_a_model(data, config, tmp_path, monkeypatch):
    def fail(*argv: object) -> Usage:
        raise KeyboardInterrupt

    for settings, fake in [(TINY, lambda *_: Usage(1, 1)), (TINY + "seed: 1\n", fail)]:
        (tmp_path / "settings.yaml").write_text(settings)
        monkeypatch.setattr(detection, "run_sprite_obs", fake)
        files = data / "Toys_train.npz", tmp_path / "settings.yaml", tmp_path / "model"
        with contextlib.suppress(KeyboardInterrupt):
            detection.pretrain(*files)
    assert not (tmp_path / "model" / detection.DONE_FILE).exists()


def test_means_leave_out_what_is_infinite_or_missing():
    first = detection.Row(*[1.0] * 14)
    second = dataclasses.replace(first, moving_f1=0.5, psnr=math.inf, few_shot=math.nan)
    mean = detection.mean([first, second])
    assert (mean.moving_f1, mean.psnr, mean.few_shot) == (0.75, 1, 1)
    assert math.isnan(detection.mean([second]).psnr)
    assert detection.shown(detection.mean([second]))[3] == "-"


def test_shares_are_exact_only_where_all_is():
    assert measure.percent(1, 1) == "100.0" and measure.percent(0.99999, 1) == "99.9"
    assert measure.percent(0.1234, 1) == "12.3"


@pytest.mark.parametrize("games", ["Toys,Lost", None])
def test_detection_without_a_file(games, data, tmp_path):
    flags = ["--games", games] if games else []
    folder = data if games else tmp_path
    result = run("detection.py", "--data", folder, "--models", tmp_path, *flags)
    assert result.returncode == 2 and result.stdout == ""
    missing = "Lost_train" if games else "<Game>_test"
    assert result.stderr == f"error: expected a file {folder / missing}.npz, but there is none\n"


def test_detection_with_data_of_another_kind(data, config, tmp_path):
    np.savez(tmp_path / "Toys_train.npz", images=np.zeros(3))
    (tmp_path / "Toys_test.npz").write_bytes((data / "Toys_test.npz").read_bytes())
    result = run("detection.py", "--data", tmp_path, "--config", config, "--models", tmp_path)
    assert result.returncode == 2 and result.stdout == ""
    reason, line = result.stderr.splitlines()
    assert "expected an array 'frames'" in reason
    assert line == "error: `sprite-obs pretrain` failed, see above"


def test_pretrain_speed(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    out = tmp_path / "out" / "table.md"
    few = "--frames", 120, "--unseen-frames", 20
    result = run("pretrain_speed.py", *few, "--config", tmp_path / "tiny.yaml", "--out", out)
    assert result.returncode == 0, result.stderr
    assert out.read_text() == result.stdout
    (row,) = table(result.stdout)
    assert (row["environment"], row["frames"], row["unseen frames"]) == ("ALE/Pong-v5", "120", "20")
    assert float(row["pretraining, s"]) > 0 and float(row["peak memory, MB"]) > 50
    assert int(row["sprites"]) > 0 and row["decoder"] in ("lookup", "network")
    assert 10 < float(row["hard PSNR, dB"]) < 100
    assert 0 <= float(row["exact frames, %"]) <= 100 and float(row["exact pixels, %"]) > 80


def test_wrapper_speed(pong_model, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "Pong").symlink_to(pong_model)
    (tmp_path / "tiny.yaml").write_text(TINY)
    flags = "--games", "Pong,Breakout", "--models", tmp_path / "models", "--frames", 60
    few = "--steps", 20, "--repeats", 2, "--config", tmp_path / "tiny.yaml"
    result = run("wrapper_speed.py", *flags, *few)
    assert result.returncode == 0, result.stderr
    rows = table(result.stdout)
    assert [(row["game"], row["model"]) for row in rows] == [
        ("Pong", "benchmark"),
        ("Breakout", "ad hoc"),
    ]
    for row in rows:
        assert float(row["ALE, steps/s"]) > 0 and float(row["SpriteObservation, steps/s"]) > 0
        assert float(row["share"]) > 0
        # The ratio is a median of pairs; in so few steps it differs from that of the medians.
        assert float(row["times slower"]) > 0 and math.isfinite(float(row["added, ms per step"]))
    assert not (tmp_path / "models" / "Breakout").exists()


@pytest.mark.parametrize(
    "with_ocatari",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                not (OCATARI / STAMP).is_file(), reason=f"OCAtari is not installed in {OCATARI}"
            ),
        ),
    ],
)
def test_wrapper_speed_beside_its_peers(with_ocatari, pong_model, tmp_path):
    (tmp_path / "Pong").symlink_to(pong_model)
    flags = "--peers", "--games", "Pong", "--models", tmp_path, "--steps", 20, "--repeats", 1
    result = run("wrapper_speed.py", *flags, *([] if with_ocatari else ["--no-ocatari"]))
    assert result.returncode == 0, result.stderr
    rows = table(result.stdout)
    names = [row["environment"] for row in rows]
    assert names[:2] == ["SpriteObservation", "bare"] and "FrameStackObservation(4)" in names[2]
    assert names[4:] == (
        [
            "OCAtari, vision mode",
            "OCAtari, vision mode, with score and lives",
            "OCAtari, ram mode",
            "OCAtari, ram mode, with score and lives",
        ]
        if with_ocatari
        else []
    )
    assert float(rows[0]["SpriteObservation, times as fast"]) == 1
    for row in rows:
        assert float(row["steps/s"]) > 0 and float(row["SpriteObservation, times as fast"]) > 0


def test_a_peer_that_fails_gets_dashes(capsys):
    lost = peer_speed.OCAtariPlayer(Path(sys.executable), "Pong", "ram", False, seed=0)
    env = gymnasium.make("CartPole-v1")
    playing = {peer_speed.OURS: player.Player(env, seed=0), "OCAtari": lost}  # it is not installed
    ours, theirs = peer_speed.rows(playing, "Pong", steps=5, repeats=1)
    assert float(ours[2]) > 0 and theirs == ["Pong", "OCAtari", "-", "-"]
    assert "ram mode, Pong: ended without an answer" in capsys.readouterr().err


def test_profile_step(pong_model, tmp_path):
    (tmp_path / "Pong").symlink_to(pong_model)
    result = run("profile_step.py", "--games", "Pong", "--models", tmp_path, "--steps", 100)
    assert result.returncode == 0, result.stderr
    stages = {row["stage, µs"]: float(row["Pong"]) for row in table(result.stdout)}
    step = stages.pop("whole step")
    assert all(taken > 0 for taken in stages.values())
    assert stages["whole step but the emulator"] < step and stages["emulator"] < step
    assert stages["things in slots"] >= 2, "at least the paddles"


def test_loading(pong_model, tmp_path):
    (tmp_path / "Pong").symlink_to(pong_model)
    flags = "--games", "Pong", "--models", tmp_path, "--repeats", 1, "--no-cold", "--steps", 20
    result = run("loading.py", *flags)
    assert result.returncode == 0, result.stderr
    (row,) = table(result.stdout)
    assert (row["game"], row["compiled code"], row["steps"]) == ("Pong", "on disk", "20")
    assert 50 < float(row["SpriteObservation after its steps, MB more"]) < 600
    for stage in ("import sprite_obs.wrapper, s", "FrozenEncoder.load, s", "first reset, s"):
        cpu, wall = row[stage].split()
        assert float(cpu) > 0 and float(wall.strip("()")) > 0


def test_loading_without_a_model(tmp_path):
    flags = "--games", "Pong", "--models", tmp_path, "--no-cold", "--steps", 1
    result = run("loading.py", *flags)
    assert result.returncode == 2 and result.stdout == ""
    assert "no checkpoint at" in result.stderr.splitlines()[-1]


def test_growth(tmp_path):
    plot, few = tmp_path / "growth.png", ("--doublings", 2, "--frames", 10, "--repeats", 1)
    result = run("growth.py", *few, "--plot", plot)
    assert result.returncode == 0, result.stderr
    rows = table(result.stdout)
    assert [(row["what grows"].split()[0], row["to"]) for row in rows] == [
        *(("sprites", str(count)) for count in (16, 32, 64)),
        *(("active", str(count)) for count in (4, 8, 16)),
        *(("pixels", str(count)) for count in (33280, 133120)),
    ]
    for row in rows:
        assert float(row["µs per frame"]) > 0 and float(row["times the smallest"]) > 0
    picture = cv2.imread(str(plot))
    assert picture is not None and len(np.unique(picture.reshape(-1, 3), axis=0)) > 2


def test_wrapper_speed_of_many_environments(pong_model, tmp_path):
    (tmp_path / "Pong").symlink_to(pong_model)
    flags = "--games", "Pong", "--models", tmp_path, "--num-envs", 2
    result = run("wrapper_speed.py", *flags, "--steps", 8, "--repeats", 1)
    assert result.returncode == 0, result.stderr
    rows = table(result.stdout)
    assert [row["environments"] for row in rows[:2]] == [
        "bare AtariVectorEnv, RGB",
        "make_sprite_vec_env",
    ]
    assert len(rows) == 11 and float(rows[0]["share of the bare batch"]) == 1
    for row in rows:
        assert float(row["steps/s"]) > 0 and float(row["share of the bare batch"]) > 0
        assert ("processes" in row["environments"]) == (row["the same by CPU time"] == "-")
