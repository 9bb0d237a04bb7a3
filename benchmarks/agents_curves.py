"""What the tables and plots of `agents.py` are made of, small enough for a repository."""

from collections.abc import Iterable
from pathlib import Path

from agents_runs import KINDS, evaluation_file  # finds those of `agents/`, so it comes first
from runs import CONFIG, EPISODES, RESULT, read_config, write_json

from sprite_obs.errors import SpriteObsError
from sprite_obs.files import write_atomically


def keep_curves(runs: Iterable[Path], curves: Path, episodes: int) -> None:
    """Copies settings, episodes and evaluations of runs, but no agents, which are much larger.

    A copy replaces an older one, so a run may be kept before it is finished, and again.

    Args:
        runs: folders of runs; those in which no episode has ended are left out.
        curves: gets a folder of the same name for each.
        episodes: of the evaluations to keep.

    Raises:
        SpriteObsError: when the runs lie there already, or have no settings.
    """
    for run in runs:
        if not (run / EPISODES).exists():
            continue
        kept = curves / run.name
        if kept.resolve() == run.resolve():
            raise SpriteObsError(f"expected --keep of another folder than --folder, got {curves}")
        kept.mkdir(parents=True, exist_ok=True)
        write_json(kept / CONFIG, read_config(run) | {"out": None})  # says where the run lay
        evaluations = [evaluation_file(run, episodes, kind) for kind in KINDS]
        for file in (run / EPISODES, run / RESULT, *evaluations):
            if file.exists():
                write_atomically(kept / file.name, file.read_bytes())
