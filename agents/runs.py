"""The folder of a training run: settings, agents, results, and where an interrupted run goes on."""

import io
import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from sprite_obs.errors import SpriteObsError
from sprite_obs.files import write_atomically

Agent = TypeVar("Agent", bound=BaseAlgorithm)
CONFIG = "config.json"
AGENT = "agent.zip"
EPISODES = "episodes.csv"
RESULT = "result.json"
"""Written last, when a run is complete."""
INTERRUPTED = "interrupted.zip"
CHECKPOINTS = "checkpoints"
VISITS = "visits"
"""Attribute of an agent that learned with a bonus for visits; SB3 keeps it in the agent's file."""


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
    kept = [*run.glob(f"{CHECKPOINTS}/agent_*_steps.zip"), *run.glob(INTERRUPTED)]
    return max(kept, key=lambda path: path.stat().st_mtime_ns, default=None)


def agent_to_resume(run: Path) -> Path:
    """Returns the file of the agent with which an interrupted run goes on.

    Raises:
        SpriteObsError: when there is none, or the run is complete.
    """
    if not run.is_dir():
        raise SpriteObsError(f"expected --resume with the folder of a run, but there is no {run}")
    if (run / AGENT).exists():
        raise SpriteObsError(f"{run} is complete; nothing is left to resume")
    newest = newest_agent(run)
    if newest is None:
        raise SpriteObsError(
            f"expected --resume with the folder of an interrupted run, got {run}, which holds no "
            "agent; train anew"
        )
    return newest


def load_to_learn_on(path: Path, algorithm: type[Agent], device: torch.device) -> Agent:
    """Reads an agent that is to learn on.

    Raises:
        SpriteObsError: when the file is truncated or no agent of this algorithm of SB3.
    """
    # SB3 takes the class of its own memory for a user's, and warns that `n_steps` is ignored.
    anew = {"replay_buffer_class": None}
    try:
        return algorithm.load(path, device=device, custom_objects=anew)
    except Exception as error:  # whatever a damaged file makes unpickling do
        reason = str(error).partition("\n")[0]
        raise SpriteObsError(
            f"{path} is truncated or no agent ({reason}); delete it to go on from the one before"
        ) from error


def read_config(run: Path) -> dict[str, Any]:
    """Reads the settings of a run.

    Raises:
        SpriteObsError: when the file is missing, damaged or another program's.
    """
    config = _read_config_file(run)
    if not is_config(config):
        raise SpriteObsError(
            f"expected settings with env and obs in {run / CONFIG}, got {str(config)[:80]}; "
            "train anew"
        )
    return config


def config_to_resume(run: Path, algorithm: str) -> dict[str, Any]:
    """Reads the settings of a run that goes on.

    Raises:
        SpriteObsError: as `read_config` does, and when another algorithm's script began it.
    """
    config = read_config(run)
    if algorithm not in config:
        began = "dqn" if algorithm == "ppo" else "ppo"
        raise SpriteObsError(
            f"{run} is no run of agents/train_{algorithm}.py; resume it with "
            f"agents/train_{began}.py"
        )
    return config


def is_config(values: Any) -> bool:
    """Returns whether values are settings of a run; other programs write a `config.json`, too."""
    return isinstance(values, dict) and {"env", "obs"} <= values.keys()


def find_config(agent: Path) -> dict[str, Any]:
    """Returns the settings of the run whose folder an agent lies in, none if there are none.

    Raises:
        SpriteObsError: when they are damaged.
    """
    for folder in (agent.parent, agent.parent.parent):  # of checkpoints/, too
        if (folder / CONFIG).is_file():
            config = _read_config_file(folder)
            if is_config(config):
                return config
    return {}


def _read_config_file(run: Path) -> Any:
    try:
        return json.loads((run / CONFIG).read_text())
    except (OSError, ValueError) as error:
        raise SpriteObsError(
            f"expected the settings of a run in {run / CONFIG}, got {error}; train anew"
        ) from error


def save_agent(agent: BaseAlgorithm, path: Path) -> None:
    """Writes SB3's zip file, whole or not at all."""
    data = io.BytesIO()
    agent.save(data)
    write_atomically(path, data.getvalue())


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes plain values as readable JSON."""
    write_atomically(path, (json.dumps(values, indent=2) + "\n").encode())
