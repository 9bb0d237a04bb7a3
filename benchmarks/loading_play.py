"""Loads a model and plays, for `loading.py`: `loading_play.py GAME MODEL STEPS`.

Prints one JSON object as its last line: CPU and wall seconds of each stage, and MB of resident
memory with the libraries, after a bare game and after a wrapped one.
"""

import json
import resource
import sys
import time
from pathlib import Path

import ale_py
import gymnasium
import torch

taken: dict[str, tuple[float, float]] = {}


def clock() -> tuple[float, float]:
    """Returns CPU and wall seconds."""
    return time.process_time(), time.perf_counter()


def lap(stage: str, since: tuple[float, float]) -> None:
    """Keeps what a stage took."""
    cpu, wall = clock()
    taken[stage] = cpu - since[0], wall - since[1]


def keep_memory(stage: str) -> None:
    """Keeps the resident memory in MB; where there is no /proc, its peak so far."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        size = int(statm.read_text().split()[1]) * resource.getpagesize()
    else:
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    taken[stage] = size / 1e6, 0.0


def play(env: gymnasium.Env, steps: int) -> None:
    """Plays with random actions."""
    env.action_space.seed(0)
    for _ in range(steps):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()


def main() -> None:
    """Plays a bare game, then loads the model and plays another game with it."""
    game, model, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    gymnasium.register_envs(ale_py)
    keep_memory("libraries")
    bare = gymnasium.make(f"ALE/{game}-v5")
    bare.reset(seed=0)
    play(bare, steps)
    keep_memory("bare")
    started = clock()
    from sprite_obs.frozen import FrozenEncoder
    from sprite_obs.wrapper import SpriteObservation

    lap("import", started)
    started = clock()
    FrozenEncoder.load(model)
    lap("load", started)
    env = SpriteObservation(bare, model)
    started = clock()
    env.reset(seed=0)
    lap("reset", started)
    play(env, steps)
    keep_memory("wrapped")
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
