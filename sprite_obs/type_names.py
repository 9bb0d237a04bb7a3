"""Types that a user merged or named, in a small file beside the model."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sprite_obs.errors import ConfigError

TYPES_FILE = "types.yaml"
NamedTypes = Mapping[str, list[int]]
"""Names, and for each the ids of the types that it stands for."""


def read_named_types(folder: str | Path, num_types: int) -> NamedTypes:
    """Reads the file `types.yaml` of a model; `docs/types.md` describes it.

    Args:
        folder: the model's folder.
        num_types: T of the model; its type ids are 1..T.

    Returns:
        The names and their type ids; nothing when there is no such file.

    Raises:
        ConfigError: when the file is not YAML or not such a file, names a type that the model
            lacks, or names one type twice.
    """
    path = Path(folder) / TYPES_FILE
    if not path.exists():
        return {}
    named = _read_mapping(path)
    for name, ids in named.items():
        _check_entry(path, name, ids, num_types)
    count = Counter(type_id for ids in named.values() for type_id in ids)
    twice = [type_id for type_id, times in count.items() if times > 1]
    if twice:
        raise ConfigError(f"{path}: expected each type id once, got {twice[0]} twice; mend it")
    return named


def merged_types(num_types: int, named: NamedTypes) -> np.ndarray:
    """Makes one type of those that have one name: the one of the smallest id, the others are gone.

    All other ids stay what they are, so that ids keep their meaning when a name is added.

    Args:
        num_types: T.
        named: what `read_named_types` returned.

    Returns:
        `(T + 1,)` int32, what has become of each type.
    """
    merged = np.arange(num_types + 1, dtype=np.int32)
    for ids in named.values():
        merged[ids] = min(ids)
    return merged


def add_up(figures: np.ndarray, merged: np.ndarray) -> np.ndarray:
    """Adds up the figures of types that were merged, and returns them.

    A merged type has room for the things of all its types together, even if they were never seen
    at once; a type that is gone has none.

    Args:
        figures: `(..., T + 1)`, of each type.
        merged: what `merged_types` returned.
    """
    sums = np.zeros_like(figures)
    np.add.at(sums.T, merged, figures.T)
    return sums


def names_by_id(named: NamedTypes) -> dict[int, str]:
    """Returns the names of the types that have one, by the id that stays."""
    return {min(ids): name for name, ids in named.items()}


def _read_mapping(path: Path) -> dict[Any, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        keys = getattr(yaml.compose(text, yaml.SafeLoader), "value", [])
        values = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).replace("\n", " ")
        raise ConfigError(f"{path} is not a YAML file: {reason}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        got = type(values).__name__
        raise ConfigError(f"{path}: expected lines such as `ball: [1]`, got a {got}; mend it")
    # YAML readers keep the last of two equal keys, and the ids of the first would be lost.
    count = Counter(key.value for key, _ in keys)
    twice = [key for key, times in count.items() if times > 1]
    if twice:
        raise ConfigError(f"{path}: expected each name once, got {twice[0]!r} twice; mend it")
    return values


def _check_entry(path: Path, name: Any, ids: Any, num_types: int) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(
            f"{path}: expected a name as text, got {name!r} ({type(name).__name__}); put it in "
            "quotes"
        )
    if not isinstance(ids, list) or not ids:
        raise ConfigError(
            f"{path}: expected a list of type ids for {name!r}, such as [1, 2], got {ids!r}; "
            "mend it"
        )
    for type_id in ids:
        if type(type_id) is not int or not 1 <= type_id <= num_types:
            raise ConfigError(
                f"{path}: expected type ids from 1 to {num_types} for {name!r}, got {type_id!r}; "
                "dictionary.png and the report of `sprite-obs evaluate` show the ids"
            )
