"""Dictionaries that died are noticed; whatever explains its frames is left alone."""

import pytest
import torch
from scenes import make_scene
from toy_model import BLUE, DULL, GREEN, RED, WHITE, blank, block, frames_with_cells, toy_model

from sprite_obs.config import PretrainConfig, from_dict
from sprite_obs.errors import SpriteObsError
from sprite_obs.pretrain import loop
from sprite_obs.pretrain.collapse import check_collapse
from sprite_obs.pretrain.pretrain import pretrain


def check(model, frames):
    check_collapse(model, frames, None, 500)


def test_all_sprites_switched_off():
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    with pytest.raises(SpriteObsError, match=r"collapsed at step 500: no anchor .*; lower train\."):
        check(model, frames_with_cells([WHITE * 0.5]))


def test_one_sprite_for_everything():
    model = toy_model([block(RED), block(GREEN), blank()])
    frames = frames_with_cells([BLUE])
    with pytest.raises(SpriteObsError, match=r"sprite 3 serves for everything; raise train\.usage"):
        check(model, frames)


def test_a_rare_second_sprite_is_no_help():
    model = toy_model([blank(), blank(), blank()])
    frames = torch.cat([frames_with_cells([BLUE], 39), frames_with_cells([RED], 1)])
    with pytest.raises(SpriteObsError, match="sprite 3 serves for everything"):
        check(model, frames)
    check(model, torch.cat([frames_with_cells([BLUE], 18), frames_with_cells([RED], 2)]))


def test_a_model_that_explains_its_frames_may_use_one_sprite():
    check(toy_model([block(RED), block(GREEN), block(BLUE)]), frames_with_cells([BLUE]))


def test_a_model_that_explains_half_has_not_collapsed():
    blue = frames_with_cells([BLUE])
    check(toy_model([blank(), blank(), block(BLUE * 0.35)]), blue)  # 42 % of the error is left
    with pytest.raises(SpriteObsError, match="serves for everything"):
        check(toy_model([blank(), blank(), block(BLUE * 0.25)]), blue)  # 56 %


def test_a_background_that_explains_everything_needs_no_sprites():
    check(toy_model([block(RED), block(GREEN), block(BLUE)]), frames_with_cells([]))


def test_a_useless_model_that_uses_its_sprites_is_left_to_learn():
    model = toy_model([blank(), block(DULL, 2), blank()])
    check(model, frames_with_cells([RED, GREEN, BLUE]))


def test_a_dictionary_of_one_sprite_cannot_use_another():
    model = toy_model([blank()])
    with torch.no_grad():
        model.encoder.heads.bias[16] = 9  # all anchors show it
    check(model, frames_with_cells([RED]))


def test_training_stops_when_everything_was_switched_off(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECK_EVERY", 10)
    model = {"sprite_size": 16, "num_sprites": 4, "code_dim": 16, "encoder_width": 32}
    train = {"init": "random", "iterations": 20, "learning_rate": 0.03, "presence_weight": 1000}
    train |= {"schedule": "constant", "dream_weight": 0, "max_active": 20}
    config = from_dict(PretrainConfig, {"num_threads": 1, "model": model, "train": train})
    with pytest.raises(SpriteObsError, match="collapsed at step 10: no anchor shows a sprite"):
        pretrain(make_scene(50).frames(), config, tmp_path, torch.device("cpu"))
