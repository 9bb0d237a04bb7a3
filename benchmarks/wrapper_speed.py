"""Measures how many steps per second are left when an agent sees sprites instead of frames.

python benchmarks/wrapper_speed.py --games Pong,Breakout --models models/benchmark

Bare and wrapped environment play the same game with the same random actions, in turns, on one core.
With --num-envs 8, ways to play 8 of them together are compared instead, on all cores.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import gymnasium
import numpy as np
import torch
import tyro
import vector_speed
from measure import ROOT, markdown_table, number, run_benchmark, run_sprite_obs

from sprite_obs.checkpoint import MODEL_FILE
from sprite_obs.envs.make import make_env
from sprite_obs.wrapper import SpriteObservation

HEADER = (
    "game",
    "model",
    "ALE, steps/s",
    "SpriteObservation, steps/s",
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
    num_envs: int = 0
    """Environments that are played together; 0 measures a single one."""
    processes: bool = True
    """With several: measure a process for each of them, too."""
    seed: int = 0
    """Seed of games and actions."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


class Player:
    """Plays an environment with random actions, run after run."""

    def __init__(self, env: gymnasium.Env, seed: int):
        self._env = env
        env.reset(seed=seed)
        env.action_space.seed(seed)

    def run(self, steps: int) -> float:
        """Plays so many steps and returns the CPU seconds that each took, resets included."""
        actions = [self._env.action_space.sample() for _ in range(steps)]
        started = time.process_time()  # not disturbed by what else the machine does
        for action in actions:
            _, _, terminated, truncated, _ = self._env.step(action)
            if terminated or truncated:
                self._env.reset()
        return (time.process_time() - started) / steps


def measure(args: Args, folder: Path) -> str:
    """Measures all games; returns the table. Models that are missing are learned in a folder."""
    torch.set_num_threads(1)
    games = args.games.split(",")
    if args.num_envs:
        return markdown_table(
            vector_speed.HEADER, [row for game in games for row in vector_rows(game, args, folder)]
        )
    return markdown_table(HEADER, [row(game, args, folder) for game in games])


def vector_rows(game: str, args: Args, folder: Path) -> list[list[str]]:
    """Measures ways to play several environments of one game."""
    model = args.models / game
    if not (model / MODEL_FILE).exists():
        model = learn(game, args, folder)
    ways = vector_speed.ways(game, str(model), args.num_envs)
    if not args.processes:
        ways = {name: build for name, build in ways.items() if "processes" not in name}
    return vector_speed.rows(game, ways, args.num_envs, args.steps, args.repeats, args.seed)


def row(game: str, args: Args, folder: Path) -> list[str]:
    """Measures one game."""
    model = args.models / game
    is_ready = (model / MODEL_FILE).exists()
    if not is_ready:
        model = learn(game, args, folder)
    bare, wrapped = compare(game, model, args)
    return [
        game,
        "benchmark" if is_ready else "ad hoc",
        number(1 / np.median(bare), 0),
        number(1 / np.median(wrapped), 0),
        number(np.median(wrapped / bare), 2),
        number(1000 * np.median(wrapped - bare), 3),
    ]


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
    for env in envs:
        env.close()
    bare, wrapped = np.array(runs).T
    return bare, wrapped


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    with TemporaryDirectory() as folder:
        run_benchmark(lambda: measure(args, Path(folder)), args.out)
