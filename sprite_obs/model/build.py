"""build_model: the only place that knows sizes."""

from torch import Tensor

from sprite_obs.config import ModelConfig
from sprite_obs.errors import ConfigError
from sprite_obs.model.anchor_encoder import AnchorEncoder
from sprite_obs.model.background import ColorBackground, ImageBackground
from sprite_obs.model.dictionary import SpriteDictionary
from sprite_obs.model.encoder import WindowEncoder
from sprite_obs.model.pyramid import PyramidEncoder
from sprite_obs.model.scroll import OffsetNetwork, ScrollBackground
from sprite_obs.model.shift_network import CropShiftNetwork
from sprite_obs.model.sprite_model import SpriteModel


def build_model(
    config: ModelConfig,
    num_sprites: int,
    frame_size: tuple[int, int],
    background: Tensor | None = None,
) -> SpriteModel:
    """Builds a model with random weights.

    Args:
        config: sizes of the model.
        num_sprites: K, entries of the dictionary, at most `config.num_sprites`.
        frame_size: (H, W) in pixels.
        background: what the background starts from, in [0, 1]: `(3, H, W)` for an image,
            `(3,)` for a colour; None for grey, when a checkpoint will be loaded.

    Raises:
        ConfigError: when a size is impossible, or `num_sprites` is not in 1..`config.num_sprites`.
    """
    check_model_config(config)
    if not 1 <= num_sprites <= config.num_sprites:
        raise ConfigError(
            f"num_sprites: expected 1 to {config.num_sprites} sprites, got {num_sprites}; "
            "raise num_sprites in the model's configuration or keep fewer"
        )
    reach = config.scroll_y, config.scroll_x
    sizes = config.sprite_size, config.max_shift, config.code_dim, config.encoder_width
    return SpriteModel(
        encoder=_encoder(config),
        dictionary=SpriteDictionary(
            num_sprites,
            config.sprite_size,
            config.code_dim,
            config.sprite_sizes,
            config.normalize_codes,
        ),
        background=_background(config, frame_size, background),
        shift_network=CropShiftNetwork(*sizes) if config.shifts == "crop" else None,
        offset_network=(
            OffsetNetwork(frame_size, reach, config.encoder_width)
            if config.background == "scroll"
            else None
        ),
    )


def _encoder(config: ModelConfig) -> AnchorEncoder:
    max_shift = config.max_shift if config.shifts == "shared" else None
    if config.encoder == "pyramid":
        return PyramidEncoder(
            config.num_layers,
            config.sprite_size,
            max_shift,
            config.code_dim,
            config.encoder_width,
            config.normalize_codes,
            config.learned_temperature,
        )
    return WindowEncoder(
        config.num_layers,
        config.anchor_stride,
        max_shift,
        config.code_dim,
        config.encoder_width,
        config.normalize_codes,
        config.learned_temperature,
    )


def _background(
    config: ModelConfig, frame_size: tuple[int, int], start: Tensor | None
) -> ColorBackground | ImageBackground | ScrollBackground:
    if config.background == "scroll":
        return ScrollBackground(frame_size, (config.scroll_y, config.scroll_x), start)
    return (ColorBackground if config.background == "color" else ImageBackground)(frame_size, start)


def check_model_config(config: ModelConfig) -> None:
    """Refuses sizes that fit no model.

    Raises:
        ConfigError: naming the first key that is wrong.
    """
    for key in ("num_layers", "num_sprites", "encoder_width", "anchor_stride"):
        _require(getattr(config, key) >= 1, config, key, "1 or more")
    size = config.sprite_size
    even = size >= 2 and size % 2 == 0
    _require(even, config, "sprite_size", "an even number of pixels, 2 or more")
    # Otherwise there are pixels that no sprite's centre can reach.
    least = config.anchor_stride // 2
    _require(
        config.max_shift >= least, config, "max_shift", f"half of anchor_stride ({least}) or more"
    )
    if config.encoder == "pyramid":
        half = config.sprite_size // 2
        _require(
            config.anchor_stride == half,
            config,
            "anchor_stride",
            f"half of sprite_size ({half}) with the pyramid encoder",
        )
    for size in config.sprite_sizes:
        fits = 2 <= size <= config.sprite_size and size % 2 == 0
        _require(fits, config, "sprite_sizes", f"even sizes from 2 to {config.sprite_size}")
    _check_scrolling(config)
    # The generator's 8 code_dim hidden features are normalised in groups of 64.
    _require(
        config.code_dim >= 8 and config.code_dim % 8 == 0, config, "code_dim", "a multiple of 8"
    )


def _check_scrolling(config: ModelConfig) -> None:
    scrolls = config.background == "scroll"
    for key in ("scroll_x", "scroll_y"):
        reach = getattr(config, key)
        fits, expected = (reach >= 0, "0 or more") if scrolls else (reach == 0, "0")
        _require(fits, config, key, f"{expected} with background: {config.background}")
    moves = config.scroll_x + config.scroll_y > 0
    expected = "more than 0, or scroll_y, with background: scroll"
    _require(moves or not scrolls, config, "scroll_x", expected)


def _require(holds: bool, config: ModelConfig, key: str, expected: str) -> None:
    if not holds:
        raise ConfigError(f"model: {key}: expected {expected}, got {getattr(config, key)!r}")
