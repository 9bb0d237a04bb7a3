"""Measures how many steps per second are left when an agent sees sprites instead of frames.

python benchmarks/wrapper_speed.py --games Pong,Breakout --models models/benchmark

Bare and wrapped environment play the same game with the same random actions, in turns, on one core.
With --peers, other ways to see a game play along: Gymnasium's usual wrappers and OCAtari.
With --num-envs 8, ways to play 8 of them together are compared instead, on all cores.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import peer_speed
import torch
import tyro
import vector_speed
from measure import ROOT, markdown_table, number, run_benchmark, run_sprite_obs
from player import Player
from truth.environment import ENVIRONMENT

from sprite_obs.checkpoint import MODEL_FILE
from sprite_obs.envs.make import make_env
from sprite_obs.wrapper import SpriteObservation

HEADER = (
    "game",
    "model",
    "ALE, steps/s",
    "SpriteObservation, steps/s",
    "share",
    "times slower",
    "added, ms per step",
)


@dataclass(frozen=True)
class Args:
    """Measures how many steps per second are left when an agent sees sprites, not frames."""

    games: str = "Pong,Breakout,Freeway,SpaceInvaders,Boxing,MsPacman,Seaquest"
    """Atari games as in ALE/<Game>-v5, with commas between them."""
    models: Path = ROOT / "models" / "benchmark"
    """Folder with a model <Game>, as detection.py leaves it; others are learned ad hoc."""
    frames: int = 1000
    """Frames that such a model is learned from."""
    config: Path = ROOT / "configs" / "pretrain" / "debug.yaml"
    """Its settings."""
    steps: int = 2000
    """Steps of a run."""
    repeats: int = 5
    """Runs of each environment."""
    peers: bool = False
    """Compare with Gymnasium's AtariPreprocessing and FrameStackObservation, and with OCAtari."""
    ocatari: bool = True
    """With peers: OCAtari plays along."""
    environment: Path = ENVIRONMENT
    """Folder of OCAtari's own Python environment, which is made if it is not there."""
    num_envs: int = 0
    """Environments that are played together; 0 measures a single one."""
    processes: bool = True
    """With several: measure a process for each of them, too."""
    seed: int = 0
    """Seed of games and actions."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


def measure(args: Args, folder: Path) -> str:
    """Measures all games; returns the table. Models that are missing are learned in a folder."""
    torch.set_num_threads(1)
    games = args.games.split(",")
    if args.num_envs:
        return markdown_table(
            vector_speed.HEADER, [row for game in games for row in vector_rows(game, args, folder)]
        )
    if args.peers:
        return markdown_table(
            peer_speed.HEADER, [row for game in games for row in peer_rows(game, args, folder)]
        )
    return markdown_table(HEADER, [row(game, args, folder) for game in games])


def peer_rows(game: str, args: Args, folder: Path) -> list[list[str]]:
    """Measures other ways to see one game."""
    environment = args.environment if args.ocatari else None
    playing = peer_speed.players(game, model_of(game, args, folder), environment, args.seed)
    return peer_speed.rows(playing, game, args.steps, args.repeats)


def vector_rows(game: str, args: Args, folder: Path) -> list[list[str]]:
    """Measures ways to play several environments of one game."""
    model = model_of(game, args, folder)
    ways = vector_speed.ways(game, str(model), args.num_envs)
    if not args.processes:
        ways = {name: build for name, build in ways.items() if "processes" not in name}
    return vector_speed.rows(game, ways, args.num_envs, args.steps, args.repeats, args.seed)


def row(game: str, args: Args, folder: Path) -> list[str]:
    """Measures one game."""
    model = model_of(game, args, folder)
    bare, wrapped = compare(game, model, args)
    return [
        game,
        "benchmark" if model.parent == args.models else "ad hoc",
        number(1 / np.median(bare), 0),
        number(1 / np.median(wrapped), 0),
        number(np.median(bare / wrapped), 2),
        number(np.median(wrapped / bare), 2),
        number(1000 * np.median(wrapped - bare), 3),
    ]


def model_of(game: str, args: Args, folder: Path) -> Path:
    """Returns the folder of a game's model; one that is missing is learned."""
    model = args.models / game
    return model if (model / MODEL_FILE).exists() else learn(game, args, folder)


def learn(game: str, args: Args, folder: Path) -> Path:
    """Records and learns a game in a hurry; returns the model's folder."""
    recording, model = folder / f"{game}-recording", folder / game
    flags = "--frames", args.frames, "--seed", args.seed + 1, "--out", recording
    run_sprite_obs("record", "--env", f"ALE/{game}-v5", *flags)
    run_sprite_obs("pretrain", "--data", recording, "--config", args.config, "--out", model)
    return model


def compare(game: str, model: Path, args: Args) -> tuple[np.ndarray, np.ndarray]:
    """Returns CPU seconds per step of each run, bare and wrapped."""
    envs = [make_env(f"ALE/{game}-v5") for _ in range(2)]
    envs[1] = SpriteObservation(envs[1], str(model))
    players = [Player(env, args.seed) for env in envs]
    for player in players:  # compiles what is compiled, and fills what remembers
        player.run(args.steps)
    runs = [[player.run(args.steps) for player in players] for _ in range(args.repeats)]
    for player in players:
        player.close()
    bare, wrapped = np.array(runs).T
    return bare, wrapped


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    with TemporaryDirectory() as folder:
        run_benchmark(lambda: measure(args, Path(folder)), args.out)
