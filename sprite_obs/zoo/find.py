"""Which folder a user means by a model: one of their own, or a game of the zoo."""

import os
from importlib import resources
from pathlib import Path

from sprite_obs.errors import CheckpointError
from sprite_obs.games import named_game

MODEL_FILE = "model.safetensors"


def zoo_folder() -> Path:
    """Returns where the zoo's models are."""
    return Path(str(resources.files(__package__)))


def zoo_names() -> list[str]:
    """Returns the names of the zoo's models, sorted."""
    return sorted(file.parent.name for file in zoo_folder().glob(f"*/{MODEL_FILE}"))


def find_model(model: str | os.PathLike[str]) -> Path:
    """Returns the folder of a model.

    Args:
        model: a folder, or else the name of a model of the zoo: a game such as ``pong``. Its
            environment's id, capital letters and underscores will do as well.

    Raises:
        CheckpointError: when it is neither.
    """
    folder = Path(model)
    if folder.is_dir():
        return folder
    name = named_game(model)
    if name in zoo_names():
        return zoo_folder() / name
    raise CheckpointError(
        f"no checkpoint at {model}; make one with `sprite-obs pretrain`, or name a model of the "
        f"zoo: {', '.join(zoo_names())}"
    )
