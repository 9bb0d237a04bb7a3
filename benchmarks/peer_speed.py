"""The peers' part of `wrapper_speed.py`: other ways to see a game, in turns with sprites.

All play the same game from the same seed with the same actions, four frames of the emulator to a
step, and are timed by CPU time. OCAtari plays in a process and an environment of its own.
"""

import contextlib
import math
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation
from measure import number
from player import Player
from truth.environment import OCATARI, ocatari_python

from sprite_obs.envs.make import make_env
from sprite_obs.wrapper import SpriteObservation

HEADER = ("game", "environment", "steps/s", "SpriteObservation, times as fast")
OURS = "SpriteObservation"
SPEED = Path(__file__).parent / "truth" / "speed.py"
ANSWER = "seconds per step:"
"""Begins each of its answers, for what OCAtari imports prints lines too."""


class Plays(Protocol):
    """Whatever can be timed in turns."""

    def run(self, steps: int) -> float:
        """Plays so many steps and returns the CPU seconds that each took."""

    def close(self) -> None:
        """Ends the game."""


class OCAtariPlayer:
    """Plays OCAtari in a process of its own.

    Args:
        python: that can import OCAtari.
        game: its name, as in `ALE/<game>-v5`.
        mode: `ram` or `vision`.
        display: whether it looks for score and lives, too.
        seed: of game and actions.
    """

    def __init__(self, python: Path, game: str, mode: str, display: bool, seed: int):
        self._what = f"{OCATARI}, {mode} mode, {game}"
        command = [str(python), str(SPEED), game, mode, str(int(display)), str(seed)]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, stderr=subprocess.DEVNULL, **pipes)

    def run(self, steps: int) -> float:
        """Returns the CPU seconds of a step; nan when OCAtari failed, as it does in some games."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):  # it has ended; so there is no answer
            print(steps, file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                return float(line.removeprefix(ANSWER))
        print(f"{self._what}: ended without an answer", file=sys.stderr)
        return math.nan

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def preprocessed(game: str, obs_type: str = "rgb") -> gymnasium.Env:
    """Returns what agents that learn from pixels usually see: four small grey frames."""
    env = gymnasium.make(f"ALE/{game}-v5", frameskip=1, obs_type=obs_type)
    return FrameStackObservation(AtariPreprocessing(env, noop_max=0, frame_skip=4), 4)


def players(game: str, model: Path, environment: Path | None, seed: int) -> dict[str, Plays]:
    """Returns all that play a game, by name.

    Args:
        game: as in `ALE/<game>-v5`.
        model: folder of its model.
        environment: folder of OCAtari's environment; None leaves OCAtari out.
        seed: of games and actions.
    """
    bare = make_env(f"ALE/{game}-v5")
    sprites = SpriteObservation(make_env(f"ALE/{game}-v5"), str(model))
    stacked = "AtariPreprocessing + FrameStackObservation(4)"
    # By default the emulator gives a frame in colour after each of the four, which nobody looks at.
    grey = preprocessed(game, "grayscale")
    playing: dict[str, Plays] = {
        OURS: Player(sprites, seed),
        "bare": Player(bare, seed),
        stacked: Player(preprocessed(game), seed),
        f"{stacked}, obs_type='grayscale'": Player(grey, seed),
    }
    if environment:
        python = ocatari_python(environment)
        for mode, display in product(("vision", "ram"), (False, True)):
            name = f"OCAtari, {mode} mode" + ", with score and lives" * display
            playing[name] = OCAtariPlayer(python, game, mode, display, seed)
    return playing


def rows(playing: dict[str, Plays], game: str, steps: int, repeats: int) -> list[list[str]]:
    """Lets all play in turns; speeds are medians, the last column medians over pairs of runs."""
    try:
        for player in playing.values():  # compiles what is compiled, and fills what remembers
            player.run(steps)
        runs = [{name: one.run(steps) for name, one in playing.items()} for _ in range(repeats)]
    finally:
        for player in playing.values():
            player.close()
    seconds = {name: np.array([run[name] for run in runs]) for name in playing}
    return [
        [game, name, number(1 / np.median(taken), 0), number(np.median(taken / seconds[OURS]), 2)]
        for name, taken in seconds.items()
    ]
