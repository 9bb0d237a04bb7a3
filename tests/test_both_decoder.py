"""Look-up and network together: no frame is rebuilt worse, and each stands for itself."""

from dataclasses import replace

import numpy as np
import pytest

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.errors import CheckpointError
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.bank import make_bank
from sprite_obs.lookup.verify import HIDDEN, OPEN, PLAIN, pixel_states, verify

BOX = np.full((4, 6), 3, np.uint8)
SHARES = 0.5, 0.6


def propose(frame: np.ndarray, *places: tuple[int, int], rows=(), bank=None):
    """Verifies a box at places, in a frame before a background of zeros."""
    bank = bank or make_bank([BOX])
    window = np.array([0, 0, *frame.shape[::-1]])
    state = pixel_states(frame != 0, list(rows), bank, window, {})
    proposals = np.array([(0, *place) for place in places], np.int64).reshape(-1, 3)
    return verify(proposals, frame, state, bank, *SHARES), state


def frame_with(*boxes: tuple[int, int]) -> np.ndarray:
    frame = np.zeros((20, 30), np.uint8)
    for left, top in boxes:
        frame[top : top + 4, left : left + 6] = 3
    return frame


def test_the_place_that_rebuilds_most_is_accepted():
    accepted, state = propose(frame_with((10, 8)), (9, 8), (10, 8), (11, 8))
    assert accepted == [(0, 10, 8, 24, 24)]
    assert not (state == OPEN).any() and (state == HIDDEN).sum() == 24


def test_through_the_holes_of_a_sprite_the_background_shows():
    shown = np.ones((4, 6), bool)
    shown[1:3, 2:4] = False
    frame = frame_with((10, 8))
    frame[9:11, 12:14] = 0
    window, rows = np.array([0, 0, 30, 20]), [(0, 1, 0, 10, 8, 6, 4, 20 / 24)]
    state = pixel_states(frame != 0, rows, make_bank([BOX]), window, {(1, 10, 8): shown})
    assert (state[8:12, 10:16] == np.where(shown, HIDDEN, PLAIN)).all()


def test_a_frame_full_of_unknown_things_is_left_to_the_look_up(tiny_model, images):
    specks = images[:1].copy()
    specks[0, 40:180:4, 20:140:4] = [1, 2, 3]  # a colour that the game lacks
    found, lookup = (FrozenEncoder.load(tiny_model, decoder=d) for d in ("both", "lookup"))
    assert (found.explain(specks)[1] == lookup.explain(specks)[1]).all()


def test_forgetting_changes_no_answer(tiny_model, images):
    encoder = FrozenEncoder.load(tiny_model, decoder="both")
    before, share = encoder.explain(images)
    encoder.forget()
    after, same = encoder.explain(images)
    assert (share == same).all()
    for one, two in zip(before[:-1], after[:-1], strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_gains_nothing_is_refused():
    assert propose(frame_with(), (10, 8))[0] == []
    assert propose(frame_with((10, 8)))[0] == []
    drawn = (0, 1, 0, 10, 8, 6, 4, 1.0)
    assert propose(frame_with((10, 8)), (10, 8), (11, 8), rows=[drawn])[0] == []


def test_a_new_pose_needs_more_right_pixels_than_a_covered_sprite():
    pose = frame_with((10, 8))
    pose[8:12, 10:12] = 0  # 16 of 24 pixels are left
    assert propose(pose, (10, 8))[0] == [(0, 10, 8, 16, 8)]
    pose[8:12, 12] = 0  # 12
    assert propose(pose, (10, 8))[0] == []
    other = make_bank([BOX, np.full((4, 3), 5, np.uint8)])
    covered = pose.copy()
    covered[8:12, 10:13] = 5
    drawn = (0, 2, 0, 10, 8, 3, 4, 1.0)
    assert propose(covered, (10, 8), rows=[drawn], bank=other)[0] == [(0, 10, 8, 12, 12)]


@pytest.fixture(scope="module")
def images(pong_recording):
    """Real frames, and the same with paddles, ball and score in a pose that nobody ever saw."""
    real = read_frames(pong_recording).images[:80]
    changed = real[40:].copy()
    background = np.median(read_frames(pong_recording).images, 0)
    there = (changed != background).any(3)
    stripes = np.arange(changed.shape[1])[:, None] % 8 == np.arange(changed.shape[2])[None] % 2
    changed[there & stripes] = changed[0, 0, 0]
    return np.concatenate([real, changed])


def wrong_pixels(encoder, images):
    return (encoder.rebuild(images) != images).any(3).sum((1, 2))


def test_no_frame_is_rebuilt_worse_than_by_the_lookup_alone(tiny_model, images):
    alone = wrong_pixels(FrozenEncoder.load(tiny_model, decoder="lookup"), images)
    both = wrong_pixels(FrozenEncoder.load(tiny_model, decoder="both"), images)
    assert (both <= alone).all() and both.sum() < alone.sum()


def test_what_the_lookup_recognised_stays(tiny_model, images):
    def known(decoder):
        found = FrozenEncoder.load(tiny_model, decoder=decoder).encode(images)
        rows = zip(found.frame.tolist(), found.sprite.tolist(), found.box.tolist(), strict=True)
        return {(n, sprite, *box) for n, sprite, box in rows if sprite}

    assert known("lookup") < known("both")


def test_a_frame_alone_a_batch_and_a_repetition_agree_to_the_last_bit(tiny_model, images):
    encoder = FrozenEncoder.load(tiny_model, decoder="both")
    batch, share = encoder.explain(images)
    fresh = FrozenEncoder.load(tiny_model, decoder="both")
    for n in reversed(range(len(images))):  # another order, and nothing remembered
        alone, share_alone = fresh.explain(images[n])
        assert share_alone == share[n : n + 1]
        for one, two in zip(alone[1:-2], batch.of_frame(n)[1:-2], strict=True):
            np.testing.assert_array_equal(one, two)
    for one, two in zip(encoder.encode(images)[:-1], batch[:-1], strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_share_that_is_not_explained_is_what_rebuilding_gets_wrong(tiny_model, images):
    encoder = FrozenEncoder.load(tiny_model, decoder="both")
    share = encoder.explain(images)[1]
    wrong = wrong_pixels(encoder, images) / images[0, ..., 0].size
    np.testing.assert_allclose(share, wrong, atol=1e-6)


def test_an_encoder_that_sees_more_than_a_window_is_refused(tiny_model):
    checkpoint = load_checkpoint(tiny_model)
    pyramid = checkpoint._replace(config=replace(checkpoint.config, encoder="pyramid"))
    with pytest.raises(CheckpointError, match=r"expected decoder lookup or network .* got both"):
        FrozenEncoder(pyramid, decoder="both")
