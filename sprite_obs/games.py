"""Which game an environment's id, or the file that describes it, stands for."""

import os
import re
from pathlib import PurePath
from typing import Any

NES_ID = "NES/Game-v0"
"""Any NES game; which one, the settings say."""
GAME_FILES = (".yaml", ".yml", ".nes")


def game_name(env_id: str) -> str:
    """Returns the game that an environment id stands for, in lower case.

    Namespace, version and the Atari suffixes are left out: ``ALE/Pong-v5``, ``PongNoFrameskip-v4``
    and ``SpriteObs/Pong-v5`` are all the game ``pong``. A NES game is known by its file:
    ``games/gemrun.yaml`` is ``gemrun``.
    """
    if is_game_file(env_id):
        return PurePath(env_id).stem.lower()
    name = env_id.rpartition("/")[2]
    return re.sub(r"(-ram)?(NoFrameskip|Deterministic)?(-v\d+)?$", "", name).lower()


def named_game(text: str | os.PathLike[str]) -> str | None:
    """Returns the game that a user names where a path may stand as well, None for other paths.

    Underscores are left out, too: ``ms_pacman`` and ``ALE/MsPacman-v5`` are both ``mspacman``.
    """
    parts = PurePath(text).parts
    # An id has one slash at most; anything else with one is a path, whatever its end is called.
    if len(parts) != 1 and parts[:-1] not in (("ALE",), ("SpriteObs",)):
        return None
    return game_name(os.fspath(text)).replace("_", "")


def is_game_file(env_id: str) -> bool:
    """Tells whether an environment is named by the file of a NES game instead of an id."""
    return PurePath(env_id).suffix.lower() in GAME_FILES


def game_of(spec: Any) -> str:
    """Returns the game of a Gymnasium `EnvSpec`, in lower case."""
    if spec.id == NES_ID:
        return game_name(str(spec.kwargs.get("config") or spec.kwargs.get("rom")))
    return game_name(spec.id)
