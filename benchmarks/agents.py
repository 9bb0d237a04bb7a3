"""Trains agents on objects, sprites and pixels, and compares what they reach.

python benchmarks/agents.py --games Pong --arms objects,pixels --seeds 3 --steps 1000000

Every arm has the same environments, seeds, count of steps and evaluation; hyper-parameters are
those of `configs/ppo`, for sprites those of a preset. A run is resumed where it was interrupted and
is not repeated when it is complete, so more seeds or games can be asked for later. Models are those
of the zoo.

Over the runs of an arm, IQM is the interquartile mean, and the interval in brackets holds 95 % of
it when the seeds are drawn again (percentile bootstrap), as Agarwal et al. (2021) recommend. With
fewer than three seeds there is no interval.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import tyro
from agents_plot import Curve, draw_curves
from measure import ROOT, markdown_table, number, run_benchmark, run_command
from scipy.stats import bootstrap, trim_mean

from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.files import write_atomically
from sprite_obs.view.picture import to_png

HEADER = (
    "game",
    "agent sees",
    "seeds",
    "steps",
    "training return, IQM",
    "deterministic, IQM",
    "with drawn actions, IQM",
    "steps/s",
    "minutes",
)
ARMS = ("objects", "sprites", "pixels", "ram")
LAST = 20
"""Episodes at the end of training over which the training return is a mean."""


@dataclass(frozen=True)
class Args:
    """Trains agents on objects, sprites and pixels, and compares what they reach."""

    games: str = "Pong"
    """Games, separated by commas; each needs a model in the zoo."""
    arms: str = "objects,pixels"
    """What agents see: objects, sprites, pixels, ram (true objects), separated by commas."""
    seeds: int = 3
    """Runs of each arm, with seeds from 0."""
    steps: int = 1_000_000
    """Environment steps of a run, four frames each."""
    preset: Literal["fast", "best"] = "fast"
    """Hyper-parameters of `agents/train_ppo.py`; pixels have their own."""
    episodes: int = 20
    """Episodes of the evaluation at the end, of each kind."""
    max_sprites: int = 32
    """Slots of the observation."""
    folder: Path = ROOT / "runs" / "benchmark"
    """Folder of the runs."""
    plot: Path | None = None
    """PNG file of the learning curves."""
    out: Path | None = None
    """Markdown file for the table; it is printed in any case."""


class Run(NamedTuple):
    """What a run has reached: `steps`, `seconds` and `returns` of its episodes, `(N,)` each."""

    steps: np.ndarray
    seconds: np.ndarray
    returns: np.ndarray
    deterministic: float
    drawn: float


def measure(args: Args) -> str:
    """Trains what is missing and returns the table.

    Raises:
        SpriteObsError: when a setting cannot be used or a run fails.
    """
    arms = args.arms.split(",")
    if unknown := set(arms) - set(ARMS):
        raise ConfigError(f"expected --arms of {ARMS}, got {unknown.pop()!r}")
    if min(args.seeds, args.steps, args.episodes) < 1:
        raise ConfigError("expected --seeds, --steps and --episodes of at least 1")
    rows, curves = [], []
    for game in args.games.split(","):
        for arm in arms:
            runs = [trained_run(args, game, arm, seed) for seed in range(args.seeds)]
            rows.append(table_row(game, arm, runs))
            curves += [Curve(game, arm, run.steps, run.returns) for run in runs]
    if args.plot:
        args.plot.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(args.plot, to_png(draw_curves(curves)))
    return markdown_table(HEADER, rows)


def trained_run(args: Args, game: str, arm: str, seed: int) -> Run:
    """Trains and evaluates one agent, as far as that is not done."""
    tuned = "-best" if args.preset == "best" and arm != "pixels" else ""
    folder = args.folder / f"{game}-{arm}{tuned}-{args.steps}-{seed}"
    if not (folder / "agent.zip").exists():
        train(args, game, arm, seed, folder)
    scores = [evaluated(folder, args.episodes, deterministic) for deterministic in (True, False)]
    lines = (folder / "episodes.csv").read_text().splitlines()[1:]
    if not lines:
        raise SpriteObsError(f"no episode ended in {args.steps} steps of {game}; use more --steps")
    steps, seconds, returns, _ = np.loadtxt(lines, delimiter=",", ndmin=2).T
    return Run(steps, seconds, returns, *scores)


def train(args: Args, game: str, arm: str, seed: int, folder: Path) -> None:
    """Begins a run or goes on with it."""
    begun = (folder / "interrupted.zip").exists() or list(folder.glob("checkpoints/*.zip"))
    flags: list[object] = ["--resume", folder]
    if not begun:
        content = ["--env", f"ALE/{game}-v5", "--obs", arm, "--max-sprites", args.max_sprites]
        model = [] if arm in ("pixels", "ram") else ["--model", game]
        tuned = [] if arm == "pixels" else ["--preset", args.preset]
        size = ["--total-timesteps", args.steps, "--seed", seed, "--eval-every", 0]
        flags = [*content, *model, *tuned, *size, "--out", folder]
    run_agents("train_ppo.py", *flags)


def evaluated(folder: Path, episodes: int, deterministic: bool) -> float:
    """Returns the mean score of an agent, from a file if it was measured before."""
    out = folder / f"{'deterministic' if deterministic else 'drawn'}-{episodes}.json"
    if not out.exists():
        kind = ["--deterministic"] if deterministic else []
        flags = ["--agent", folder / "agent.zip", "--episodes", episodes, "--seed", 10_000]
        run_agents("evaluate.py", *flags, *kind, "--out", out)
    return float(json.loads(out.read_text())["mean"])


def run_agents(script: str, *flags: object) -> None:
    """Runs a script of `agents/`.

    Raises:
        SpriteObsError: when it fails; it has said why on stderr.
    """
    command = [sys.executable, str(ROOT / "agents" / script), *map(str, flags)]
    if run_command(command)[0]:
        raise SpriteObsError(f"`{script}` failed, see above")


def table_row(game: str, arm: str, runs: list[Run]) -> list[str]:
    """Returns the row of an arm."""
    training = [float(run.returns[-LAST:].mean()) for run in runs]
    steps = [float(run.steps[-1]) for run in runs]
    seconds = [float(run.seconds[-1]) for run in runs]
    return [
        game,
        arm,
        str(len(runs)),
        number(float(np.mean(steps)), 0),
        with_interval(training),
        with_interval([run.deterministic for run in runs]),
        with_interval([run.drawn for run in runs]),
        number(sum(steps) / sum(seconds), 0),
        number(float(np.mean(seconds)) / 60, 1),
    ]


def interquartile_mean(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Returns the mean without the lowest and the highest quarter."""
    return trim_mean(scores, 0.25, axis=axis)


def with_interval(scores: list[float]) -> str:
    """Returns the interquartile mean and, from three seeds on, its interval."""
    mean = number(float(interquartile_mean(np.array(scores))), 1)
    if len(scores) < 3 or len(set(scores)) == 1:
        return mean
    drawn = bootstrap(
        (np.array(scores),), interquartile_mean, method="percentile", rng=np.random.default_rng(0)
    )
    low, high = drawn.confidence_interval
    return f"{mean} [{number(low, 1)}, {number(high, 1)}]"


if __name__ == "__main__":
    args = tyro.cli(Args)
    run_benchmark(lambda: measure(args), args.out)
