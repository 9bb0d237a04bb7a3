"""What benchmarks/synthetic/trial.py learns from, where it writes, and how it draws."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from measure import Usage
from synthetic import trial
from synthetic.trial import Data, Trial

from sprite_obs.checkpoint import Checkpoint, Tables
from sprite_obs.config import ModelConfig, PretrainConfig, to_dict
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.palette import Palette
from sprite_obs.model.build import build_model
from sprite_obs.pretrain.pretrain import bake

HEIGHT, WIDTH, REACH = 32, 40, 12


class ToldOffsets(nn.Module):
    """Reads a frame's offset off the red of its first pixel."""

    def forward(self, frames):
        offset = (frames[:, 0, 0, 0] * 255).round().long()
        in_x = 100.0 * nn.functional.one_hot(offset, REACH + 1)
        return in_x, torch.zeros(len(frames), 1)


def scrolling_model(texture):
    """A model that finds no sprites, and the background where it is told to."""
    config = ModelConfig(
        sprite_size=16, code_dim=16, encoder_width=8, background="scroll", scroll_x=REACH
    )
    image = torch.from_numpy(texture).permute(2, 0, 1) / 255
    model = build_model(config, 3, (HEIGHT, WIDTH), image).eval()
    model.encoder.heads.bias.data.fill_(-100)
    model.offset_network = ToldOffsets()
    colors = np.unique(texture.reshape(-1, 3), axis=0)
    sprites, background = bake(model, Palette(colors))
    return Checkpoint(
        model=model,
        config=config,
        sprites=sprites,
        background=background,
        palette=colors,
        exact_palette=True,
        sprite_type=np.arange(1, 4, dtype=np.int32),
        type_capacity=np.ones(4, np.int32),
        tables=Tables.unknown(3, 3, (HEIGHT, WIDTH)),
        decoder="network",
        env_id=None,
        settings=to_dict(PretrainConfig()),
    )


def test_hard_reconstructions_scroll():
    rng = np.random.default_rng(0)
    texture = rng.choice(np.array([0, 100, 250], np.uint8), (HEIGHT, WIDTH + REACH, 3))
    offsets = np.array([0, 3, 12, 6])
    images = np.stack([texture[:, left : left + WIDTH] for left in offsets])
    images[:, 0, 0, 0] = offsets
    encoder = FrozenEncoder(scrolling_model(texture), decoder="network")
    found = trial.find(encoder, images)
    assert len(found.frame) == 0
    hard = Trial(Path(), Usage(1, 1), encoder, None, images, found).render_hard()
    assert (hard[:, 1:] == images[:, 1:]).all()


@pytest.fixture
def asked(monkeypatch):
    """Catches what would be learned: the settings file and the model's folder."""
    calls = []

    def fake(data: Path, config: Path, model: Path) -> Usage:
        calls.append((config, model))
        raise InterruptedError

    monkeypatch.setattr(trial, "pretrain", fake)
    return calls


def run(asked, *args, **kwargs):
    data = Data(Path("frames.npz"), np.zeros((1, 8, 8, 3), np.uint8))
    with pytest.raises(InterruptedError):
        trial.run_trial(args[0], data, *args[1:], **kwargs)
    return asked[-1]


def test_a_configuration_by_its_name(asked, tmp_path):
    file, model = run(asked, "random-start", tmp_path)
    assert file == trial.CONFIGS / "random-start.yaml" and file.exists()
    assert model == tmp_path / "random-start"
    assert run(asked, "random-start", tmp_path, name="other") == (file, tmp_path / "other")


@pytest.mark.parametrize("place", ["settings", "models"])
def test_a_configuration_by_its_path(asked, tmp_path, place):
    own = tmp_path / place / "own.yaml"
    own.parent.mkdir()
    own.write_text("train: {iterations: 7}\n")
    config, folder = str(own.with_suffix("")), tmp_path / "models"
    assert run(asked, config, folder) == (own, folder / "own")
    shorter, model = run(asked, config, folder, 2)
    assert model == folder / "own" and shorter.parent == folder
    assert yaml.safe_load(shorter.read_text()) == {"train": {"iterations": 2}}
    assert yaml.safe_load(own.read_text()) == {"train": {"iterations": 7}}
