"""Learns each game of a folder and measures what the models find in unseen frames.

python benchmarks/detection.py --data DIR --out detection.md

DIR holds <Game>_train.npz and <Game>_test.npz; docs/detection.md says what is in the test files. Of
the train files, only the frames are read.
"""

import json
import math
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from measure import (
    ROOT,
    Usage,
    markdown_table,
    number,
    percent,
    run_benchmark,
    run_sprite_obs,
    write_text,
)

from sprite_obs.config import PretrainConfig, load_yaml, to_dict
from sprite_obs.errors import RecordingError

DECODERS = ("lookup", "network", "both")
DONE_FILE = "benchmark.json"
"""Written into a model's folder when it is complete: what it was made of, and what that took."""


@dataclass(frozen=True)
class Args:
    """Learns each game of a folder and measures what the models find in unseen frames."""

    data: Path
    """Folder with <Game>_train.npz and <Game>_test.npz."""
    games: str | None = None
    """Games to measure, with commas between them; all of the folder if not given."""
    config: Path = ROOT / "configs" / "pretrain" / "atari.yaml"
    """Settings, the same for all games."""
    models: Path = ROOT / "models" / "benchmark"
    """Folder for the models. One learned from the same frames and settings is not learned again."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


@dataclass(frozen=True)
class Row:
    """The figures of one decoder on one game; nan where there is nothing to measure."""

    moving_f1: float
    game_f1: float
    centre_f1: float
    few_shot: float
    types_per_category: float
    track_switches: float
    display_precision: float
    display_recall: float
    psnr: float
    exact_frames: float
    exact_pixels: float
    num_sprites: float
    seconds: float
    peak_mb: float
    cpu_seconds: float = math.nan


HEADER = (
    "game",
    "decoder",
    "F1 moving",
    "F1 game",
    "MOC F1 moving",
    "few_shot_16",
    "types per category",
    "track switches",
    "display precision",
    "display recall",
    "hard PSNR, dB",
    "exact frames, %",
    "exact pixels, %",
    "sprites",
    "pretraining, s",
    "peak memory, MB",
    "CPU, s",
)


def measure(args: Args) -> str:
    """Learns and measures all games; returns the table.

    Raises:
        SpriteObsError: when files are missing or of the wrong kind.
    """
    rows: dict[str, dict[str, Row]] = {decoder: {} for decoder in (*DECODERS, "chosen")}
    lines = []
    for game in games(args):
        model = args.models / game
        usage = pretrain(args.data / f"{game}_train.npz", args.config, model)
        chosen = json.loads((model / "model.json").read_text())["decoder"]
        for decoder in DECODERS:
            row = evaluate(args.data / f"{game}_test.npz", model, decoder, usage)
            rows[decoder][game] = row
            lines.append(
                [game, f"{decoder}, chosen" if decoder == chosen else decoder, *shown(row)]
            )
        rows["chosen"][game] = rows[chosen][game]
    lines += [["mean", decoder, *shown(mean(list(rows[decoder].values())))] for decoder in rows]
    return markdown_table(HEADER, lines)


def games(args: Args) -> list[str]:
    """Returns the games asked for, or all of the folder.

    Raises:
        RecordingError: when the folder lacks a game's file, or has none at all.
    """
    there = sorted(path.name.removesuffix("_test.npz") for path in args.data.glob("*_test.npz"))
    wanted = args.games.split(",") if args.games else there
    files = [args.data / f"{game}_{part}.npz" for game in wanted for part in ("train", "test")]
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not wanted:
        lacking = missing[0] if missing else f"{args.data}/<Game>_test.npz"
        raise RecordingError(f"expected a file {lacking}, but there is none")
    return wanted


def pretrain(data: Path, config: Path, model: Path) -> Usage:
    """Learns a game, unless that is done, and returns what it took."""
    made_of = {
        "config": to_dict(load_yaml(PretrainConfig, config)),
        "data": zlib.crc32(data.read_bytes()),
    }
    done_file = model / DONE_FILE
    done = json.loads(done_file.read_text()) if done_file.exists() else {}
    if done.get("made_of") == made_of:
        return Usage(**done["usage"])
    done_file.unlink(missing_ok=True)  # from here on, the model is no longer what it says
    usage = run_sprite_obs("pretrain", "--data", data, "--config", config, "--out", model)
    write_text(done_file, json.dumps({"made_of": made_of, "usage": usage._asdict()}, indent=2))
    return usage


def evaluate(data: Path, model: Path, decoder: str, usage: Usage) -> Row:
    """Measures one decoder on unseen frames."""
    out = model / f"{decoder}.json"
    files = "--data", data, "--ground-truth", data, "--model", model, "--out", out
    run_sprite_obs("evaluate", *files, "--decoder", decoder)
    figures = json.loads(out.read_text())
    moving, game = figures["detection"]["moving"], figures["detection"]["game"]
    display = figures["display"] or {"precision": math.nan, "recall": math.nan}
    identity = moving["identity"] or {"few_shot": {}, "ids_per_category": math.nan}
    return Row(
        moving_f1=f1(moving, "overlap"),
        game_f1=f1(game, "overlap"),
        centre_f1=f1(moving, "centre"),
        few_shot=identity["few_shot"].get("16", math.nan),
        types_per_category=identity["ids_per_category"],
        track_switches=(figures["tracking"] or {}).get("switches", math.nan),
        display_precision=display["precision"],
        display_recall=display["recall"],
        psnr=float(figures["psnr_hard"]),
        exact_frames=figures["exact_frames"],
        exact_pixels=figures["exact_pixels"],
        num_sprites=figures["num_sprites"],
        seconds=usage.seconds,
        peak_mb=usage.peak_mb,
        cpu_seconds=usage.cpu_seconds,
    )


def f1(figures: dict[str, Any], match: str) -> float:
    """Returns an F1, or nan where there are no objects to be found."""
    return figures[match]["f1"] if figures["num_objects"] else math.nan


def mean(rows: list[Row]) -> Row:
    """Returns the mean over games, without those where a figure is infinite or not measured."""
    table = np.array([list(asdict(row).values()) for row in rows])
    columns = [column[np.isfinite(column)] for column in table.T]
    return Row(*(float(column.mean()) if len(column) else math.nan for column in columns))


def shown(row: Row) -> list[str]:
    """Returns the figures as text, in the order of `HEADER`."""
    return [
        number(row.moving_f1, 3),
        number(row.game_f1, 3),
        number(row.centre_f1, 3),
        number(row.few_shot, 3),
        number(row.types_per_category, 1),
        number(row.track_switches, 2),
        number(row.display_precision, 3),
        number(row.display_recall, 3),
        number(row.psnr, 1),
        percent(row.exact_frames, 1),
        percent(row.exact_pixels, 3),
        number(row.num_sprites, 0),
        number(row.seconds, 0),
        number(row.peak_mb, 0),
        number(row.cpu_seconds, 0),
    ]


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: measure(args), args.out)
