"""Reads objects off Atari memories with OCAtari: `ram_worker.py GAME NUM_ENVS DISPLAY`.

Run by `ram.py` in OCAtari's own environment, which has no sprite_obs. Writes a line of JSON that
says which categories there are, then answers each line it reads: from memories to boxes. Where that
fails, it says why and ends.
"""

import importlib.util
import json
import math
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Box = tuple[int, int, int, int, int]
"""Index of the category, left, top, width, height in pixels."""


class Memory:
    """Follows the memory of one environment.

    Args:
        game: its name, as in `ALE/<game>-v5`.
        number: of the environment.
        display: whether score, lives and the like are looked for.
    """

    def __init__(self, game: str, number: int, display: bool):
        self._module, self._display = load_game(game, number), display
        essential = dict(self._module.MAX_NB_OBJECTS)
        every = essential | self._module.MAX_NB_OBJECTS_HUD if display else essential
        self.categories = [(name, most, name not in essential) for name, most in every.items()]
        self._index = {name: index for index, name in enumerate(every)}
        self._objects: list[Any] = []

    def read(self, begins: bool, memory: bytes) -> list[Box]:
        """Returns the objects that are there after a step, or when an episode begins."""
        if begins:
            self._objects = self._module._init_objects_ram(self._display)
        for thing in self._objects:
            if thing:
                thing._save_prev()
        array = np.frombuffer(memory, np.uint8)
        self._module._detect_objects_ram(self._objects, array, self._display)
        return [self._box(thing) for thing in self._objects if self._is_there(thing)]

    def _is_there(self, thing: Any) -> bool:
        return bool(thing) and thing.category in self._index and all(map(math.isfinite, thing.xywh))

    def _box(self, thing: Any) -> Box:
        left, top, width, height = (round(float(value)) for value in thing.xywh)
        return self._index[thing.category], left, top, width, height


def load_game(game: str, number: int) -> ModuleType:
    """Loads OCAtari's module of a game once more: some remember what they saw in global variables.

    Raises:
        FileNotFoundError: when OCAtari does not know the game.
    """
    import ocatari.ram  # type: ignore[import-not-found]

    path = Path(ocatari.ram.__file__).with_name(f"{game.lower()}.py")
    name = f"ocatari.ram.{game.lower()}_{number}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where the game looks its own classes up
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Answers until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever reads the answers ends the process
    pipe, sys.stdout = sys.stdout, sys.stderr  # what OCAtari imports prints lines, too
    game, num_envs, display = sys.argv[1:]
    try:
        for answer in answers(game, int(num_envs), bool(int(display))):
            print(json.dumps(answer), file=pipe, flush=True)
    except Exception as error:  # whatever OCAtari runs into
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=pipe, flush=True)


def answers(game: str, num_envs: int, display: bool) -> Iterator[Any]:
    """Yields the categories, then the boxes for each line of input.

    A line lists environment, whether its episode begins, and its memory in hexadecimal digits.
    """
    memories = [Memory(game, number, display) for number in range(num_envs)]
    yield memories[0].categories
    for line in sys.stdin:
        asked = json.loads(line)
        yield [memories[env].read(begins, bytes.fromhex(memory)) for env, begins, memory in asked]


if __name__ == "__main__":
    main()
