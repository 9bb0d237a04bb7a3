"""Changes one thing at a time in what learns from a random start, and says what it was worth.

python benchmarks/ablations.py --jobs 2 --out ablations.md
python benchmarks/ablations.py --only recipe,no-dreams

All variants learn the same small floating sprites for the same number of iterations. Models, their
settings and what `sprite-obs` said of them stay in a folder. A finished training is not repeated:
whoever interrupts goes on with the same command.
"""

import json
import multiprocessing
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
import yaml
from measure import ROOT, markdown_table, number, run_benchmark, write_text
from synthetic.drawings import drawings
from synthetic.figures import recovered
from synthetic.floating import floating
from synthetic.scenes import Scenes
from synthetic.trial import COLUMNS, CONFIGS, Data, run_trial, store

from sprite_obs.errors import ConfigError, SpriteObsError

TRAIN_SEED, TEST_SEED = 0, 1
UNSEEN_SHARE = 10
FAILED = re.compile(r"(collapsed|no longer a number) at step \d+")
"""How `sprite-obs pretrain` says that a training came to nothing."""
INTERRUPTED, STDERR = 130, 2
HEADER = ("variant", "recovered, of 11", "mean best IoU", *COLUMNS)

Changes = dict[str, dict[str, Any]]
NEITHER = {"dream_weight": 0, "reassign_every": 0}
PAPER = {
    **NEITHER,
    "straight_through_every": 0,
    "usage_weight": 0,
    "overlap": "random",
    "max_active": None,
    "max_gradient_norm": None,
    "schedule": "constant",
    "learning_rate": 1e-4,
}
VARIANTS: dict[str, Changes] = {
    "recipe": {},
    "no-dreams": {"train": {"dream_weight": 0}},
    "no-reassignment": {"train": {"reassign_every": 0}},
    "neither": {"train": NEITHER},
    "no-usage": {"train": {"usage_weight": 0}},
    "neither-no-usage": {"train": {**NEITHER, "usage_weight": 0}},
    "no-straight-through": {"train": {"straight_through_every": 0}},
    "gumbel": {"train": {"gumbel": 1}},
    "fixed-temperature": {"model": {"learned_temperature": False}},
    "shift-curriculum": {"train": {"shift_warmup": 0.3}},
    "presence-l1": {"train": {"presence_weight": 0.01}},
    # Four of twelve sprites are small: enough for the three drawings that fit on them.
    "two-sizes": {"model": {"sprite_sizes": [12, 16, 16]}},
    "window-encoder": {"model": {"encoder": "window"}},
    "crop-shifts": {"model": {"shifts": "crop"}},
    "random-order": {"train": {"overlap": "random"}},
    "no-layernorm": {"model": {"normalize_codes": False}},
    "paper-losses": {"model": {"learned_temperature": False}, "train": PAPER},
    "paper-losses-2e-3": {
        "model": {"learned_temperature": False},
        "train": {**PAPER, "learning_rate": 2e-3},
    },
}
"""What each variant changes in configs/pretrain/paper/random-start.yaml. `neither` means dreams and
re-assignment; the training of `paper-losses` has nothing that is not in the paper."""


@dataclass(frozen=True)
class Args:
    """Changes one thing at a time in what learns from a random start."""

    only: str | None = None
    """Variants, with commas between them; all if not given."""
    iterations: int = 1500
    """Of each training."""
    frames: int = 4000
    """Frames to learn from; a tenth as many others to judge by."""
    jobs: int = 1
    """Trainings side by side."""
    threads: int = 1
    """CPU threads of each."""
    folder: Path = ROOT / "models" / "ablations"
    """Folder for frames, settings, models and logs."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


def measure(args: Args) -> str:
    """Learns and judges all variants; returns the table.

    Raises:
        ConfigError: when a variant does not exist.
        SpriteObsError: when a training fails, other than by a collapse.
    """
    names = args.only.split(",") if args.only else list(VARIANTS)
    for name in names:
        if name not in VARIANTS:
            raise ConfigError(f"only: expected some of {', '.join(VARIANTS)}, got {name!r}")
    seen = _frames(args.frames, TRAIN_SEED).images
    unseen = _frames(max(args.frames // UNSEEN_SHARE, 1), TEST_SEED).images
    data = store(args.folder.absolute(), "frames", seen, unseen)
    rows = []
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        for row in pool.map(learn, names, [data] * len(names), [args] * len(names)):
            print(" | ".join(row), file=sys.stderr)
            rows.append(row)
    return markdown_table(HEADER, rows)


def _frames(number_of: int, seed: int) -> Scenes:
    return floating(number_of, seed, side=64, scale=1, count=(2, 5))


def learn(name: str, data: Data, args: Args) -> list[str]:
    """Learns and judges a variant; returns its row.

    It is for a process of its own, whose error output, and that of `sprite-obs`, goes to a file.
    """
    folder = data.train.parent
    log, failed = folder / f"{name}.log", folder / f"{name}.failed.json"
    with log.open("w") as file:
        os.dup2(file.fileno(), STDERR)
    torch.set_num_threads(args.threads)
    settings = write_settings(name, args, folder / "settings")
    made_of = [settings.read_text(), args.frames]
    before = json.loads(failed.read_text()) if failed.exists() else {}
    if before.get("made_of") == made_of:
        return _failed_row(name, before["reason"])
    try:
        return _row(name, settings, data)
    except SpriteObsError:
        reason = FAILED.search(log.read_text())
        if not reason:
            raise SpriteObsError(f"{name}: learning failed, see {log}") from None
        write_text(failed, json.dumps({"made_of": made_of, "reason": reason[0]}))
        return _failed_row(name, reason[0])
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)  # ends the pool, which would go on with the next variant


def write_settings(name: str, args: Args, folder: Path) -> Path:
    """Writes the settings of a variant and returns the file."""
    values = yaml.safe_load((CONFIGS / "random-start.yaml").read_text())
    values["num_threads"] = args.threads
    values["train"]["iterations"] = args.iterations
    for part, changes in VARIANTS[name].items():
        values[part] |= changes
    file = folder / f"{name}.yaml"
    write_text(file, yaml.safe_dump(values))
    return file


def _row(name: str, settings: Path, data: Data) -> list[str]:
    config = str(settings.with_suffix(""))  # an absolute path, which `CONFIGS` does not change
    trial = run_trial(config, data, data.train.parent, name=name)
    figures = recovered(trial.encoder.sprites, drawings())
    best = number(figures.best_iou.mean(), 3)
    return [name, str(figures.num_recovered), best, *trial.cells()]


def _failed_row(name: str, reason: str) -> list[str]:
    return [name, reason, *["-"] * (len(HEADER) - 2)]


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    try:
        run_benchmark(lambda: measure(args), args.out)
    except (KeyboardInterrupt, BrokenProcessPool):
        print("interrupted; the same command goes on", file=sys.stderr)
        sys.exit(INTERRUPTED)
