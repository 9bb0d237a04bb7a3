"""configs/pretrain/paper.yaml against the numbers of the paper (arXiv 2104.14553 v1)."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch
import yaml
from scenes import make_scene

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.config import ModelConfig, PretrainConfig, TrainConfig, load_yaml
from sprite_obs.model.build import build_model
from sprite_obs.model.pyramid import PartialConv2d, PyramidEncoder
from sprite_obs.pretrain.checks import check_config
from sprite_obs.pretrain.loop import make_optimizer
from sprite_obs.pretrain.pretrain import pretrain
from sprite_obs.pretrain.schedule import plan_step
from sprite_obs.pretrain.step import Losses, StepData

FILE = Path(__file__).parent.parent / "configs" / "pretrain" / "paper.yaml"
K, D, LAYERS, SIDE = 32, 128, 2, 128
STATED = {
    "num_layers": LAYERS,  # 3.2
    "sprite_size": K,  # 3.1
    "code_dim": D,  # 3.1
    "max_shift": K // 2,  # 3.4
    "encoder": "pyramid",  # 3.2
    "shifts": "crop",  # 3.4
    "normalize_codes": True,  # 3.1 and 3.2
    "learned_temperature": False,  # 3.3, Eq. 1
    "selection": "hard",  # 3.3
    "init": "random",  # 3.1
    "iterations": 250_000,  # 4.2
    "batch_size": 8,  # 3.6
    "learning_rate": 1e-4,  # 3.6
    "background_learning_rate": 1e-3,  # 3.6
    "schedule": "constant",  # 3.6
    "beta_weight": 1e-4,  # 3.6
    "overlap": "random",  # 3.5
    "max_active": None,  # 3.5
}
NOT_IN_THE_PAPER = {
    "usage_weight": 0,
    "presence_weight": 0,
    "straight_through_every": 0,
    "gumbel": 0,
    "shift_warmup": 0,
    "reassign_every": 0,
    "dream_weight": 0,
    "max_gradient_norm": None,
    "sprite_sizes": (),
}
OF_COUNTING = {"teach_iterations", "teach_batch_size"}
OF_SCROLLING = {"scroll_x", "scroll_y"}


@pytest.fixture(scope="module")
def config() -> PretrainConfig:
    return load_yaml(PretrainConfig, FILE)


def test_what_the_paper_states(config):
    check_config(config)
    values = dataclasses.asdict(config.model) | dataclasses.asdict(config.train)
    expected = STATED | NOT_IN_THE_PAPER
    assert {key: values[key] for key in expected} == expected
    assert SIDE / config.model.anchor_stride == 2 * SIDE / K  # 3.2, the grid


def test_nothing_is_left_to_defaults():
    given = yaml.safe_load(FILE.read_text())
    for part, kind, absent in [
        ("model", ModelConfig, OF_SCROLLING),
        ("train", TrainConfig, OF_COUNTING),
    ]:
        assert {field.name for field in dataclasses.fields(kind)} - set(given[part]) <= absent


def test_the_model_that_is_built(config):
    model = build_model(config.model, config.model.num_sprites, (SIDE, SIDE))
    assert model.dictionary.latents.shape == (config.model.num_sprites, D)
    assert model.dictionary.hidden[0].out_features == 8 * D  # 3.1
    assert isinstance(model.encoder, PyramidEncoder) and model.encoder.log_scale is None
    blocks = [part for part in model.encoder.features if isinstance(part, PartialConv2d)]
    assert [(block.kernel_size, block.stride) for block in blocks] == [(3, 2)] * int(
        math.log2(K) - 1
    )
    logits = model.logits(torch.rand(1, 3, SIDE, SIDE))
    assert logits.presence.shape == (1, LAYERS, 2 * SIDE // K, 2 * SIDE // K)
    assert logits.shift_x.shape[-1] == logits.shift_y.shape[-1] == K + 1  # 3.4


def test_a_step_has_the_losses_of_the_paper(config):
    model = build_model(config.model, config.model.num_sprites, (K, K))
    plan = plan_step(config.train, 0, 0, config.train.iterations, model.max_shift, False)
    assert plan == (1, False, 0, K // 2, 1, 1, False), "the same step from the first to the last"
    losses = Losses(model, config.train)(StepData(None, torch.rand(1, 3, K, K), [0]), plan)
    assert {name for name, loss in losses.items() if loss.item()} == {"reconstruction", "prior"}
    optimizer = make_optimizer(model, config.train)
    assert type(optimizer) is torch.optim.AdamW
    assert {group["base_lr"] for group in optimizer.param_groups} == {1e-4}


def test_a_tiny_run(config, tmp_path):
    frames = make_scene(60, seed=0).frames()
    tiny = dataclasses.replace(
        config,
        num_threads=1,
        train=dataclasses.replace(config.train, iterations=3, batch_size=2),
    )
    losses = []
    pretrain(
        frames, tiny, tmp_path, torch.device("cpu"), report=lambda _, loss: losses.append(loss)
    )
    assert len(losses) == 3 and all(math.isfinite(sum(loss.values())) for loss in losses)
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.config == config.model
