"""A small checkpoint of Pong, drawn by hand instead of learned: it knows ball and paddles."""

from pathlib import Path

import numpy as np

from sprite_obs.checkpoint import Checkpoint, Tables, save_checkpoint
from sprite_obs.config import DiscoverConfig, ModelConfig, TrainConfig, to_dict
from sprite_obs.model.build import build_model

COURT, WHITE, BLACK = (144, 72, 17), (236, 236, 236), (0, 0, 0)
GREEN, ORANGE = (92, 186, 92), (213, 130, 74)
BALL, RIGHT_PADDLE, LEFT_PADDLE = 1, 2, 3  # sprite ids and type ids
SPRITE_SIZE = 16


def save_pong_model(folder: Path, env_id: str | None = "ALE/Pong-v5") -> Path:
    """Writes the checkpoint and returns its folder."""
    config = ModelConfig(num_layers=1, sprite_size=SPRITE_SIZE, code_dim=8, encoder_width=8)
    sprites = [_canvas(2, 4, WHITE), _canvas(4, 16, GREEN), _canvas(4, 16, ORANGE)]
    checkpoint = Checkpoint(
        model=build_model(config, len(sprites), (210, 160)),
        config=config,
        sprites=np.stack(sprites),
        background=BACKGROUND,
        palette=np.array([COURT, WHITE, BLACK, GREEN, ORANGE], np.uint8),
        exact_palette=True,
        sprite_type=np.array([BALL, RIGHT_PADDLE, LEFT_PADDLE], np.int32),
        type_capacity=np.array([0, 1, 1, 1], np.int32),
        tables=Tables.unknown(len(sprites), len(sprites), (210, 160)),
        decoder="lookup",
        env_id=env_id,
        # Strict, so that no paddle is seen in the digits of the score, which are not drawn here.
        settings={
            "discover": to_dict(DiscoverConfig(min_visible=0.9, min_explained=0.95)),
            "train": to_dict(TrainConfig()),
        },
    )
    save_checkpoint(folder, checkpoint)
    return folder


def _draw_background() -> np.ndarray:
    background = np.full((210, 160, 3), COURT, np.uint8)
    background[24:34] = background[194:] = WHITE
    background[0, :8] = BLACK
    return background


BACKGROUND = _draw_background()


def _canvas(width: int, height: int, color: tuple[int, int, int]) -> np.ndarray:
    canvas = np.zeros((SPRITE_SIZE, SPRITE_SIZE, 4), np.uint8)
    left, top = (SPRITE_SIZE - width) // 2, (SPRITE_SIZE - height) // 2
    canvas[top : top + height, left : left + width] = (*color, 255)
    return canvas
