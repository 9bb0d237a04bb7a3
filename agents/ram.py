"""What is truly there, read from the console's memory, to compare sprites with.

The objects are OCAtari's. They get slots as sprites do, so that an agent's observation has the same
keys and sizes. For comparison only: no model is learned from them.
"""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from sprite_obs.detections import Detections, from_rows
from sprite_obs.errors import SpriteObsError
from sprite_obs.lookup.display import STILL, DisplayRows
from sprite_obs.lookup.links import Links
from sprite_obs.lookup.meaning import Meaning
from sprite_obs.observations import ObservationBuilder, rows_of

ENVIRONMENT = Path(__file__).parent.parent / "models" / "ocatari"
"""Folder of OCAtari's own Python environment."""
STAMP = ".installed"
"""File of a finished environment, as `benchmarks/truth/environment.py` writes it."""
WORKER = Path(__file__).with_name("ram_worker.py")
FRAME_SHAPE = 210, 160, 3
"""Of the frames in whose pixels objects are measured; other heights only differ at the bottom."""


class Reader:
    """Reads objects off memories in a process of its own, since OCAtari needs NumPy below 2.

    Args:
        game: its name, as in `ALE/<game>-v5`.
        num_envs: environments whose memories are followed.
        display: whether score, lives and the like are looked for.

    Attributes:
        categories: name, most objects at once, and whether it is display, of each category, in
            OCAtari's order, which means nothing.

    Raises:
        SpriteObsError: when OCAtari is not installed, or cannot read the game.
    """

    def __init__(self, game: str, num_envs: int, display: bool):
        if not (ENVIRONMENT / STAMP).is_file():
            raise SpriteObsError(
                f"the memory is read with OCAtari, expected in {ENVIRONMENT}, which is missing or "
                "unfinished; make its environment with `python benchmarks/truth/environment.py`"
            )
        self._game, python = game, ENVIRONMENT / "bin" / "python"
        # A pipe that nobody reads would fill. The file is gone once it is closed.
        self._complaints = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        command = [str(python), str(WORKER), game, str(num_envs), str(int(display))]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, stderr=self._complaints, **pipes)
        self.categories: list[tuple[str, int, bool]] = self._answer()

    def read(self, asked: list[tuple[int, bool, np.ndarray]]) -> list[list[list[int]]]:
        """Returns the objects in some memories: index of the category, left, top, width, height.

        Args:
            asked: environment, whether its episode begins, and its memory, `(128,)` uint8.

        Raises:
            SpriteObsError: when OCAtari fails.
        """
        assert self._process.stdin
        line = json.dumps([(env, begins, memory.tobytes().hex()) for env, begins, memory in asked])
        with contextlib.suppress(BrokenPipeError):  # it has ended, so there is no answer
            print(line, file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout
        answer = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            self.close()
            reason = f"{answer['error']}{self._last_complaint()}"
            raise SpriteObsError(f"OCAtari cannot read {self._game}: {reason}; use another --obs")
        return answer

    def _last_complaint(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().splitlines()
        return f" ({lines[-1]})" if lines else ""


class Categories:
    """Tells an `ObservationBuilder` what there can be: each category is a type with one look.

    A type's rank divides the weight of its slots, so ids follow `by_rarity`. How full its slots are
    on average is not known; all are taken for equally full.

    Args:
        categories: as `Reader` has them, in any order.
    """

    frame_shape: tuple[int, ...] = FRAME_SHAPE

    def __init__(self, categories: Sequence[tuple[str, int, bool]]):
        order = by_rarity(categories)
        self._type = {category: number + 1 for number, category in enumerate(order)}
        categories = [categories[category] for category in order]
        self.num_sprites = self.num_types = len(categories)
        self.type_capacity = np.array([0, *(most for _, most, _ in categories)], np.int32)
        self.object_capacity = self.type_capacity
        self.type_counts = np.tile(self.type_capacity, (2, 1))
        self.object_counts = self.type_counts
        self.former_types: Sequence[int] = ()
        ids = np.arange(self.num_types + 1, dtype=np.int32)
        moves = np.array([False, *(not display for *_, display in categories)])
        everywhere = np.array([(STILL, 0, 0, FRAME_SHAPE[1], FRAME_SHAPE[0])])
        no_tiles = np.zeros(0, np.int64)
        display_rows = DisplayRows(everywhere, moves, ids[1:], no_tiles, FRAME_SHAPE)
        no_links = Links(np.zeros((0, 4), np.int32))
        self.meaning = Meaning(ids, no_links.arrays, display_rows.arrays)

    def detections(self, objects: list[list[list[int]]]) -> Detections:
        """Returns the objects of some environments, which stand for the frames of a batch."""
        rows = [
            (row, self._type[category], 0, left, top, width, height, 1.0)
            for row, boxes in enumerate(objects)
            for category, left, top, width, height in boxes
        ]
        return from_rows(rows, np.arange(1, self.num_types + 1))


def by_rarity(categories: Sequence[tuple[str, int, bool]]) -> list[int]:
    """Returns the indices of categories as `Reader` has them, the most important first.

    There are few of what matters most, such as the player: categories with the fewest objects at
    once come first, and display last. Where these are equal, their order is kept.
    """
    return sorted(range(len(categories)), key=lambda index: categories[index][:0:-1])


class VecRamObservation(VecEnvWrapper):
    """Shows objects where the environments show their memories, in the slots of sprites.

    Args:
        venv: environments that observe their memory, `(128,)` uint8.
        game: their name, as in `ALE/<game>-v5`.
        max_sprites: M, slots of an observation.
        display: whether score, lives and the like get slots.

    Raises:
        SpriteObsError: as `Reader` does.
    """

    def __init__(self, venv: VecEnv, game: str, max_sprites: int, display: bool):
        self._reader = Reader(game, venv.num_envs, display)
        self._categories = Categories(self._reader.categories)
        self._builder = ObservationBuilder(
            self._categories, venv.num_envs, max_sprites, "object", display
        )
        space: spaces.Space[Any] = self._builder.space
        super().__init__(venv, observation_space=space)

    def reset(self) -> Any:
        """Resets all environments and empties the slots."""
        memories: Any = self.venv.reset()
        envs = range(self.num_envs)
        return self._observed(memories, envs, begin=envs)

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Waits for the step's memories and moves the slots on."""
        memories, rewards, dones, infos = self.venv.step_wait()
        assert isinstance(memories, np.ndarray)
        ended = np.flatnonzero(dones).tolist()
        if ended:
            last = np.stack([infos[env]["terminal_observation"] for env in ended])
            final = self._observed(last, ended)
            infos = [dict(info) for info in infos]
            for row, env in enumerate(ended):
                infos[env]["terminal_observation"] = rows_of(final, row)
        return self._observed(memories, range(self.num_envs), ended), rewards, dones, infos

    def close(self) -> None:
        """Closes the environments and ends the process that reads their memories."""
        super().close()
        self._reader.close()

    def _observed(
        self, memories: np.ndarray, envs: Sequence[int], begin: Sequence[int] = ()
    ) -> Any:
        for env in begin:
            self._builder.reset(env)
        asked = [(env, env in begin, memory) for env, memory in zip(envs, memories, strict=True)]
        found = self._categories.detections(self._reader.read(asked))
        return self._builder.build(found, envs)
