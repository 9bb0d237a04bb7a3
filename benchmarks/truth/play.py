"""Plays a game at random and writes its frames and what OCAtari reads from the memory.

Run by `ground_truth.py` in OCAtari's own environment, which has no sprite_obs. The result is raw:
what moves, what is visible and what belongs to the display is found out afterwards.
"""

import argparse
import importlib
from pathlib import Path
from typing import Any

import numpy as np
from ocatari.core import OCAtari  # type: ignore[import-not-found]

WITHOUT_DISPLAY = ("Assault", "Enduro")
"""Games in which OCAtari 2.2.1 raises an error when it is asked for score and lives."""
WARM_UP = 20
"""First steps of an episode, which are not kept: the memory is not that of a game yet."""
FIRE_STEPS = (2, 4, 6)
"""Steps in which a game that waits for its fire button gets it."""
LONGEST_HOLD, PLAIN_SHARE = 12, 0.3


class Player:
    """Holds random actions for 1 to 12 steps, or acts plainly at random for as long."""

    def __init__(self, num_actions: int, rng: np.random.Generator):
        self._num_actions = num_actions
        self._rng = rng
        self._steps_left = 0

    def __call__(self) -> int:
        """Returns the next action."""
        if not self._steps_left:
            self._steps_left = int(self._rng.integers(1, LONGEST_HOLD + 1))
            self._plain = self._rng.random() < PLAIN_SHARE
            self._held = int(self._rng.integers(self._num_actions))
        self._steps_left -= 1
        return int(self._rng.integers(self._num_actions)) if self._plain else self._held


class Log:
    """What was seen: the frames that are kept, and the objects of every step."""

    def __init__(self, essential: set[str]):
        self.frames: list[np.ndarray] = []
        self.kept: list[tuple[int, int, int]] = []  # time, episode, step
        self.objects: list[tuple[int, ...]] = []  # time, episode, category, x, y, w, h, display
        self.categories: dict[str, int] = {}
        self._essential = essential

    def add_objects(self, objects: list[Any], time: int, episode: int) -> None:
        """Keeps the objects that there are; one whose box is not a number is not there."""
        for thing in objects:
            # A category that OCAtari does not count among a game's objects is a display too.
            if thing and thing.category != "NoObject" and np.isfinite(thing.xywh).all():
                display = thing.hud or thing.category not in self._essential
                category = self.categories.setdefault(thing.category, len(self.categories))
                box = (round(float(value)) for value in thing.xywh)
                self.objects.append((time, episode, category, *box, int(display)))

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all that `ground_truth.py` reads."""
        return {
            "frames": np.stack(self.frames),  # (N, H, W, 3) uint8
            "kept": np.array(self.kept),  # (N, 3)
            "objects": np.array(self.objects, int).reshape(-1, 8),  # (M, 8)
            "category_names": np.array(list(self.categories), "U32"),
        }


def play(game: str, num_frames: int, every: int, episode_steps: int, seed: int) -> Log:
    """Plays until enough frames are kept.

    Args:
        game: its name, as in `ALE/<game>-v5`, played as registered: four frames are a step, and an
            action is repeated by chance.
        num_frames: frames to keep.
        every: keep one of so many steps.
        episode_steps: an episode ends after so many steps, not counting the warm-up.
        seed: of the first episode and the player; the next episodes count on from it.
    """
    env = OCAtari(
        f"ALE/{game}-v5",
        hud=game not in WITHOUT_DISPLAY,
        obs_mode="ori",
        create_buffer_stacks=[],
    )
    memory = importlib.import_module(f"ocatari.ram.{game.lower()}")
    log = Log(set(memory.MAX_NB_OBJECTS))
    player = Player(env.action_space.n, np.random.default_rng([seed, 1]))
    time = episode = 0
    while len(log.frames) < num_frames:
        time = _play_episode(env, player, log, time, episode, every, episode_steps, seed + episode)
        episode += 1
    del log.frames[num_frames:], log.kept[num_frames:]
    return log


def _play_episode(
    env: Any, player: Player, log: Log, time: int, episode: int, every: int, steps: int, seed: int
) -> int:
    """Plays one episode and returns the time after it, in steps."""
    env.reset(seed=seed)
    meanings = env.unwrapped.get_action_meanings()
    for step in range(1, WARM_UP + steps + 1):
        fires = step in FIRE_STEPS and "FIRE" in meanings
        action = meanings.index("FIRE") if fires else player()
        # OCAtari returns `truncated` before `terminated`; either ends the episode.
        frame, _, truncated, terminated, _ = env.step(action)
        time += 1
        log.add_objects(env.objects, time, episode)
        if truncated or terminated:
            break
        if step > WARM_UP and (step - WARM_UP - 1) % every == 0:
            log.frames.append(frame.copy())
            log.kept.append((time, episode, step))
    return time


def main() -> None:
    """Runs the command; the file is for `ground_truth.py`, which makes the final one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("game")
    parser.add_argument("out", type=Path)
    for name in ("num_frames", "every", "episode_steps", "seed"):
        parser.add_argument(name, type=int)
    args = parser.parse_args()
    log = play(args.game, args.num_frames, args.every, args.episode_steps, args.seed)
    np.savez(args.out, **log.arrays())  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
