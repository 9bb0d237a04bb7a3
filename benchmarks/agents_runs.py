"""What the training runs of `agents.py` have reached, read from their folders."""

import json
import math
import sys
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from measure import ROOT

from sprite_obs.errors import SpriteObsError

sys.path.insert(0, str(ROOT / "agents"))

from runs import EPISODES, RESULT

LAST = 20
"""Episodes over which a training return is a mean."""

FIRST_SEED = 10_000
"""Of the episodes of an evaluation; none was trained on."""
STICKY_ACTIONS = 0.25
"""Of the games ALE/*-v5."""
TOGETHER = 10
"""Episodes of an evaluation that are played at the same time."""

Axis = Literal["steps", "seconds"]
Kind = Literal["deterministic", "drawn", "unsticky"]
"""Of evaluations: the most probable actions; actions that are drawn; these without sticky actions,
where the most probable ones would always end in the same episode."""


class Played(NamedTuple):
    """How an evaluation is played, whatever the agent was trained with."""

    deterministic: bool
    sticky_actions: float


KINDS: dict[Kind, Played] = {
    "deterministic": Played(True, STICKY_ACTIONS),
    "drawn": Played(False, STICKY_ACTIONS),
    "unsticky": Played(False, 0.0),
}


class Run(NamedTuple):
    """A run: `steps`, `seconds` and `returns` of its episodes, `(N,)` each, and its evaluations.

    A run is `finished` when its training has ended; evaluations that were not made are nan.
    """

    steps: np.ndarray
    seconds: np.ndarray
    returns: np.ndarray
    finished: bool
    deterministic: float = math.nan
    drawn: float = math.nan
    unsticky: float = math.nan

    def last(self, axis: Axis) -> float:
        """Returns when the last episode ended."""
        return float(getattr(self, axis)[-1])

    def return_at(self, axis: Axis, limit: float) -> float:
        """Returns the mean of the last episodes that had ended by then, nan if none had."""
        ended = self.returns[getattr(self, axis) <= limit][-LAST:]
        return float(ended.mean()) if len(ended) else math.nan


def read_run(folder: Path, episodes: int) -> Run | None:
    """Returns what a run has reached, None if no episode of it has ended.

    Args:
        folder: of the run.
        episodes: of the evaluations to read.

    Raises:
        SpriteObsError: when a line is not that of an episode, or steps or seconds fall.
    """
    file = folder / EPISODES
    lines = file.read_text().splitlines()[1:] if file.exists() else []
    if not lines:
        return None
    try:
        steps, seconds, returns, _ = np.loadtxt(lines, delimiter=",", ndmin=2).T
    except ValueError as error:
        raise SpriteObsError(
            f"expected lines of steps, seconds, return and length in {file}, got: {error}; going "
            f"on with the run (--resume {folder}) leaves damaged lines out"
        ) from error
    _refuse_falling(file, "steps", steps)
    _refuse_falling(file, "seconds", seconds)
    means = {kind: _mean(evaluation_file(folder, episodes, kind)) for kind in get_args(Kind)}
    return Run(steps, seconds, returns, (folder / RESULT).exists(), **means)


def evaluation_file(folder: Path, episodes: int, kind: Kind) -> Path:
    """Returns where the evaluation of a run is kept."""
    return folder / f"{kind}-{episodes}.json"


def evaluation_flags(agent: Path, episodes: int, kind: Kind) -> list[str]:
    """Returns what `agents/evaluate.py` is to be called with for an evaluation."""
    played = f"--episodes {episodes} --seed {FIRST_SEED} --num-envs {TOGETHER}".split()
    actions = ["--deterministic"] if KINDS[kind].deterministic else []
    sticky = ["--sticky-actions", str(KINDS[kind].sticky_actions)]
    return ["--agent", str(agent), *played, *actions, *sticky]


def _refuse_falling(file: Path, axis: Axis, values: np.ndarray) -> None:
    falls = np.flatnonzero(np.diff(values) < 0)
    if len(falls):
        before, after = values[falls[0]], values[falls[0] + 1]
        raise SpriteObsError(
            f"expected {axis} that never fall in {file}, got {before:.10g} and then {after:.10g}; "
            f"older versions counted anew when a run was resumed: delete {file.parent}, train again"
        )


def _mean(file: Path) -> float:
    return float(json.loads(file.read_text())["mean"]) if file.exists() else math.nan
