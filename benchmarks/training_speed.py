"""Measures time and memory of a training iteration, at the published code's default setting.

python benchmarks/training_speed.py --out training_speed.md
python benchmarks/training_speed.py --device cuda --batch-sizes 8,64 --precision bf16 \
    --warmup 20 --iterations 100 --peak-tflops 989

That setting: frames of 128 x 128 pixels, 8 x 8 anchors on 2 layers, 150 sprites. Each variant goes
through the loop of `sprite-obs pretrain` in a process of its own, so that its memory is its own.
"""

import contextlib
import math
import multiprocessing
import os
import re
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import tyro
from measure import BYTES_OF_MAXRSS, ROOT, markdown_table, number, run_benchmark
from synthetic.floating import floating
from torch.utils.flop_counter import FlopCounterMode

from sprite_obs.config import PretrainConfig, TrainConfig, load_yaml
from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.model.build import build_model
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.collapse import check_collapse
from sprite_obs.pretrain.loop import LOOKED_AT, Report, train
from sprite_obs.pretrain.parallel import make_fabric
from sprite_obs.pretrain.step import TrainingData

CONFIGS = ROOT / "configs" / "pretrain"
MAX_ACTIVE = 48
PUBLISHED_SECONDS, PUBLISHED_BATCH = 30, 8
"""An iteration of the published code; see `NOTE`."""
HEADER = (
    "variant",
    "batch",
    "device",
    "seconds per iteration",
    "iterations/s",
    f"times faster than {PUBLISHED_SECONDS} s",
    "peak memory, MB",
    "peak with a check, MB",
    "peak on the device, MB",
    "GFLOP per iteration",
    "share of the device's peak, %",
)
NOTE = f"""\
The {PUBLISHED_SECONDS} s (and 9 GB) of the published code were measured once, with a batch of \
{PUBLISHED_BATCH} on 2 CPU cores of a
machine of the same kind; here they are a constant, and other batches are compared per frame. The
check looks at {LOOKED_AT} frames, to notice a collapse. FLOPs are of convolutions and matrix \
products only."""


@dataclass(frozen=True)
class Args:
    """Measures time and memory of a training iteration."""

    only: str | None = None
    """Variants, with commas between them; all if not given. paper: configs/pretrain/paper.yaml as
    it is; paper-shared-shifts: without its shift network; paper-max-active: that, with 48 anchors
    composited per frame; recipe: ours for Figure 6, on as few anchors; recipe-all-anchors: that,
    with all of them composited; recipe-own-anchors: ours on the anchors of its configuration."""
    batch_sizes: str = "8"
    """Frames per iteration, with commas between numbers."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where to train."""
    precision: Literal["32", "bf16"] = "32"
    """Arithmetic of the forward pass."""
    threads: int = 2
    """CPU threads."""
    warmup: int = 2
    """Iterations before those that are measured."""
    iterations: int = 7
    """Iterations of which the median is taken."""
    peak_tflops: float | None = None
    """The device's peak at this precision in 10^12 FLOP/s; without it, no share is given."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


class Figures(NamedTuple):
    """What the columns from `device` on say; nan where there is nothing to say."""

    device: str
    seconds: float = math.nan
    peak_mb: float = math.nan
    checked_mb: float = math.nan
    device_mb: float = math.nan
    flop: float = math.nan


def measure(args: Args) -> str:
    """Measures all variants; returns the table, and a note below it.

    Raises:
        ConfigError: when a variant, the device or a size does not exist.
    """
    known, sizes = variants(), args.batch_sizes.split(",")
    names = args.only.split(",") if args.only else list(known)
    for name in names:
        if name not in known:
            raise ConfigError(f"only: expected some of {', '.join(known)}, got {name!r}")
    if args.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device: expected cpu, as there is no CUDA device")
    if not all(size.isdecimal() for size in sizes) or args.iterations < 1:
        raise ConfigError("batch_sizes, iterations: expected numbers of 1 or more")
    # As in `sprite-obs`: threads that spin while they wait disturb everything else.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    rows = [
        row(name, _changed(known[name], batch_size=int(size), precision=args.precision), args)
        for name in names
        for size in sizes
    ]
    return f"{markdown_table(HEADER, rows)}\n\n{NOTE}"


def variants() -> dict[str, PretrainConfig]:
    """Returns by name what can be measured."""
    paper = load_yaml(PretrainConfig, CONFIGS / "paper.yaml")
    figure6 = load_yaml(PretrainConfig, CONFIGS / "paper" / "figure6-full.yaml")
    own_anchors = _changed(figure6, num_sprites=paper.model.num_sprites)
    stride = paper.model.anchor_stride
    recipe = _changed(own_anchors, anchor_stride=stride, max_shift=stride // 2)
    shared = _changed(paper, shifts="shared")
    return {
        "paper": paper,
        "paper-shared-shifts": shared,
        "paper-max-active": _changed(shared, max_active=MAX_ACTIVE),
        "recipe-all-anchors": _changed(recipe, max_active=None),
        "recipe": recipe,
        "recipe-own-anchors": own_anchors,
    }


def _changed(config: PretrainConfig, **changes: Any) -> PretrainConfig:
    """Changes settings of model and training, whose names differ."""
    of_model = {key: value for key, value in changes.items() if key in asdict(config.model)}
    of_train = {key: value for key, value in changes.items() if key not in of_model}
    return replace(
        config, model=replace(config.model, **of_model), train=replace(config.train, **of_train)
    )


def row(name: str, config: PretrainConfig, args: Args) -> list[str]:
    """Measures a variant in a fresh process; returns its line of the table."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        figures = pool.submit(measure_here, config, args).result()
    return cells(name, config.train.batch_size, figures, args)


def cells(name: str, batch: int, figures: Figures, args: Args) -> list[str]:
    """Returns the figures as text, in the order of `HEADER`."""
    published = batch / PUBLISHED_BATCH * PUBLISHED_SECONDS
    share = figures.flop / figures.seconds / ((args.peak_tflops or math.nan) * 1e12)
    return [
        name,
        str(batch),
        figures.device,
        "out of memory" if math.isnan(figures.seconds) else number(figures.seconds, 3),
        number(1 / figures.seconds, 2),
        number(published / figures.seconds, 1),
        number(figures.peak_mb, 0),
        number(figures.checked_mb, 0),
        number(figures.device_mb, 0),
        number(figures.flop / 1e9, 1),
        number(100 * share, 1),
    ]


def measure_here(config: PretrainConfig, args: Args) -> Figures:
    """Trains for a few iterations in this process."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(config.seed)
    device = f"CPU, {args.threads} threads"
    if args.device == "cuda":
        device = torch.cuda.get_device_name()
    device += ", bf16" if args.precision == "bf16" else ""
    try:
        return _measured(config, args)._replace(device=device)
    except torch.cuda.OutOfMemoryError:
        return Figures(device)


def _measured(config: PretrainConfig, args: Args) -> Figures:
    images = floating(LOOKED_AT, seed=0).images
    frames = torch.from_numpy(images).permute(0, 3, 1, 2).to(args.device)
    size = images.shape[1], images.shape[2]
    model = build_model(config.model, config.model.num_sprites, size, torch.ones(3))
    few = replace(config.train, iterations=args.warmup + args.iterations)
    times = [time.perf_counter()]
    _train(model, frames, few, args.device, lambda *_: times.append(time.perf_counter()))
    seconds = float(np.median(np.diff(times)[args.warmup :]))
    peak_mb = _peak_mb()
    device_mb = torch.cuda.max_memory_allocated() / 1e6 if frames.is_cuda else math.nan
    with contextlib.suppress(SpriteObsError):  # after so few iterations anything may be found
        check_collapse(model, frames.float() / 255, config.train.max_active, few.iterations)
    with FlopCounterMode(display=False) as counter:
        _train(model, frames, replace(few, iterations=1), args.device)
    flop = float(counter.get_total_flops())
    return Figures(args.device, seconds, peak_mb, _peak_mb(), device_mb, flop)


def _train(
    model: SpriteModel,
    frames: torch.Tensor,
    config: TrainConfig,
    device: str,
    report: Report | None = None,
) -> None:
    """Runs the loop of `sprite-obs pretrain`."""
    fabric = make_fabric(torch.device(device), config)
    with TemporaryDirectory() as folder:
        train(model, TrainingData(frames), config, fabric, Path(folder), 0, {}, report=report)


def _peak_mb() -> float:
    """Returns the most resident memory of this process so far."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_OF_MAXRSS / 1e6
    # Linux counts in ru_maxrss what the process that started this one had.
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
    return int(found[1]) * 1024 / 1e6 if found else math.nan


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: measure(args), args.out)
