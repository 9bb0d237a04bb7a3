"""Makes a trained agent of the project out of a training run, and lists all of them.

python benchmarks/zoo_agents.py --run runs/benchmark/Pong-objects-best-1500000-1

The run's folder is one of `agents/train_ppo.py` or `benchmarks/agents.py`, with a sprite model of
the zoo. The agent is kept without what only learning needs, in `agents/zoo/<game>`, beside its
settings and what it scores; then `agents/zoo/README.md` is written. Evaluations that lie in the
run's folder are taken over, others are played: some minutes for each game.
"""

import io
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from agents_runs import evaluation_file
from measure import ROOT, run_benchmark, run_command, write_text
from zoo_agents_card import agents_card

from sprite_obs.errors import SpriteObsError
from sprite_obs.files import write_atomically
from sprite_obs.games import game_name, named_game
from sprite_obs.zoo.find import zoo_names

sys.path.insert(0, str(ROOT / "agents"))

from agent_zoo import ZOO
from runs import AGENT, CONFIG, load_ppo, read_config, write_json

MACHINES_OWN = ("out", "resume", "config")
"""Settings of a run that name files of the machine on which it was trained."""
FIRST_SEED = 10_000
"""Of the episodes of an evaluation; none was trained on."""


@dataclass(frozen=True)
class Args:
    """Makes a trained agent of the project out of a training run."""

    run: Path
    """Folder of the run."""
    episodes: int = 20
    """Episodes of each evaluation."""
    commit: str | None = None
    """Commit at which it was trained; the present one if not given."""
    out: Path = ZOO
    """Folder of the trained agents."""


def make_agent(args: Args) -> str:
    """Makes one agent and returns the table of all.

    Raises:
        SpriteObsError: when the run is not finished, sees no model of the zoo, or cannot be read.
    """
    if not (args.run / AGENT).exists():
        raise SpriteObsError(f"{args.run} holds no {AGENT}; expected the folder of a finished run")
    config = read_config(args.run)
    if named_game(config.get("model") or "") not in zoo_names():
        raise SpriteObsError(
            f"expected a run with a model of the zoo, got model {config.get('model')}; nobody else "
            "could play its agent"
        )
    folder = args.out / game_name(config["env"])
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / AGENT, without_learning(args.run / AGENT))
    origin = {"commit": args.commit or present_commit()}
    write_json(folder / CONFIG, config | dict.fromkeys(MACHINES_OWN) | origin)
    for deterministic in (True, False):
        evaluate(args, folder, deterministic)
    card = agents_card(args.out)
    write_text(args.out / "README.md", card)
    return card


def without_learning(path: Path) -> bytes:
    """Returns an agent's file without the optimiser's state and the games that were going on."""
    agent = load_ppo(path, torch.device("cpu"))
    agent.policy.optimizer.state.clear()
    agent._last_obs = agent._last_episode_starts = None
    agent.ep_info_buffer = agent.ep_success_buffer = None
    saved, packed = io.BytesIO(), io.BytesIO()
    agent.save(saved)
    with zipfile.ZipFile(saved) as parts, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            if name != "system_info.txt":  # of the machine, and not read
                # The same bytes each time: a plain ZipInfo has no date.
                part = zipfile.ZipInfo(name)
                out.writestr(part, parts.read(name), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def evaluate(args: Args, folder: Path, deterministic: bool) -> None:
    """Writes what an agent scores, without the paths of this machine."""
    source = evaluation_file(args.run, args.episodes, deterministic)
    out = evaluation_file(folder, args.episodes, deterministic)
    if source.exists():
        shutil.copyfile(source, out)
    else:
        flags = ["--agent", folder / AGENT, "--episodes", args.episodes, "--seed", FIRST_SEED]
        kind = ["--deterministic"] if deterministic else []
        command = [sys.executable, ROOT / "agents" / "evaluate.py", *flags, *kind, "--out", out]
        if run_command([str(part) for part in command])[0]:
            raise SpriteObsError("`evaluate.py` failed, see above")
    result: dict[str, Any] = json.loads(out.read_text())
    write_json(out, result | {"agent": folder.name})


def present_commit() -> str:
    """Returns the commit of this folder."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    args = tyro.cli(Args)
    run_benchmark(lambda: make_agent(args), None)
