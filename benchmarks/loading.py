"""Measures how long it takes until SpriteObservation plays, and how much memory it holds.

python benchmarks/loading.py --games Pong,MsPacman --models models/benchmark

Each figure is from a process of its own. The first one of all finds no compiled code, as after an
installation; what it compiled is kept on disk, for the ones after it. Seconds are CPU time, medians
over processes; in brackets by the clock on the wall, the shortest.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tyro
from measure import ROOT, markdown_table, number, run_benchmark

from sprite_obs.errors import SpriteObsError

HEADER = (
    "game",
    "compiled code",
    "import sprite_obs.wrapper, s",
    "FrozenEncoder.load, s",
    "first reset, s",
    "PyTorch, Gymnasium and ALE, MB",
    "a played bare game, MB more",
    "SpriteObservation after its steps, MB more",
    "steps",
)
PLAY = Path(__file__).parent / "loading_play.py"


@dataclass(frozen=True)
class Args:
    """Measures how long it takes until SpriteObservation plays, and how much memory it holds."""

    games: str = "Pong,Breakout,Freeway,SpaceInvaders,Boxing,MsPacman,Seaquest"
    """Atari games as in ALE/<Game>-v5, with commas between them."""
    models: Path = ROOT / "models" / "benchmark"
    """Folder with a model <Game>, as detection.py leaves it."""
    steps: int = 1000
    """Steps that are played before memory is measured."""
    repeats: int = 3
    """Processes for each game."""
    cold: bool = True
    """Begin with nothing compiled; takes half a minute. Otherwise with what is compiled so far."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


Stages = dict[str, list[float]]
"""What `loading_play.py` prints: CPU and wall seconds of each stage; MB and zero."""


def play(game: str, args: Args, cache: Path | None) -> Stages:
    """Loads and plays in a process of its own, with compiled code from a folder."""
    command = [sys.executable, str(PLAY), game, str(args.models / game), str(args.steps)]
    if cache:
        command = ["env", f"NUMBA_CACHE_DIR={cache}", *command]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:  # the last line of a traceback says why
        raise SpriteObsError(f"{game}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def row(game: str, compiled: str, runs: list[Stages], steps: int) -> list[str]:
    """Returns a row of the table from the processes of one game."""

    def seconds(stage: str) -> str:
        cpu, wall = np.array([run[stage] for run in runs]).T
        return f"{number(np.median(cpu), 2)} ({number(wall.min(), 2)})"

    def megabytes(stage: str) -> float:
        return float(np.median([run[stage][0] for run in runs]))

    levels = [megabytes(stage) for stage in ("libraries", "bare", "wrapped")]
    return [
        game,
        compiled,
        *(seconds(stage) for stage in ("import", "load", "reset")),
        number(levels[0], 0),
        number(levels[1] - levels[0], 0),
        number(levels[2] - levels[1], 0),
        str(steps),
    ]


def measure(args: Args, cache: Path | None) -> str:
    """Measures all games; returns the table."""
    games = args.games.split(",")
    rows = []
    if cache:
        rows.append(row(games[0], "none", [play(games[0], args, cache)], args.steps))
    for game in games:
        play(game, args, cache)  # compiles what this game needs beyond the others
        runs = [play(game, args, cache) for _ in range(args.repeats)]
        rows.append(row(game, "on disk", runs, args.steps))
    return markdown_table(HEADER, rows)


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    with TemporaryDirectory() as folder:
        run_benchmark(lambda: measure(args, Path(folder) if args.cold else None), args.out)
