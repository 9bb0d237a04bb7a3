"""A model set by hand: its encoder places one sprite on every cell of a pure colour."""

import torch
from torch import Tensor

from sprite_obs.config import ModelConfig
from sprite_obs.model.build import build_model
from sprite_obs.model.encoder import WindowEncoder
from sprite_obs.model.sprite_model import SpriteModel

STRIDE, SIZE, SIDE = 8, 16, 48
"""Side of an anchor's cell, of a sprite's canvas and of the frame."""
RED, GREEN, BLUE = torch.eye(3)
WHITE, BLACK, DULL = torch.ones(3), torch.zeros(3), torch.full((3,), 0.4)


def block(color: Tensor, side: int = STRIDE) -> Tensor:
    """Returns a sprite `(4, S, S)`, a square in the middle of its canvas."""
    sprite = torch.zeros(4, SIZE, SIZE)
    margin = (SIZE - side) // 2
    inner = slice(margin, margin + side)
    sprite[:3, inner, inner] = color[:, None, None]
    sprite[3, inner, inner] = 1
    return sprite


def blank() -> Tensor:
    """Returns a sprite that shows nothing."""
    return torch.zeros(4, SIZE, SIZE)


def toy_model(sprites: list[Tensor], color: Tensor = BLACK, **sizes: object) -> SpriteModel:
    """Builds a model that finds a cell's red, green or blue: sprite 1, 2 or 3; other cells are off.

    Args:
        sprites: the dictionary, `(4, S, S)` each.
        color: `(3,)`, of the background.
        sizes: of the model, as in `ModelConfig`.
    """
    torch.manual_seed(0)
    values = {"sprite_size": SIZE, "code_dim": 16, "encoder_width": 8, "background": "color"}
    config = ModelConfig(**values | sizes)  # type: ignore[arg-type]
    start = color if config.background == "color" else None
    model = build_model(config, len(sprites), (SIDE, SIDE), start)
    model.dictionary.fit(torch.stack(sprites))
    if len(sprites) >= 3:
        _find_colors(model)
    return model.eval()


@torch.no_grad()
def _find_colors(model: SpriteModel) -> None:
    """Lets features 0, 1, 2 be a cell's colours, and scores follow from them."""
    encoder = model.encoder
    assert isinstance(encoder, WindowEncoder)
    for parameter in encoder.parameters():
        parameter.zero_()
    first, second, third = encoder.features[0], encoder.features[2], encoder.features[4]
    for color in range(3):
        first.weight[color, color] = 1 / STRIDE**2  # 2 for a cell of this colour, -2 without any
        second.weight[color, color, 1, 1] = third.weight[color, color, 0, 0] = 1
    size = encoder.heads.out_features // encoder.num_layers
    dim, reach = model.dictionary.latents.shape[1], model.max_shift
    encoder.heads.bias[dim::size] = -6  # presence on all layers
    encoder.heads.weight[dim, :3] = 8
    encoder.heads.weight[:dim, :3] = model.dictionary.codes()[:3].T
    for shift in (dim + 1 + reach, dim + 2 + 3 * reach):  # no shift, in x and y
        encoder.heads.bias[shift] = 9


def frames_with_cells(colors: list[Tensor], count: int = 8, seed: int = 0) -> Tensor:
    """Paints one cell of each colour at random, on its own row: `(count, 3, 48, 48)` on black."""
    generator = torch.Generator().manual_seed(seed)
    frames = torch.zeros(count, 3, SIDE, SIDE)
    for frame in frames:
        for row, color in enumerate(colors):
            column = int(torch.randint(SIDE // STRIDE, (), generator=generator))
            cell = frame[:, row * STRIDE :][:, :STRIDE, column * STRIDE :][:, :, :STRIDE]
            cell[:] = color[:, None, None]
    return frames
