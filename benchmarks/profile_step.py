"""Measures what the stages of a step of SpriteObservation take, in microseconds.

python benchmarks/profile_step.py --games Pong,MsPacman --models models/benchmark

A game is played with random actions, and the parts of each step are timed where they are called,
the emulator among them. Each figure is the median over the steps, by the clock on the wall: most
steps are not disturbed by what else the machine does.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import tyro
from measure import ROOT, markdown_table, number, run_benchmark

from sprite_obs import observations
from sprite_obs.envs.make import make_env
from sprite_obs.lookup import reader, screen
from sprite_obs.wrapper import SpriteObservation

STEP, EMULATOR, REST = "whole step", "emulator", "rest"


@dataclass(frozen=True)
class Args:
    """Measures what the stages of a step take, in microseconds."""

    games: str = "Pong,Breakout,Freeway,SpaceInvaders,Boxing,MsPacman,Seaquest"
    """Atari games as in ALE/<Game>-v5, with commas between them."""
    models: Path = ROOT / "models" / "benchmark"
    """Folder with a model <Game>, as detection.py leaves it."""
    steps: int = 2000
    """Steps that are measured, after as many that are not."""
    seed: int = 0
    """Seed of game and actions."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


def stages(env: SpriteObservation) -> dict[str, tuple[Any, str]]:
    """Returns what does the work of each stage, in the order of a step: an owner and a name."""
    return {
        EMULATOR: (env.env, "step"),
        "palette index": (screen, "_index_changed"),
        "sprites": (reader, "read_usual"),
        "observation": (observations, "observe_table"),
    }


class Clock:
    """Takes the time of the calls of functions, step by step."""

    def __init__(self) -> None:
        self._now: dict[str, int] = defaultdict(int)
        self.steps: list[dict[str, int]] = []

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function that does the same and counts its nanoseconds."""

        def run(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter_ns()
            result = function(*args, **kwargs)
            self._now[name] += time.perf_counter_ns() - started
            return result

        return run

    def begin(self) -> None:
        """Begins a step: nothing has been counted."""
        self._now.clear()

    def end(self) -> None:
        """Keeps what was counted in a step."""
        self.steps.append(dict(self._now))


def profile(game: str, args: Args) -> dict[str, float]:
    """Returns the median microseconds of each stage, and the median number of things, as `n`."""
    env = SpriteObservation(make_env(f"ALE/{game}-v5"), str(args.models / game))
    env.reset(seed=args.seed)
    env.action_space.seed(args.seed)
    play(env, env.step, args.steps, Clock())  # compiles, and fills what remembers
    clock = Clock()
    with ExitStack() as patched:
        for name, (owner, attribute) in stages(env).items():
            timed = clock.timed(name, getattr(owner, attribute))
            patched.enter_context(patch.object(owner, attribute, timed))
        things = play(env, clock.timed(STEP, env.step), args.steps, clock)
    env.close()
    taken = {name: np.array([step.get(name, 0) for step in clock.steps]) for name in clock.steps[0]}
    taken[REST] = 2 * taken[STEP] - sum(taken.values())
    medians = {name: float(np.median(times)) / 1000 for name, times in taken.items()}
    return medians | {"n": float(np.median(things))}


def play(env: SpriteObservation, step: Callable[..., Any], steps: int, clock: Clock) -> list[int]:
    """Plays with random actions; returns how many slots were filled in each step."""
    filled = []
    for _ in range(steps):
        clock.begin()  # without what a reset took
        observation, _, terminated, truncated, _ = step(env.action_space.sample())
        clock.end()
        filled.append(int(observation["presence"].sum()))
        if terminated or truncated:
            env.reset()
    return filled


def measure(args: Args) -> str:
    """Profiles all games; returns the table, a column for each game."""
    torch.set_num_threads(1)
    games = args.games.split(",")
    profiles = [profile(game, args) for game in games]
    names = [name for name in profiles[0] if name not in (STEP, REST, "n")]
    rows = [[name, *(number(each[name], 1) for each in profiles)] for name in [*names, REST, STEP]]
    added = [number(each[STEP] - each[EMULATOR], 1) for each in profiles]
    things = [number(each["n"], 0) for each in profiles]
    rows += [["whole step but the emulator", *added], ["things in slots", *things]]
    return markdown_table(("stage, µs", *games), rows)


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: measure(args), args.out)
