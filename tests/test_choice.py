"""What is frozen: drawings and decoder that rebuild recorded frames better."""

import numpy as np
import pytest
from scenes import make_scene
from small_runs import CPU, config

from sprite_obs.pretrain.choice import with_better_decoder, with_better_drawings
from sprite_obs.pretrain.pretrain import pretrain

FRAMES = make_scene(60).frames()


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Returns a checkpoint that rebuilds its frames exactly."""
    settings = config(teach_iterations=0, iterations=0)
    return pretrain(FRAMES, settings, tmp_path_factory.mktemp("model"), CPU)


def damaged(checkpoint):
    """Returns a checkpoint in one of whose sprites the colours of some pixels are wrong."""
    sprites = checkpoint.sprites.copy()
    y, x = np.nonzero(sprites[0, :, :, 3])
    sprites[0, y[:5], x[:5], :3] = checkpoint.palette[-1]
    return checkpoint._replace(sprites=sprites)


def test_counted_drawings_are_taken_where_learned_ones_are_worse(counted):
    worse = damaged(counted)
    drawings = counted.sprites, counted.background
    chosen = with_better_drawings(worse, *drawings, FRAMES.images, 0.25)
    assert (chosen.sprites == counted.sprites).all()
    assert chosen.model is worse.model


def test_learned_drawings_stay_where_they_are_as_good(counted):
    worse = damaged(counted)
    same = with_better_drawings(counted, worse.sprites, worse.background, FRAMES.images, 0.25)
    assert same is counted
    drawings = counted.sprites.copy(), counted.background.copy()
    assert with_better_drawings(counted, *drawings, FRAMES.images, 0.25) is counted


def shares(**wrong):
    """Stands in for frames: returns shares of wrong pixels by decoder."""
    return lambda encoders, *_: {name: wrong[name] for name in encoders}


@pytest.mark.parametrize(
    ("lookup", "both", "network", "expected"),
    [
        (0.0, 0.0, 0.0, "lookup"),
        (4e-4, 3e-4, 9e-4, "lookup"),
        (4e-4, 1e-4, 9e-4, "both"),
        (9e-6, 0.0, 0.0, "lookup"),
        (0.3, 0.3, 0.1, "network"),
    ],
)
def test_a_slower_decoder_must_be_much_better(
    counted, monkeypatch, lookup, both, network, expected
):
    wrong = shares(lookup=lookup, both=both, network=network)
    monkeypatch.setattr("sprite_obs.pretrain.choice._wrong_pixels", wrong)
    assert with_better_decoder(counted, FRAMES.images, 0.25).decoder == expected


def test_exact_look_up_is_chosen_where_it_rebuilds_everything(counted):
    assert with_better_decoder(counted, FRAMES.images, 0.25).decoder == "lookup"
