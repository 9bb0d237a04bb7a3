"""EpisodeLog: the return of every episode of a training run, for learning curves."""

import math
import time
from pathlib import Path
from typing import TextIO

from stable_baselines3.common.callbacks import BaseCallback

from sprite_obs.files import write_atomically

HEADER = "timesteps,seconds,return,length\n"
SECONDS = "seconds_trained"
"""Attribute of an agent; SB3 keeps it in the agent's file, and so in every checkpoint."""


class EpisodeLog(BaseCallback):
    """Appends a line for each finished episode to a CSV file.

    `timesteps` are those of all environments together when the episode ended, `seconds` those that
    training took until then, `return` is the game's own score, `length` the episode's steps.

    A resumed run appends to what is there, without the episodes that ended after the agent with
    which it goes on was kept, for they are played again, and without damaged lines. Its seconds go
    on from those that the agent had been trained for, also when it was kept long after an episode.

    Args:
        path: the file.
    """

    def __init__(self, path: Path):
        super().__init__()
        self._path = path
        self._file: TextIO | None = None
        self._started = 0.0

    def _on_training_start(self) -> None:
        kept = [line for line in self._whole_lines() if _numbers(line)[0] <= self.num_timesteps]
        write_atomically(self._path, "".join([HEADER, *kept]).encode())
        self._file = self._path.open("a", buffering=1)  # a line at a time
        logged = max((_numbers(line)[1] for line in kept), default=0.0)
        # Agents of older runs do not know their seconds: the last episode's are the best guess.
        taken = max(getattr(self.model, SECONDS, 0.0), logged)
        self._started = time.monotonic() - taken

    def _whole_lines(self) -> list[str]:
        # What a full disk or a power cut leaves need not be text.
        text = self._path.read_text(errors="replace") if self._path.exists() else ""
        lines = [line + "\n" for line in text.split("\n")[:-1]]
        return [line for line in lines if len(_numbers(line)) == HEADER.count(",") + 1]

    def _on_step(self) -> bool:
        seconds = time.monotonic() - self._started
        setattr(self.model, SECONDS, seconds)
        for info in self.locals["infos"]:
            if episode := info.get("episode"):
                assert self._file is not None
                score, length = episode["r"], episode["l"]
                self._file.write(f"{self.num_timesteps},{seconds:.1f},{score},{length}\n")
        return True

    def _on_training_end(self) -> None:
        if self._file is not None:
            self._file.close()


def _numbers(line: str) -> list[float]:
    """Returns the numbers of a line, none if anything in it is not one."""
    try:
        numbers = [float(text) for text in line.split(",")]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []
