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
    sprite_sizes: tuple[int, ...] = ()
    """Sides of the squares within which sprites are drawn, dealt out in turns; empty for the whole
    canvas."""
    encoder: Literal["window", "pyramid"] = "window"
    """window: each anchor from its 3 x 3 cells; pyramid: the paper's partial convolutions."""
    encoder_width: int = 128
    """Channels of the encoder."""
    shifts: Literal["shared", "crop"] = "shared"
    """shared: from the encoder's features; crop: from the paper's second network, which sees each
    anchor's crop of the frame and its sprite."""
    normalize_codes: bool = True
    """Layer-normalise the codes of sprites and anchors (paper; its ablation leaves it out)."""
    learned_temperature: bool = True
    """Learn the scale of the scores of Eq. 1; the paper's is fixed."""
    background: Literal["color", "image", "scroll"] = "image"
    """A solid colour (k-means over pixels), a learned image, or a learned image larger than the
    frame of which each frame shows a part."""
    scroll_x: int = 0
    """Pixels by which a scrolling background is wider than the frame."""
    scroll_y: int = 0
    """Pixels by which a scrolling background is higher than the frame."""
    selection: Literal["hard", "soft"] = "hard"
    """How pictures show frames: from one sprite an anchor, or from mixtures (natural images)."""


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
    schedule: Literal["cosine", "constant"] = "cosine"
    """cosine: a warm-up, then down along half a cosine."""
    max_gradient_norm: float | None = 1.0
    """Longer gradients are shortened to this; null for none."""
    beta_weight: float = 1e-4
    """Weight of the Beta(0.5, 0.5) prior (paper, section 3.6)."""
    usage_weight: float = 2e-3
    """Weight of the loss that keeps every sprite in use; only with `init: random`."""
    presence_weight: float = 0.0
    """Weight of an L1 loss on presence."""
    straight_through_every: int = 2
    """Every so many steps reconstruct from the rounded scene, with the soft one's gradient; 0 for
    none."""
    gumbel: float = 0.0
    """Scale of the Gumbel noise on the assignment at the first step; none is left at 60 %."""
    shift_warmup: float = 0.0
    """Share of the steps over which the largest shift grows from 0 to `max_shift`."""
    reassign_every: int = 300
    """Every so many steps of the first 60 %, sprites that nobody uses become copies of the regions
    explained worst; 0 for never; only with `init: random`."""
    dream_weight: float = 1.0
    """Weight of the loss that teaches the encoder scenes made up from the model's own sprites; only
    with `init: random`."""
    overlap: Literal["average", "random"] = "average"
    """Sprites of one layer that overlap: averaged by alpha, or in a random order (paper)."""
    max_active: int | None = 160
    """Anchors composited per frame, those of largest presence; the rest counts as inactive. null
    for all."""
    precision: Literal["32", "bf16"] = "32"
    """Arithmetic of the forward pass; bf16 is for GPUs."""
    checkpoint_every: int = 100
    """Steps between two states from which `--resume` continues."""

    @property
    def reassigns(self) -> bool:
        """Whether unused sprites get the place of others."""
        return self.init == "random" and self.reassign_every > 0

    @property
    def dreams(self) -> bool:
        """Whether the encoder learns from made-up scenes."""
        return self.init == "random" and self.dream_weight > 0

    def __post_init__(self) -> None:
        zero_or_more = (
            "teach_iterations iterations beta_weight usage_weight presence_weight learning_rate "
            "background_learning_rate straight_through_every gumbel reassign_every dream_weight"
        )
        one_or_more = "teach_batch_size batch_size checkpoint_every"
        _check_ranges(self, **dict.fromkeys(zero_or_more.split(), (0, math.inf)))
        _check_ranges(self, **dict.fromkeys(one_or_more.split(), (1, math.inf)))
        _check_ranges(self, shift_warmup=(0, 1))
        if self.max_active is not None:
            _check_ranges(self, max_active=(1, math.inf))
        if self.max_gradient_norm is not None:
            _check_ranges(self, max_gradient_norm=(1e-6, math.inf))


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
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (given,) = set(typing.get_args(hint)) - {types.NoneType}
        return None if value is None else _checked(given, value, where)
    if typing.get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(_checked(typing.get_args(hint)[0], item, where) for item in value)
    if typing.get_origin(hint) is tuple:
        raise ConfigError(f"{where}: expected a list, got {value!r}")
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
    return from_dict(kind, read_yaml(path), str(path))


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Reads the plain values of a configuration file; which keys there may be is not checked.

    Raises:
        ConfigError: when the file is missing or not YAML.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no configuration file {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).replace("\n", " ")
        raise ConfigError(f"{path} is not a YAML file: {reason}") from None
    return values or {}


def overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Returns nested values in which those of `above` replace those of `below`."""
    joined = below | above
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            joined[key] = overlay(below[key], above[key])
    return joined


def to_dict(config: Any) -> dict[str, Any]:
    """Returns a configuration as nested dictionaries of values that JSON and YAML know."""

    def plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in items}

    return dataclasses.asdict(config, dict_factory=plain)
