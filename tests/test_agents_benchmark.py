import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from agents_arms import ARMS  # noqa: E402
from agents_plot import COLOURS, Curve, draw_curves  # noqa: E402


def test_agents_are_trained_once_and_compared(tmp_path):
    flags = [
        "--arms",
        "objects",
        "--seeds",
        1,
        "--steps",
        10_240,
        "--episodes",
        1,
        "--preset",
        "best",
    ]
    files = ["--folder", tmp_path / "runs", "--plot", tmp_path / "curves.png"]
    command = [sys.executable, ROOT / "benchmarks" / "agents.py", *flags, *files]
    written = []
    for _ in range(2):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        files = (tmp_path / "runs").rglob("*.*")
        written.append({file: file.stat().st_mtime_ns for file in files})
    assert written[0] == written[1], "the second time nothing is trained or played"
    header, _, row = (line.strip("| ").split(" | ") for line in result.stdout.strip().split("\n"))
    values = dict(zip(header, row, strict=True))
    assert values["game"] == "Pong" and values["agent sees"] == "objects"
    assert -21 <= float(values["deterministic, IQM"]) <= 21
    assert cv2.imread(str(tmp_path / "curves.png")) is not None
    (run,) = (tmp_path / "runs").iterdir()
    config = json.loads((run / "config.json").read_text())
    assert config["preset"] == "best" and config["ppo"]["n_steps"] == 512

    (run / "config.json").write_text(json.dumps(config | {"ppo": config["ppo"] | {"gamma": 0.5}}))
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert result.returncode == 2
    assert "{'gamma': 0.99} (objects by --preset best), got {'gamma': 0.5} in" in result.stderr


def test_each_arm_has_a_colour_of_its_own():
    assert set(COLOURS) == set(ARMS) and len(set(COLOURS.values())) == len(ARMS)


@pytest.mark.parametrize("column", [200, 580])
def test_better_runs_are_drawn_higher_over_steps_and_minutes(column):
    steps = np.arange(1.0, 50)
    page = draw_curves(
        [
            Curve("Pong", "objects", steps, steps, np.full(49, 20.0)),
            Curve("Pong", "pixels", steps, 2 * steps, np.full(49, -20.0)),
        ]
    )
    middle = page[60:300, column].astype(int)
    blue, orange = middle[:, 2] - middle[:, 0], middle[:, 0] - middle[:, 2]
    assert blue.argmax() < orange.argmax()


def test_episodes_that_end_at_once_are_one_point():
    steps = np.repeat([1000.0, 2000.0], 8)
    page = draw_curves([Curve("Freeway", "objects", steps, steps, np.arange(16.0))])
    blue = (page == COLOURS["objects"]).all(axis=2)[56:, :430]
    columns = np.flatnonzero(blue.any(axis=0))
    assert columns[0] > 230, "nothing before the first episodes have ended"
    assert blue.sum(axis=0)[:-12].max() <= 4, "no line upwards"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--arms", "smells"], "expected --arms"),
        (["--arms", "objects:many"], "got 'objects:many'"),
        (["--arms", "objects:"], "got 'objects:'"),
        (["--arms", "objects:-1"], "got 'objects:-1'"),
        (["--arms", "objects:10,objects:20"], "each once"),
        (["--arms", "objects:0"], "at least 1"),
        (["--seeds", "0"], "at least 1"),
        (["--partial", "--folder", "nowhere"], "no episode has ended in nowhere"),
    ],
)
def test_wrong_settings_end_in_one_line(flags, message):
    command = [sys.executable, ROOT / "benchmarks" / "agents.py", *flags]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2 and message in result.stderr
