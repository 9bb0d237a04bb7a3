"""Makes a trained agent of the project out of a training run, and lists all of them.

python benchmarks/zoo_agents.py --run runs/benchmark/Pong-objects-best-1500000-1 --commit 3f88c23

The run's folder is one of `agents/train_ppo.py`, `train_dqn.py` or `benchmarks/agents.py`, with a
sprite model of the zoo. The agent is kept without what only learning needs, in `agents/zoo/<game>`,
beside its settings and what it scores; then `agents/zoo/README.md` is written. Evaluations that lie
in the run's folder are taken over, others are played: some minutes for each game. Only then do they
take the place of an older agent of the game.
"""

import io
import json
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import tyro
from agents_runs import (
    FIRST_SEED,
    KINDS,
    STICKY_ACTIONS,
    Kind,
    Played,
    evaluation_file,
    evaluation_flags,
)
from measure import ROOT, run_benchmark, run_command, write_text
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import nn
from zoo_agents_card import agents_card

from sprite_obs.errors import SpriteObsError
from sprite_obs.files import write_atomically
from sprite_obs.games import game_name, named_game
from sprite_obs.zoo.find import zoo_names

sys.path.insert(0, str(ROOT / "agents"))

from agent_zoo import ZOO
from algorithms import COMMIT, algorithm_of
from dqn_agent import forget_memory_class
from runs import AGENT, CONFIG, VISITS, load_to_learn_on, read_config, write_json

MACHINES_OWN = ("out", "resume", "config")
"""Settings of a run that name files of the machine on which it was trained."""


@dataclass(frozen=True)
class Args:
    """Makes a trained agent of the project out of a training run."""

    run: Path
    """Folder of the run."""
    commit: str
    """Commit at which it was trained."""
    episodes: int = 20
    """Episodes of each evaluation."""
    out: Path = ZOO
    """Folder of the trained agents."""


def make_agent(args: Args) -> str:
    """Makes one agent and returns the table of all.

    An older agent of the game, with its scores, stays as it is until the new one has been played.

    Raises:
        SpriteObsError: when the run is not finished, sees no model of the zoo, or cannot be read,
            or an evaluation in its folder is another one.
    """
    config = config_of(args.run)
    name = game_name(config["env"])
    args.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=args.out) as workshop:
        fresh = Path(workshop, name)
        fresh.mkdir()
        write_atomically(fresh / AGENT, without_learning(args.run / AGENT))
        origin = {COMMIT: args.commit}
        write_json(fresh / CONFIG, config | dict.fromkeys(MACHINES_OWN) | origin)
        for kind in KINDS:
            evaluate(args, fresh, kind)
        if (args.out / name).exists():
            (args.out / name).rename(Path(workshop, "old"))
        fresh.rename(args.out / name)
    card = agents_card(args.out)
    write_text(args.out / "README.md", card)
    return card


def config_of(run: Path) -> dict[str, Any]:
    """Returns the settings of a run that can become an agent of the project.

    Raises:
        SpriteObsError: when it is not finished, sees no model of the zoo, or cannot be read.
    """
    if not (run / AGENT).exists():
        raise SpriteObsError(f"{run} holds no {AGENT}; expected the folder of a finished run")
    config = read_config(run)
    if named_game(config.get("model") or "") not in zoo_names():
        raise SpriteObsError(
            f"expected a run with a model of the zoo, got model {config.get('model')}; nobody else "
            "could play its agent"
        )
    return config


def without_learning(path: Path) -> bytes:
    """Returns an agent's file without the optimiser's state, visits and the games going on."""
    config = read_config(path.parent)
    algorithm = algorithm_of(config)
    _, hyper_parameters = algorithm.read_settings(config)
    agent = load_to_learn_on(path, algorithm.agent_class(hyper_parameters), torch.device("cpu"))
    forget_learning(agent)
    saved = io.BytesIO()
    agent.save(saved)
    return packed_again(saved)


def forget_learning(agent: BaseAlgorithm) -> None:
    """Empties what only learning needs; a target network becomes the network itself."""
    agent.policy.optimizer.state.clear()
    agent._last_obs = agent._last_original_obs = agent._last_episode_starts = None
    agent.ep_info_buffer = agent.ep_success_buffer = None
    vars(agent).pop(VISITS, None)
    forget_memory_class(agent)
    for network in ("q_net", "quantile_net"):
        if target := getattr(agent.policy, f"{network}_target", None):
            share_memory(target, getattr(agent.policy, network))


def share_memory(target: nn.Module, network: nn.Module) -> None:
    """Makes a target network's parameters those of the network, so that they are written once."""
    for of_target, parameter in zip(target.parameters(), network.parameters(), strict=True):
        of_target.data = parameter.data


def packed_again(saved: io.BytesIO) -> bytes:
    """Returns an agent's file that is compressed, and the same each time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(saved) as parts, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            if name != "system_info.txt":  # of the machine, and not read
                part = zipfile.ZipInfo(name)  # which has no date
                out.writestr(part, parts.read(name), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def evaluate(args: Args, folder: Path, kind: Kind) -> None:
    """Writes what an agent scores, without the paths of this machine."""
    source = evaluation_file(args.run, args.episodes, kind)
    out = evaluation_file(folder, args.episodes, kind)
    if source.exists():
        shutil.copyfile(source, out)
    else:
        flags = evaluation_flags(folder / AGENT, args.episodes, kind)
        command = [sys.executable, ROOT / "agents" / "evaluate.py", *flags, "--out", out]
        if run_command([str(part) for part in command])[0]:
            raise SpriteObsError("`evaluate.py` failed, see above")
    result: dict[str, Any] = json.loads(out.read_text())
    check_evaluation(source, result, args.episodes, kind)
    write_json(out, result | {"agent": folder.name})


def check_evaluation(file: Path, result: dict[str, Any], episodes: int, kind: Kind) -> None:
    """Refuses an evaluation that is not what the page says of all.

    Raises:
        SpriteObsError: when its episodes are not as many, have other seeds, or were played in
            another way than those of its kind.
    """
    # Before sticky actions could be set, they were the game's own.
    sticky = result.get("sticky_actions", STICKY_ACTIONS)
    played = Played(bool(result.get("deterministic")), STICKY_ACTIONS if sticky is None else sticky)
    if played != KINDS[kind]:
        raise SpriteObsError(
            f"expected episodes of {KINDS[kind]} in {file}, got {played}; delete it, and the agent "
            "is played again"
        )
    seeds, number = result.get("seeds"), len(result.get("returns", ()))
    if number != episodes or seeds != list(range(FIRST_SEED, FIRST_SEED + episodes)):
        raise SpriteObsError(
            f"expected {episodes} returns with seeds from {FIRST_SEED} in {file}, got {number} "
            f"with seeds {str(seeds)[:30]}; delete it, and the agent is played again"
        )


if __name__ == "__main__":
    args = tyro.cli(Args)
    run_benchmark(lambda: make_agent(args), None)
