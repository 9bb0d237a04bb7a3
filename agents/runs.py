"""The folder of a training run: settings, agents, results, and where an interrupted run goes on."""

import io
import json
import re
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm

from sprite_obs.errors import SpriteObsError
from sprite_obs.files import write_atomically

CONFIG = "config.json"
AGENT = "agent.zip"
INTERRUPTED = "interrupted.zip"
CHECKPOINTS = "checkpoints"
STEPS = re.compile(r"agent_(\d+)_steps\.zip")


def make_folder(out: Path) -> None:
    """Makes the folder of a new run.

    Raises:
        SpriteObsError: when it holds an agent, whole or not.
    """
    if (out / AGENT).exists():
        raise SpriteObsError(f"{out} holds a trained agent already; choose another folder as --out")
    if newest_agent(out):
        raise SpriteObsError(
            f"{out} holds an interrupted run; go on with --resume {out}, or choose another --out"
        )
    out.mkdir(parents=True, exist_ok=True)


def newest_agent(run: Path) -> Path | None:
    """Returns the file of the agent that a run had reached last, None if it kept none."""
    checkpoints = [
        (int(match[1]), path)
        for path in run.glob(f"{CHECKPOINTS}/agent_*_steps.zip")
        if (match := STEPS.fullmatch(path.name))
    ]
    interrupted = run / INTERRUPTED  # kept later than any checkpoint of the same sitting
    if interrupted.exists():
        newer = [path for _, path in checkpoints if _age(path) > _age(interrupted)]
        if not newer:
            return interrupted
    return max(checkpoints)[1] if checkpoints else None


def agent_to_resume(run: Path) -> Path:
    """Returns the file of the agent with which an interrupted run goes on.

    Raises:
        SpriteObsError: when there is none, or the run is complete.
    """
    if (run / AGENT).exists():
        raise SpriteObsError(f"{run} is complete; nothing is left to resume")
    newest = newest_agent(run)
    if newest is None:
        raise SpriteObsError(
            f"expected --resume with the folder of an interrupted run, got {run}, which holds no "
            "agent; train anew"
        )
    return newest


def read_config(run: Path) -> dict[str, Any]:
    """Reads the settings of a run.

    Raises:
        SpriteObsError: when the file is missing or damaged.
    """
    try:
        config = json.loads((run / CONFIG).read_text())
    except (OSError, ValueError) as error:
        raise SpriteObsError(
            f"expected the settings of a run in {run / CONFIG}, got {error}; train anew"
        ) from error
    if not isinstance(config, dict):
        raise SpriteObsError(f"expected settings in {run / CONFIG}, got {config!r}; train anew")
    return config


def save_agent(agent: BaseAlgorithm, path: Path) -> None:
    """Writes SB3's zip file, whole or not at all."""
    data = io.BytesIO()
    agent.save(data)
    write_atomically(path, data.getvalue())


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes plain values as readable JSON."""
    write_atomically(path, (json.dumps(values, indent=2) + "\n").encode())


def _age(path: Path) -> float:
    return path.stat().st_mtime
