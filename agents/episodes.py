"""EpisodeLog: the return of every episode of a training run, for learning curves."""

import time
from pathlib import Path
from typing import TextIO

from stable_baselines3.common.callbacks import BaseCallback

from sprite_obs.files import write_atomically

HEADER = "timesteps,seconds,return,length\n"


class EpisodeLog(BaseCallback):
    """Appends a line for each finished episode to a CSV file.

    `timesteps` are those of all environments together when the episode ended, `seconds` those that
    training took until then, `return` is the game's own score, `length` the episode's steps.

    Args:
        path: the file; a resumed run appends to what is there, without the episodes that ended
            after the agent with which it goes on was kept: they are played again.
    """

    def __init__(self, path: Path):
        super().__init__()
        self._path = path
        self._file: TextIO | None = None
        self._started = 0.0

    def _on_training_start(self) -> None:
        lines = self._path.read_text().splitlines(keepends=True)[1:] if self._path.exists() else []
        kept = [line for line in lines if int(line.partition(",")[0]) <= self.num_timesteps]
        write_atomically(self._path, "".join([HEADER, *kept]).encode())
        self._file = self._path.open("a", buffering=1)  # a line at a time
        taken = float(kept[-1].split(",")[1]) if kept else 0.0
        self._started = time.monotonic() - taken

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if episode := info.get("episode"):
                assert self._file is not None
                seconds = time.monotonic() - self._started
                score, length = episode["r"], episode["l"]
                self._file.write(f"{self.num_timesteps},{seconds:.1f},{score},{length}\n")
        return True

    def _on_training_end(self) -> None:
        if self._file is not None:
            self._file.close()
