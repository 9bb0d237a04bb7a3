"""Measures how long pretraining takes, how much memory, and how good the model is after it.

python benchmarks/pretrain_speed.py --out pretrain_speed.md

Frames to learn from are recorded, and others, of another seed, to judge the model by.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro
from measure import ROOT, markdown_table, number, percent, run_benchmark, run_sprite_obs

HEADER = (
    "environment",
    "frames",
    "pretraining, s",
    "CPU, s",
    "peak memory, MB",
    "sprites",
    "decoder",
    "unseen frames",
    "hard PSNR, dB",
    "exact frames, %",
    "exact pixels, %",
)


@dataclass(frozen=True)
class Args:
    """Measures how long pretraining takes, how much memory, and how good the model is after it."""

    env: str = "ALE/Pong-v5"
    """Id of the environment."""
    frames: int = 3000
    """Frames to learn from."""
    unseen_frames: int = 1000
    """Frames to judge the model by."""
    seed: int = 0
    """Seed of the frames to learn from; the unseen ones have the next one."""
    config: Path = ROOT / "configs" / "pretrain" / "atari.yaml"
    """Settings of pretraining."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


def measure(args: Args, folder: Path) -> str:
    """Records, learns and judges in a folder; returns the table."""
    seen, unseen, model = (folder / name for name in ("seen", "unseen", "model"))
    for out, frames, seed in (
        (seen, args.frames, args.seed),
        (unseen, args.unseen_frames, args.seed + 1),
    ):
        flags = "--frames", frames, "--seed", seed, "--out", out
        run_sprite_obs("record", "--env", args.env, *flags)
    usage = run_sprite_obs("pretrain", "--data", seen, "--config", args.config, "--out", model)
    out = folder / "figures.json"
    run_sprite_obs("evaluate", "--model", model, "--data", unseen, "--out", out)
    figures = json.loads(out.read_text())
    row = [
        args.env,
        str(args.frames),
        number(usage.seconds, 0),
        number(usage.cpu_seconds, 0),
        number(usage.peak_mb, 0),
        str(figures["num_sprites"]),
        figures["decoder"],
        str(args.unseen_frames),
        number(float(figures["psnr_hard"]), 1),
        percent(figures["exact_frames"], 1),
        percent(figures["exact_pixels"], 3),
    ]
    return markdown_table(HEADER, [row])


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    with TemporaryDirectory() as folder:
        run_benchmark(lambda: measure(args, Path(folder)), args.out)
