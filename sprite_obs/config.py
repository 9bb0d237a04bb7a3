"""Every setting with its default; YAML files override the defaults, flags override the files."""

import dataclasses
import math
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from sprite_obs.errors import ConfigError

Config = TypeVar("Config")


def _check_ranges(config: Any, **ranges: tuple[float, float]) -> None:
    """Refuses values outside of their closed ranges."""
    for key, (lowest, highest) in ranges.items():
        value = getattr(config, key)
        if not lowest <= value <= highest:
            limit = f"{lowest} or more" if highest == math.inf else f"{lowest} to {highest}"
            raise ConfigError(f"{key}: expected {limit}, got {value}")


@dataclass(frozen=True)
class DiscoverConfig:
    """How sprites are found by counting, before any gradient."""

    min_count: int = 5
    """Appearances after which a component becomes a sprite."""
    max_foreground: float = 0.25
    """Frames that differ from the background in a larger share of pixels are set aside."""
    min_visible: float = 0.5
    """Share of a sprite's pixels that must be visible where another one covers it."""
    min_explained: float = 0.6
    """Share of an unknown component that placed sprites must explain."""

    def __post_init__(self) -> None:
        _check_ranges(self, min_count=(1, math.inf), max_foreground=(0.01, 1))
        _check_ranges(self, min_visible=(0, 1), min_explained=(0, 1))


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the model."""

    num_layers: int = 2
    """Depth layers, 0 at the back."""
    sprite_size: int = 48
    """Side of a sprite's canvas in pixels, even; smaller drawings are centred on it."""
    num_sprites: int = 512
    """Entries of the dictionary at most."""
    anchor_stride: int = 8
    """Distance of two anchors in pixels."""
    max_shift: int = 4
    """Largest offset of a sprite from its anchor in pixels, at least half of `anchor_stride`."""
    code_dim: int = 64
    """Length of the latent codes."""
    encoder_width: int = 128
    """Channels of the encoder."""
    background: Literal["color", "image"] = "image"
    """A solid colour (k-means over pixels) or a learned image."""


@dataclass(frozen=True)
class TrainConfig:
    """How the gradient trains dictionary and encoder together."""

    init: Literal["frames", "random"] = "frames"
    """Start from sprites counted in the frames, or from random latent codes."""
    teach_iterations: int = 1500
    """Steps in which the encoder learns the counted sprites; only with `init: frames`."""
    teach_batch_size: int = 256
    """Windows per step."""
    iterations: int = 60
    """Steps in which dictionary, encoder and background learn together from whole frames."""
    batch_size: int = 4
    """Frames per step."""
    learning_rate: float = 3e-3
    """AdamW's step size for everything but the background."""
    background_learning_rate: float = 1e-3
    """AdamW's step size for the background."""
    beta_weight: float = 1e-4
    """Weight of the Beta(0.5, 0.5) prior (paper, section 3.6)."""
    usage_weight: float = 2e-3
    """Weight of the loss that keeps every sprite in use; only with `init: random`."""
    max_active: int = 160
    """Anchors composited per frame, those of largest presence; the rest counts as inactive."""
    checkpoint_every: int = 100
    """Steps between two states from which `--resume` continues."""

    def __post_init__(self) -> None:
        at_least = {"teach_iterations": 0, "iterations": 0, "beta_weight": 0, "usage_weight": 0}
        at_least |= {"learning_rate": 0, "background_learning_rate": 0}
        at_least |= {"teach_batch_size": 1, "batch_size": 1, "max_active": 1, "checkpoint_every": 1}
        _check_ranges(self, **{key: (lowest, math.inf) for key, lowest in at_least.items()})


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides what `sprite-obs pretrain` learns from given frames."""

    seed: int = 0
    """Seed of all random numbers."""
    num_threads: int = 2
    """CPU threads."""
    discover: DiscoverConfig = field(default_factory=DiscoverConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        _check_ranges(self, seed=(0, 2**32 - 1), num_threads=(1, math.inf))


def from_dict(kind: type[Config], values: dict[str, Any], where: str = "config") -> Config:
    """Builds a configuration from nested dictionaries; absent keys keep their defaults.

    Args:
        kind: the dataclass to build.
        values: nested plain values, as YAML gives them.
        where: how error messages name the source.

    Raises:
        ConfigError: for an unknown key or a value of the wrong type.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected a mapping, got {type(values).__name__}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        known = ", ".join(hints)
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known keys are {known}")
    return kind(
        **{key: _checked(hints[key], value, f"{where}: {key}") for key, value in values.items()}
    )


def _checked(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, where)
    if typing.get_origin(hint) is Literal:
        if value not in typing.get_args(hint):
            raise ConfigError(f"{where}: expected one of {typing.get_args(hint)}, got {value!r}")
        return value
    if typing.get_origin(hint) in (typing.Union, types.UnionType) and value is None:
        return None
    if hint is float and type(value) in (int, str):
        return _as_float(value, where)
    if hint in (int, float, str, bool) and type(value) is not hint:
        hint_name = hint.__name__
        raise ConfigError(f"{where}: expected {hint_name}, got {value!r} ({type(value).__name__})")
    return value


def _as_float(value: int | str, where: str) -> float:
    """Reads `1` and `1e-4`, which YAML takes for an integer and for a text."""
    try:
        return float(value)
    except ValueError:
        raise ConfigError(f"{where}: expected float, got {value!r}") from None


def load_yaml(kind: type[Config], path: str | Path) -> Config:
    """Reads a configuration file that holds only what differs from the defaults.

    Raises:
        ConfigError: when the file is missing, not YAML, or has an unknown key or a wrong value.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no configuration file {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).replace("\n", " ")
        raise ConfigError(f"{path} is not a YAML file: {reason}") from None
    return from_dict(kind, values or {}, str(path))


def to_dict(config: Any) -> dict[str, Any]:
    """Returns a configuration as nested dictionaries of plain values."""
    return dataclasses.asdict(config)
