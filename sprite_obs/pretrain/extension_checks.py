"""Settings of an extension, and what cannot be extended."""

import dataclasses
from typing import Any

from sprite_obs.checkpoint import Checkpoint
from sprite_obs.config import PretrainConfig, from_dict, overlay, to_dict
from sprite_obs.errors import CheckpointError, ConfigError, RecordingError
from sprite_obs.frames.sources import Frames
from sprite_obs.games import game_name

TEACHING = 0.4
"""Steps of teaching relative to those with which the model was learned."""
PACE = 1 / 3
"""Step size relative to that; a larger one makes the network forget."""


def extension_config(old: Checkpoint, values: dict[str, Any]) -> PretrainConfig:
    """Returns the settings with which a model is extended: its own, but for those that are given.

    Args:
        old: the model.
        values: nested plain values, as YAML gives them.

    Raises:
        ConfigError: for an unknown key or a value of the wrong type.
    """
    keys = {field.name for field in dataclasses.fields(PretrainConfig)}
    own = {key: value for key, value in old.settings.items() if key in keys}
    own["model"] = to_dict(old.config)
    train = own["train"]
    own["train"] = train | {
        "iterations": 0,  # whole frames would change what known sprites look like
        "teach_iterations": round(TEACHING * train["teach_iterations"]),
        "learning_rate": PACE * train["learning_rate"],
    }
    return from_dict(PretrainConfig, overlay(own, values))


def check_extension(old: Checkpoint, frames: Frames, config: PretrainConfig) -> None:
    """Refuses what cannot be extended, or not with these frames or settings.

    Raises:
        CheckpointError: when the model was not counted in frames, or is of another game.
        ConfigError: naming the first setting that is not that of the model.
        RecordingError: when the frames have another size than the model's.
    """
    _check_kind(old)
    own = to_dict(extension_config(old, {}))
    given = to_dict(config)
    for key in ("model", "discover"):
        _require_equal(own[key], given[key], key)
    _require_equal(own["train"], given["train"], "train", ("init", "iterations"))
    if frames.images.shape[1:] != old.background.shape:
        (height, width), (own_height, own_width) = (
            frames.images.shape[1:3],
            old.background.shape[:2],
        )
        raise RecordingError(
            f"expected frames of {own_width} x {own_height} pixels, as the model's, got "
            f"{width} x {height}; record them as those were"
        )
    if frames.env_id and old.env_id and game_name(frames.env_id) != game_name(old.env_id):
        raise CheckpointError(
            f"expected frames of {old.env_id}, of which the model is, got {frames.env_id}; extend "
            "the model of that game, or pretrain one"
        )


def _check_kind(old: Checkpoint) -> None:
    if old.model is None:
        raise CheckpointError(
            "expected a model with its network, got a compact one, which cannot be extended; "
            "extend the model that it was exported from, or pretrain a new one"
        )
    if old.config.background == "scroll" or len(old.tables.layers):
        raise CheckpointError(
            "expected a model with a still background, got one that scrolls, which cannot be "
            "extended; pretrain anew from old and new frames together"
        )
    if old.settings["train"]["init"] == "random":
        raise CheckpointError(
            "expected a model whose sprites were counted (train.init: frames), got one from a "
            "random start, which cannot be extended; pretrain anew from old and new frames together"
        )


def _require_equal(
    own: dict[str, Any], given: dict[str, Any], where: str, keys: tuple[str, ...] | None = None
) -> None:
    for key in keys or own:
        if own[key] != given[key]:
            raise ConfigError(
                f"{where}.{key}: expected {own[key]!r}, which holds for a model that is extended, "
                f"got {given[key]!r}; leave it out"
            )
