"""Trains agents on objects, sprites and pixels, and compares what they reach.

python benchmarks/agents.py --games Pong --arms objects,pixels --seeds 3 --steps 1000000
python benchmarks/agents.py --games Pong,Boxing --arms objects:300000,pixels:100000 --partial

Every arm has the same environments, seeds, count of steps (unless given others) and evaluation;
hyper-parameters are those of `configs/ppo`, for sprites those of a preset, with its bonus for
visits, which pixels and `objects_no_bonus` have not; those of `objects_dqn`, which DQN trains, are
those of `configs/dqn`. Pixels are the brighter ones of the last two
frames of a step, and sprites those of both where the game draws in every other frame. A run is
resumed where it was interrupted and is not repeated when it is complete, so more seeds or games can
be asked for later. Models are those of the zoo.

Over the runs of an arm, IQM is the interquartile mean, and the interval in brackets holds 95 % of
it when the seeds are drawn again (percentile bootstrap), as Agarwal et al. (2021) recommend. With
fewer than three seeds there is no interval. A second table compares arms where all arms of a game
have come, in steps and in minutes, and, with rliable, over all games together.
"""

import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import tyro
from agents_ahead import ahead_table
from agents_alike import check_trained_alike
from agents_arms import ARMS, flags_of_arm
from agents_curves import keep_curves
from agents_plot import Curve, draw_curves
from agents_runs import KINDS, Kind, Run, evaluation_file, evaluation_flags, read_run
from agents_scores import as_text, score
from measure import ROOT, markdown_table, number, run_benchmark, run_command
from ppo_settings import Preset

from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.files import write_atomically
from sprite_obs.view.picture import to_png

HEADER = (
    "game",
    "agent sees",
    "seeds",
    "finished",
    "steps",
    "training return, IQM",
    "deterministic, IQM",
    "with drawn actions, IQM",
    "drawn, without sticky actions, IQM",
    "steps/s",
    "minutes",
)


@dataclass(frozen=True)
class Args:
    """Trains agents on objects, sprites and pixels, and compares what they reach."""

    games: str = "Pong"
    """Games, separated by commas; each needs a model in the zoo."""
    arms: str = "objects,pixels"
    """What agents see: objects, sprites, pixels, ram (true objects), or objects_dqn (trained by
    DQN), objects_no_bonus (for visits), separated by commas; each may have its own steps, as in
    `objects:300000,pixels:100000`."""
    seeds: int = 3
    """Runs of each arm, with seeds from 0."""
    steps: int = 1_000_000
    """Environment steps of a run, four frames each, where `arms` has none."""
    preset: Preset = "fast"
    """Hyper-parameters of `agents/train_ppo.py`; pixels and DQN have their own."""
    episodes: int = 20
    """Episodes of the evaluation at the end, of each kind."""
    max_sprites: int = 32
    """Slots of the observation."""
    folder: Path = ROOT / "runs" / "benchmark"
    """Folder of the runs."""
    keep: Path | None = None
    """Folder that gets the curves of the runs, without agents: with `--partial`, it is a `--folder`
    that makes the same tables again."""
    partial: bool = False
    """Report what there is, unfinished runs too; nothing is trained or played."""
    plot: Path | None = None
    """PNG file of the learning curves."""
    out: Path | None = None
    """Markdown file for the tables; they are printed in any case."""


def measure(args: Args) -> str:
    """Trains what is missing and returns the tables.

    Raises:
        SpriteObsError: when a setting cannot be used or a run fails.
    """
    arms = steps_of_arms(args)
    if min(args.seeds, args.episodes, *arms.values()) < 1:
        raise ConfigError("expected --seeds, --steps and --episodes of at least 1")
    folders = check_runs(args, arms)
    games = {
        game: {arm: runs_of(args, game, arm, steps) for arm, steps in arms.items()}
        for game in args.games.split(",")
    }
    all_runs = [
        (game, arm, run) for game, of in games.items() for arm, runs in of.items() for run in runs
    ]
    if not all_runs:
        raise SpriteObsError(f"no episode has ended in {args.folder}; leave --partial out to train")
    if args.keep:
        keep_curves(folders, args.keep, args.episodes)
    if args.plot:
        curves = [Curve(game, arm, *run[:3]) for game, arm, run in all_runs]
        args.plot.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(args.plot, to_png(draw_curves(curves)))
    rows = [table_row(game, arm, runs) for game, of in games.items() for arm, runs in of.items()]
    tables = [markdown_table(HEADER, rows)]
    if len(arms) > 1:
        tables.append(ahead_table(games))
    return "\n\n".join(tables)


def check_runs(args: Args, arms: dict[str, int]) -> list[Path]:
    """Returns the folders of all runs that are asked for, whether they are there or not.

    Raises:
        SpriteObsError: when one is not trained as its arm is.
    """
    folders = []
    for game, arm, seed in product(args.games.split(","), arms, range(args.seeds)):
        folders.append(run_folder(args, game, arm, arms[arm], seed))
        check_trained_alike(folders[-1], game, arm, args.preset, args.max_sprites)
    return folders


def steps_of_arms(args: Args) -> dict[str, int]:
    """Returns how many steps the runs of each arm have.

    Raises:
        ConfigError: when `--arms` names something else, or something twice.
    """
    arms: dict[str, int] = {}
    for text in args.arms.split(","):
        arm, colon, steps = text.partition(":")
        if arm not in ARMS or arm in arms or (colon and not steps.isdecimal()):
            raise ConfigError(
                f"expected --arms of {', '.join(ARMS)}, each once, with :STEPS or without, got "
                f"{text!r} in {args.arms!r}"
            )
        arms[arm] = int(steps) if colon else args.steps
    return arms


def run_folder(args: Args, game: str, arm: str, steps: int, seed: int) -> Path:
    """Returns the folder of a run."""
    tuned = "-best" if args.preset == "best" and ARMS[arm].has_presets else ""
    return args.folder / f"{game}-{arm}{tuned}-{steps}-{seed}"


def runs_of(args: Args, game: str, arm: str, steps: int) -> list[Run]:
    """Returns the runs of an arm; trains and evaluates them first, as far as that is not done.

    Raises:
        SpriteObsError: when a run fails, or none of its episodes has ended.
    """
    runs = []
    for seed in range(args.seeds):
        folder = run_folder(args, game, arm, steps, seed)
        if not args.partial:
            train(args, game, arm, steps, seed, folder)
            for kind in KINDS:
                evaluate(folder, args.episodes, kind)
        run = read_run(folder, args.episodes)
        if run is None and not args.partial:
            raise SpriteObsError(f"no episode ended in {steps} steps of {game}; use more --steps")
        runs += [run] if run else []
    return runs


def train(args: Args, game: str, arm: str, steps: int, seed: int, folder: Path) -> None:
    """Begins a run or goes on with it, unless it is complete."""
    if (folder / "agent.zip").exists():
        return
    script = f"train_{ARMS[arm].algorithm}.py"
    if (folder / "interrupted.zip").exists() or list(folder.glob("checkpoints/*.zip")):
        run_agents(script, "--resume", folder)
    else:
        flags = flags_of_arm(arm, game, args.preset, args.max_sprites, steps, seed)
        run_agents(script, *flags, "--out", folder)


def evaluate(folder: Path, episodes: int, kind: Kind) -> None:
    """Lets an agent play, unless it was measured before."""
    out = evaluation_file(folder, episodes, kind)
    if not out.exists():
        flags = evaluation_flags(folder / "agent.zip", episodes, kind)
        run_agents("evaluate.py", *flags, "--out", out)


def run_agents(script: str, *flags: object) -> None:
    """Runs a script of `agents/`.

    Raises:
        SpriteObsError: when it fails; it has said why on stderr.
    """
    command = [sys.executable, str(ROOT / "agents" / script), *map(str, flags)]
    if run_command(command)[0]:
        raise SpriteObsError(f"`{script}` failed, see above")


def table_row(game: str, arm: str, runs: list[Run]) -> list[str]:
    """Returns the row of an arm; dashes for what not all of its runs have."""
    finished = sum(run.finished for run in runs)
    if not runs:
        return [game, arm, "0", "partial", *["-"] * (len(HEADER) - 4)]
    steps, seconds = ([run.last(axis) for run in runs] for axis in ("steps", "seconds"))
    return [
        game,
        arm,
        str(len(runs)),
        "all" if finished == len(runs) else f"partial, {finished} of {len(runs)}",
        number(float(np.mean(steps)), 0),
        as_text(score([run.return_at("steps", run.last("steps")) for run in runs])),
        as_text(score([run.deterministic for run in runs])),
        as_text(score([run.drawn for run in runs])),
        as_text(score([run.unsticky for run in runs])),
        number(sum(steps) / sum(seconds), 0),
        number(float(np.mean(seconds)) / 60, 1),
    ]


if __name__ == "__main__":
    args = tyro.cli(Args)
    run_benchmark(lambda: measure(args), args.out)
