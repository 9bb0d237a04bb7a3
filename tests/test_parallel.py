"""Two processes that train together learn what one alone learns."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from parallel_run import run

from sprite_obs.checkpoint import load_checkpoint

MODEL = {"sprite_size": 16, "code_dim": 16, "encoder_width": 32}
PAPER = {
    "num_sprites": 4,
    "encoder": "pyramid",
    "shifts": "crop",
    "max_shift": 8,
    "background": "scroll",
    "scroll_x": 6,
}
RANDOM = {
    "init": "random",
    "iterations": 30,
    "batch_size": 4,
    "schedule": "constant",
    "max_active": 60,
    "usage_weight": 0.1,
    "presence_weight": 0.3,
    "straight_through_every": 2,
    "gumbel": 0.5,
    "shift_warmup": 0.5,
    "reassign_every": 8,
    "overlap": "random",
}
JOBS: dict[str, dict[str, Any]] = {
    "random": {
        "num_threads": 1,
        "model": MODEL | {"num_sprites": 12, "background": "color"},
        "train": RANDOM,
    },
    "frames": {
        "num_threads": 1,
        "model": MODEL,
        "train": {
            "teach_iterations": 20,
            "teach_batch_size": 32,
            "iterations": 8,
            "batch_size": 4,
        },
    },
    "paper": {
        "num_threads": 1,
        "model": MODEL | PAPER,
        # All anchors are rendered: rounding decides between plain ones, which are equally present.
        "train": {"init": "random", "iterations": 4, "batch_size": 2, "max_active": None},
    },
    "ragged": {"num_threads": 1, "train": {"batch_size": 3}},
}
LEARNED = ["random", "frames", "paper"]


@pytest.fixture(scope="module")
def together(tmp_path_factory) -> Path:
    """Returns what two processes wrote about all jobs."""
    folder = tmp_path_factory.mktemp("together")
    jobs = folder / "jobs.json"
    jobs.write_text(json.dumps(JOBS))
    launch = sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"
    script = Path(__file__).parent / "parallel_run.py"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [*launch, script, jobs, folder], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return folder


def read(folder: Path, name: str, process: int) -> dict[str, Any]:
    return json.loads((folder / f"{name}-{process}.json").read_text())


@pytest.mark.parametrize("name", LEARNED)
def test_two_processes_have_the_losses_and_weights_of_one(together, tmp_path, name):
    losses, weights = run(JOBS[name], tmp_path)
    theirs = read(together, name, 0)["losses"]
    assert len(losses) == len(theirs) and losses[0].keys() == theirs[0].keys()
    for step, (one, two) in enumerate(zip(losses, theirs, strict=True)):
        assert two == pytest.approx(one, rel=1e-4, abs=1e-7), f"step {step}"
    learned = load_checkpoint(together / f"{name}-0").model.state_dict()
    for key, value in weights.items():
        torch.testing.assert_close(learned[key], value, rtol=1e-3, atol=1e-4, msg=key)


@pytest.mark.parametrize("name", LEARNED)
def test_both_processes_report_the_same_and_end_with_the_same_weights(together, name):
    assert read(together, name, 0) == read(together, name, 1)


@pytest.mark.parametrize("name", LEARNED)
def test_only_the_first_process_writes(together, name):
    written = {path.name for path in (together / f"{name}-0").iterdir()}
    assert written == {"model.safetensors", "model.json", "training.safetensors"}
    assert not (together / f"{name}-1").exists()


@pytest.mark.parametrize("process", [0, 1])
def test_a_batch_that_cannot_be_shared_evenly_is_refused(together, process):
    message = "train.batch_size: expected a multiple of the 2 processes, got 3"
    assert read(together, "ragged", process) == {"refused": message}
