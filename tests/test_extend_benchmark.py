"""The parts of benchmarks/extend.py that decide what is compared."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import extend

from sprite_obs.errors import ConfigError
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder


def test_a_recording_is_split_at_a_step_of_each_episode(pong_recording):
    parts = extend.split_recording(pong_recording, 150)
    images = read_frames(pong_recording).images
    assert (parts.old.images == images[:150]).all() and (parts.new.images == images[150:]).all()
    assert len(parts.both.images) == 400
    many = extend.rows_of(parts.both, np.tile(np.arange(400), 3))
    assert [len(part.images) for part in extend.judged(parts._replace(old=many))] == [400, 250, 400]
    with pytest.raises(ConfigError, match="split: expected a step below 400, got 400"):
        extend.split_recording(pong_recording, 400)


def test_figures_of_models_and_frames_that_stay_the_same(pong_recording, pong_model, tiny_model):
    parts = extend.split_recording(pong_recording, 380)
    before = extend.figures(pong_model, "lookup", parts.new)
    cells = extend.cells(pong_model, "lookup", parts._replace(old=parts.new), before)
    assert cells[:2] == ["3", "3"] and cells[2] == cells[3] and cells[-2] == "100.0"
    learned = extend.figures(tiny_model, "lookup", parts.new)
    assert not extend.unchanged(before.found, learned.found, 20).any()
    assert learned.exact.mean() > 0.5 and (learned.exact == (learned.error == 0)).all()
    encoder = FrozenEncoder.load(tiny_model)
    assert (encoder.rebuild(parts.new.images) == parts.new.images).all((1, 2, 3)).mean() == (
        learned.exact.mean()
    )
