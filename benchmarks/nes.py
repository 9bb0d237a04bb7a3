"""Learns the sprites of a NES game of our own and compares what is found with the console's table.

python benchmarks/nes.py --out nes.md

The game, its ROM and its drawings are in benchmarks/homebrew; a hero collects gems in scenery that
scrolls. The truth is the console's own table of sprites (OAM), which only measures.
"""

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from homebrew.rom import write_game
from homebrew.truth import Truth
from measure import (
    ROOT,
    Usage,
    markdown_table,
    number,
    percent,
    run_benchmark,
    run_command,
    run_sprite_obs,
)
from player import Player

from sprite_obs.envs.make import make_env
from sprite_obs.errors import SpriteObsError
from sprite_obs.files import replacing
from sprite_obs.frames.policies import StickyPolicy
from sprite_obs.wrapper import SpriteObservation


@dataclass(frozen=True)
class Args:
    """Learns a NES game of our own and compares what is found with the console's table."""

    frames: int = 3000
    """Frames that the model is learned from."""
    unseen: int = 500
    """Frames of other episodes that it is measured on."""
    config: Path = ROOT / "configs" / "pretrain" / "atari.yaml"
    """Settings of pretraining."""
    folder: Path | None = None
    """Keep ROM, recordings and model here instead of in a temporary folder."""
    steps: int = 300
    """Steps of a run of the comparison of speed."""
    repeats: int = 3
    """Runs of it, bare and wrapped in turns."""
    agent_steps: int = 0
    """Train PPO on the sprites for so many steps, and compare it with random actions."""
    agent_episodes: int = 20
    """Episodes of both."""
    seed: int = 0
    """Seed of recordings, play and agent."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


Figures = list[tuple[str, str]]


def measure(args: Args, folder: Path) -> str:
    """Learns and measures; returns the table.

    Raises:
        SpriteObsError: when a command fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    game, model, recording = write_game(folder), folder / "model", folder / "recording"
    run_sprite_obs(
        "record", "--env", game, "--frames", args.frames, "--seed", args.seed, "--out", recording
    )
    usage = run_sprite_obs(
        "pretrain", "--data", recording, "--config", args.config, "--out", model, "--device", "cpu"
    )
    rows = [*found_rows(game, model, folder, args), *pretraining_rows(usage)]
    rows += speed_rows(game, model, args)
    if args.agent_steps:
        rows += agent_rows(game, model, folder, args)
    return markdown_table(("figure", "value"), rows)


def found_rows(game: Path, model: Path, folder: Path, args: Args) -> Figures:
    """Measures what is found in unseen frames, and where in the world."""
    unseen, cameras = play_unseen(game, folder / "unseen.npz", args.unseen, args.seed + 1)
    out = folder / "figures.json"
    files = "--data", unseen, "--ground-truth", unseen, "--model", model, "--out", out
    run_sprite_obs("evaluate", *files, "--report", folder / "report.html")
    figures = json.loads(out.read_text())
    moving = figures["detection"]["moving"]
    identity, tracking = moving["identity"], figures["tracking"]
    return [
        ("F1 of 16x16 actors, IoU at least 0.5", number(moving["overlap"]["f1"], 3)),
        ("precision, recall", " ".join(number(moving["overlap"][k], 3) for k in RATES)),
        ("types per category", number(identity["ids_per_category"], 1)),
        ("types named from 16 examples", number(identity["few_shot"].get("16", np.nan), 3)),
        ("track switches per 100 frames of an actor", number(tracking["switches"], 2)),
        ("exact pixels of the hard reconstruction, %", percent(figures["exact_pixels"], 3)),
        ("exact frames, %", percent(figures["exact_frames"], 1)),
        ("hard PSNR, dB", number(float(figures["psnr_hard"]), 1)),
        ("different true cameras", str(len(np.unique(cameras)))),
        ("camera right up to a constant, % of frames", camera_right(model, unseen, cameras)),
    ]


RATES = ("precision", "recall")


def play_unseen(game: Path, out: Path, num_frames: int, seed: int) -> tuple[Path, np.ndarray]:
    """Plays as `sprite-obs record` does and writes frames with the truth.

    Returns:
        The file, and `(N,)`, the true camera's x of each frame.
    """
    truth = Truth()
    frames: list[np.ndarray] = []
    cameras: list[tuple[int, float]] = []
    episode = -1
    with make_env(str(game)) as env:
        act = StickyPolicy(env.action_space, seed)
        ended = True
        while len(frames) < num_frames:
            if ended:
                episode += 1
                frame, info = env.reset(seed=seed if episode == 0 else None)
            else:
                frame, _, terminated, truncated, info = env.step(act(frame))
            ended = not ended and (terminated or truncated)
            truth.add(info["oam"], episode)
            frames.append(frame)
            cameras.append((episode, info["camera_x"]))
    table = np.array(cameras, np.int32)
    arrays: dict[str, Any] = truth.arrays()
    arrays |= {"frames": np.stack(frames), "episode": table[:, 0]}
    with replacing(out) as file:
        np.savez_compressed(file, **arrays)
    return out, table[:, 1]


def camera_right(model: Path, unseen: Path, cameras: np.ndarray) -> str:
    """Returns the share of frames whose camera is off by the commonest difference, in %."""
    from sprite_obs.frozen import FrozenEncoder

    encoder = FrozenEncoder.load(model)
    with np.load(unseen) as arrays:
        found = encoder.cameras(arrays["frames"])[:, 0]
    _, counts = np.unique(found - cameras, return_counts=True)
    return percent(counts.max() / len(cameras), 1)


def pretraining_rows(usage: Usage) -> Figures:
    """Returns what pretraining took."""
    return [
        ("pretraining, s", number(usage.seconds, 0)),
        ("pretraining, CPU s", number(usage.cpu_seconds, 0)),
        ("peak memory, MB", number(usage.peak_mb, 0)),
    ]


def speed_rows(game: Path, model: Path, args: Args) -> Figures:
    """Compares steps per CPU second, bare and with sprites, in turns."""
    torch.set_num_threads(1)
    bare = Player(make_env(str(game)), args.seed)
    wrapped = Player(SpriteObservation(make_env(str(game)), model), args.seed)
    seconds = np.array(
        [(bare.run(args.steps), wrapped.run(args.steps)) for _ in range(args.repeats)]
    )
    for player in (bare, wrapped):
        player.close()
    return [
        ("bare environment, steps/s", number(1 / float(np.median(seconds[:, 0])), 0)),
        ("SpriteObservation, steps/s", number(1 / float(np.median(seconds[:, 1])), 0)),
        ("share", number(float(np.median(seconds[:, 0] / seconds[:, 1])), 2)),
    ]


def agent_rows(game: Path, model: Path, folder: Path, args: Args) -> Figures:
    """Trains PPO on sprites and compares its returns with those of random actions."""
    out, result = folder / "agent", folder / "agent.json"
    shared = "--env", game, "--model", model, "--seed", args.seed
    usage = run_agents(
        "train_ppo.py", *shared, "--out", out, "--total-timesteps", args.agent_steps,
        "--num-envs", 4, "--ppo.n-steps", 128, "--ppo.batch-size", 128,
        "--eval-every", 0, "--checkpoint-every", 0,
    )  # fmt: skip
    played = "--agent", out / "agent.zip", "--episodes", args.agent_episodes, "--out", result
    run_agents("evaluate.py", *shared[:4], "--seed", args.seed + 100, *played)
    trained = np.array(json.loads(result.read_text())["returns"])
    chance = random_returns(game, args.agent_episodes, args.seed + 100)
    return [
        ("PPO, steps", str(args.agent_steps)),
        ("PPO, s", number(usage.seconds, 0)),
        ("return of PPO", spread(trained)),
        ("return of random actions", spread(chance)),
    ]


def run_agents(script: str, *flags: object) -> Usage:
    """Runs a script of agents/.

    Raises:
        SpriteObsError: when it fails; it has said why on stderr.
    """
    command = [sys.executable, ROOT / "agents" / script, *flags]
    exit_code, usage = run_command([str(part) for part in command])
    if exit_code:
        raise SpriteObsError(f"agents/{script} failed, see above")
    return usage


def random_returns(game: Path, episodes: int, seed: int) -> np.ndarray:
    """Plays uniformly random actions; returns the return of each episode."""
    returns = []
    with make_env(str(game)) as env:
        env.action_space.seed(seed)
        for episode in range(episodes):
            env.reset(seed=seed + episode)
            total, ended = 0.0, False
            while not ended:
                _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
                total, ended = total + float(reward), terminated or truncated
            returns.append(total)
    return np.array(returns)


def spread(values: Any) -> str:
    """Returns mean and standard deviation as text."""
    return f"{np.mean(values):.1f} ± {np.std(values):.1f}"


def main() -> None:
    """Prints the table; without a folder, all else is thrown away."""
    args = tyro.cli(Args, description=__doc__)
    if args.folder:
        run_benchmark(lambda: measure(args, args.folder or Path()), args.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        run_benchmark(lambda: measure(args, Path(folder)), args.out)


if __name__ == "__main__":
    main()
