"""Plays OCAtari by turns: `speed.py GAME MODE DISPLAY SEED`, then a number of steps in each line.

Run by `peer_speed.py` in OCAtari's own environment, which has no sprite_obs. Answers each line with
the CPU seconds that a step took, resets included.
"""

import sys
import time
from typing import Any

from ocatari.core import OCAtari  # type: ignore[import-not-found]

ANSWER = "seconds per step:"
"""As in `peer_speed.py`."""


def run(env: OCAtari, steps: int) -> float:
    """Plays as `player.Player.run` does."""
    actions = [env.action_space.sample() for _ in range(steps)]
    started = time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return (time.process_time() - started) / steps


def main() -> None:
    """Plays until the input ends. Observations are the plain frames: no stack is kept for them."""
    game, mode, display, seed = sys.argv[1:]
    plain: dict[str, Any] = {"obs_mode": "ori", "create_buffer_stacks": []}
    env = OCAtari(f"ALE/{game}-v5", mode=mode, hud=bool(int(display)), **plain)
    env.reset(seed=int(seed))
    env.action_space.seed(int(seed))
    for line in sys.stdin:
        print(ANSWER, run(env, int(line)), flush=True)


if __name__ == "__main__":
    main()
