"""What is remembered from frame to frame changes no answer: thousands of frames of real games."""

import numpy as np
import pytest
import torch

from sprite_obs.config import PretrainConfig, TrainConfig
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.palette import Palette
from sprite_obs.lookup.screen import MAX_GAMES, Screens
from sprite_obs.pretrain.pretrain import pretrain

COUNTED = PretrainConfig(num_threads=1, train=TrainConfig(teach_iterations=0, iterations=0))


@pytest.fixture(scope="module", params=["Pong", "MsPacman", "SpaceInvaders"])
def game(request, tmp_path_factory):
    """Returns a counted model of a game, and frames that it was not learned from."""
    folder = tmp_path_factory.mktemp(request.param)
    record(f"ALE/{request.param}-v5", 1000, folder / "recording", seed=0)
    frames = read_frames(folder / "recording")
    learned = frames._replace(images=frames.images[:300], episode=frames.episode[:300])
    pretrain(learned, COUNTED, folder / "model", torch.device("cpu"))
    return folder / "model", frames.images[300:]


def test_answers_are_the_same_with_and_without_memory(game):
    folder, images = game
    remembers, forgets = (FrozenEncoder.load(folder, decoder="lookup") for _ in range(2))
    for image in images:
        forgets.forget()
        one, error = remembers.explain(image)
        two, same_error = forgets.explain(image)
        assert error == same_error
        for name, a, b in zip(one._fields[:-1], one[:-1], two[:-1], strict=True):
            assert (a == b).all(), name
        for a, b in zip(one.shown, two.shown, strict=True):
            assert (a is None and b is None) or (a == b).all()
    use = remembers.memory_use
    assert use.misses < forgets.memory_use.misses / 2
    assert 0 < use.misses <= use.remembered < use.hits


def test_games_side_by_side_do_not_disturb_each_other(game):
    folder, images = game
    batch, single = (FrozenEncoder.load(folder, decoder="lookup") for _ in range(2))
    for step in range(0, 60, 3):
        rows = [step, 200 + step, step]  # of the same size, or the last batch, or none at all
        found, errors = batch.explain(images[rows[: 3 - step % 2]])
        for n, error in enumerate(errors):
            alone, (same_error,) = single.explain(images[rows[n]])
            assert error == same_error
            assert (found.of_frame(n).box == alone.box).all()
            assert (found.of_frame(n).sprite == alone.sprite).all()


@pytest.mark.parametrize("width", [16, 13])
def test_screens_are_those_of_the_palette(width):
    rng = np.random.default_rng(0)
    colors = np.array([[0, 0, 0], [200, 30, 40], [10, 250, 90]], np.uint8)
    palette = Palette(colors)
    screens = Screens(palette)
    frames = colors[rng.integers(0, 3, (MAX_GAMES + 2, 11, width))]
    for _ in range(20):
        frames[rng.integers(len(frames)), rng.integers(11), rng.integers(width)] = rng.integers(256)
        expected = palette.index(frames)
        assert (np.stack(screens.index(frames)) == expected).all()
    assert (screens.index(frames[:1, :5])[0] == expected[0, :5]).all(), "another size"
