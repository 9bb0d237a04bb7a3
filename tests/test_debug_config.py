"""The tiny configuration trains through all stages and leaves a model that plays."""

from pathlib import Path

import torch
from scenes import make_scene

from sprite_obs.config import PretrainConfig, load_yaml
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.pretrain.pretrain import pretrain

DEBUG = Path(__file__).parents[1] / "configs" / "pretrain" / "debug.yaml"


def test_debug_lowers_the_loss_and_leaves_a_model_that_plays(tmp_path):
    frames, losses = make_scene(60).frames(), []
    pretrain(
        frames,
        load_yaml(PretrainConfig, DEBUG),
        tmp_path,
        torch.device("cpu"),
        report=lambda step, values: losses.append(values),
    )
    assert [sorted(values) for values in losses] == [["teaching"]] * 50 + [
        ["prior", "reconstruction", "teaching"]
    ] * 4
    assert losses[-1]["teaching"] < 0.9 * losses[0]["teaching"]
    found = FrozenEncoder.load(tmp_path).encode(frames.images[0])
    assert sorted(found.sprite.tolist()) == [1, 2, 3]
