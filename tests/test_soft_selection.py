"""`model.selection: soft` shows mixtures of sprites where `hard` shows the likeliest one."""

import cv2
import numpy as np
import pytest
import torch
from toy_model import BLUE, GREEN, RED, SIDE, SIZE, block, toy_model

from sprite_obs.checkpoint import Checkpoint, Tables
from sprite_obs.config import ModelConfig, PretrainConfig, to_dict
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.palette import Palette
from sprite_obs.model_folder import RECONSTRUCTION_PICTURE, write_pictures
from sprite_obs.pretrain.pretrain import bake

COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
YELLOW = 255, 255, 0
PURE = {(255, 0, 0), (0, 255, 0)}
CELLS = (0, 16), (24, 32)
"""Left and top of two cells that are as red as they are green."""


def make_checkpoint(selection="hard", max_active=160):
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    palette = Palette(COLORS)
    sprites, background = bake(model, palette)
    sizes = {"sprite_size": SIZE, "code_dim": 16, "encoder_width": 8, "background": "color"}
    settings = to_dict(PretrainConfig())
    settings["train"]["max_active"] = max_active
    return Checkpoint(
        model=model,
        config=ModelConfig(**sizes, selection=selection),
        sprites=sprites,
        background=background,
        palette=COLORS,
        exact_palette=True,
        sprite_type=np.array([1, 2, 3], np.int32),
        type_capacity=np.array([0, 1, 1, 1], np.int32),
        tables=Tables.unknown(3, 3, (SIDE, SIDE)),
        decoder="network",
        env_id=None,
        settings=settings,
    )


@pytest.fixture
def images():
    frames = np.zeros((6, SIDE, SIDE, 3), np.uint8)
    for left, top in CELLS:
        frames[:, top : top + 8, left : left + 8] = YELLOW
    return frames


def colors_of(picture):
    """Returns the colours of an RGB picture, without grey, in which captions are written."""
    colors = np.unique(picture.reshape(-1, 3), axis=0).astype(int)
    return {tuple(color) for color in colors.tolist() if len(set(color)) > 1}


def test_rendering_mixes_sprites(images):
    encoder = FrozenEncoder(make_checkpoint())
    soft = encoder.network.render(images, None)
    assert soft.shape == images.shape and soft.dtype == np.float32
    for left, top in CELLS:
        cell = soft[:, top : top + 8, left : left + 8]
        assert np.abs(cell - (127.5, 127.5, 0)).max() < 5
    with torch.no_grad():
        model, frames = encoder.network.model, torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        expected = model.reconstruct(model(frames)).permute(0, 2, 3, 1) * 255
    np.testing.assert_allclose(soft, expected.numpy(), atol=1e-3)
    assert colors_of(encoder.rebuild(images)) <= PURE, "one or the other, by rounding"


def test_rendering_leaves_out_all_but_the_most_active_anchors(images):
    soft = FrozenEncoder(make_checkpoint()).network.render(images, 1)
    shown = [soft[0, top + 4, left + 4].max() > 50 for left, top in CELLS]
    assert shown == [True, False]


@pytest.mark.parametrize("selection", ["hard", "soft"])
def test_pictures_show_what_was_selected(images, selection, tmp_path):
    write_pictures(tmp_path, make_checkpoint(selection), images)
    picture = cv2.imread(str(tmp_path / RECONSTRUCTION_PICTURE))[..., ::-1]
    shown = colors_of(picture) - {YELLOW}
    mixed = {color for color in shown if np.abs(np.subtract(color, (127, 127, 0))).max() < 5}
    assert bool(mixed) == (selection == "soft")
    assert bool(shown & PURE) == (selection == "hard")


def test_soft_pictures_are_rendered_from_as_many_anchors_as_in_training(images, tmp_path):
    pictures = []
    for max_active in (1, 160):
        write_pictures(tmp_path, make_checkpoint("soft", max_active), images)
        picture = cv2.imread(str(tmp_path / RECONSTRUCTION_PICTURE)).astype(int)
        pictures.append((np.abs(picture - (0, 127, 127)).max(2) < 5).sum())  # BGR
    assert pictures[1] == 2 * pictures[0] > 0
