import json
import math

import numpy as np
import pytest

from sprite_obs.metrics.reconstruction import ReconstructionScore, json_number, psnr


def test_psnr_is_that_of_the_mean_squared_error_over_all_values(rng):
    frames = rng.integers(256, size=(3, 5, 4, 3), dtype=np.uint8)
    noisy = rng.integers(256, size=frames.shape, dtype=np.uint8)
    error = np.mean((frames.astype(float) - noisy.astype(float)) ** 2)
    assert psnr(frames, noisy) == pytest.approx(10 * math.log10(255**2 / error))


def test_uint8_differences_do_not_wrap():
    black, white = np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), 255, np.uint8)
    assert psnr(black, white) == pytest.approx(0)
    assert psnr(white, black) == pytest.approx(0)


def test_float_reconstructions_are_not_rounded():
    frames = np.full((1, 2, 2, 3), 100, np.uint8)
    assert psnr(frames, frames + 0.5) == pytest.approx(10 * math.log10(255**2 / 0.25))


def test_exact_shares_count_pixels_and_frames():
    frames = np.zeros((4, 10, 10, 3), np.uint8)
    changed = frames.copy()
    changed[1, 2, 3, 1] = 1  # one channel is enough for a pixel to count as wrong
    changed[2, 5, 5] = 200
    score = ReconstructionScore()
    score.add(frames, changed)
    assert score.exact_pixels == pytest.approx(398 / 400)
    assert score.exact_frames == pytest.approx(2 / 4)


def test_batches_add_up(rng):
    frames = rng.integers(256, size=(7, 6, 5, 3), dtype=np.uint8)
    other = frames.copy()
    other[3:] = rng.integers(256, size=(4, 6, 5, 3), dtype=np.uint8)
    whole, parts = ReconstructionScore(), ReconstructionScore()
    whole.add(frames, other)
    for rows in (slice(0, 2), slice(2, 6), slice(6, 7)):
        parts.add(frames[rows], other[rows])
    assert parts.psnr == pytest.approx(whole.psnr)
    assert parts.exact_pixels == whole.exact_pixels
    assert parts.exact_frames == whole.exact_frames == 3 / 7


def test_an_exact_reconstruction_is_infinitely_good_and_still_json():
    frames = np.ones((2, 3, 3, 3), np.uint8)
    score = ReconstructionScore()
    score.add(frames, frames.copy())
    assert (score.psnr, score.exact_pixels, score.exact_frames) == (math.inf, 1, 1)
    text = json.dumps([json_number(score.psnr), json_number(38.5)], allow_nan=False)
    assert [float(value) for value in json.loads(text)] == [math.inf, 38.5]


@pytest.fixture
def rng():
    return np.random.default_rng(0)
