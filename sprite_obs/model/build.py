"""build_model: the only place that knows sizes."""

from torch import Tensor

from sprite_obs.config import ModelConfig
from sprite_obs.errors import ConfigError
from sprite_obs.model.background import BACKGROUNDS
from sprite_obs.model.dictionary import SpriteDictionary
from sprite_obs.model.encoder import WindowEncoder
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
    return SpriteModel(
        encoder=WindowEncoder(
            num_layers=config.num_layers,
            anchor_stride=config.anchor_stride,
            max_shift=config.max_shift,
            code_dim=config.code_dim,
            width=config.encoder_width,
        ),
        dictionary=SpriteDictionary(num_sprites, config.sprite_size, config.code_dim),
        background=BACKGROUNDS[config.background](frame_size, background),
    )


def check_model_config(config: ModelConfig) -> None:
    """Refuses sizes that fit no model.

    Raises:
        ConfigError: naming the first key that is wrong.
    """
    for key in ("num_layers", "num_sprites", "encoder_width"):
        _require(getattr(config, key) >= 1, config, key, "1 or more")
    for key in ("sprite_size", "anchor_stride"):
        value = getattr(config, key)
        _require(value >= 2 and value % 2 == 0, config, key, "an even number of pixels, 2 or more")
    # Otherwise there are pixels that no sprite's centre can reach.
    least = config.anchor_stride // 2
    _require(
        config.max_shift >= least, config, "max_shift", f"half of anchor_stride ({least}) or more"
    )
    # The generator's 8 code_dim hidden features are normalised in groups of 64.
    _require(
        config.code_dim >= 8 and config.code_dim % 8 == 0, config, "code_dim", "a multiple of 8"
    )
    _require(config.background in BACKGROUNDS, config, "background", f"one of {tuple(BACKGROUNDS)}")


def _require(holds: bool, config: ModelConfig, key: str, expected: str) -> None:
    if not holds:
        raise ConfigError(f"model: {key}: expected {expected}, got {getattr(config, key)!r}")
