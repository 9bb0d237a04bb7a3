"""What recurs is found where it touches other things, hides behind them, and stands in rows."""

import numpy as np
import pytest
import torch

from sprite_obs.pretrain.recurring import MIN_FOUND, find_recurring

SIDE, FRAME = 16, 64
COLORS = torch.tensor([[0.9, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.3, 0.9], [0.8, 0.7, 0.1]])


def drawing(seed, height, width):
    """An opaque block of random pixels, unlike any other seed's."""
    generator = torch.Generator().manual_seed(seed)
    return COLORS[torch.randint(4, (height, width), generator=generator)].permute(2, 0, 1)


def paint(frame, block, x, y):
    frame[:, y : y + block.shape[1], x : x + block.shape[2]] = block


def empty(count):
    return torch.ones(count, 3, FRAME, FRAME)


def search(frames, count=8, wrong=None):
    wrong = (frames - 1).abs().amax(1) if wrong is None else wrong
    return find_recurring(frames, wrong, SIDE, count, np.random.default_rng(0))


def shown(found):
    """Returns the opaque rectangle of a find as a block, which must be whole."""
    rows, columns = found[3].any(1).nonzero().flatten(), found[3].any(0).nonzero().flatten()
    block = np.s_[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert found[3][block[1:]].all(), "holes"
    return found[:3][block]


def is_among(block, finds):
    return any(shown(f).shape == block.shape and torch.equal(shown(f), block) for f in finds)


def test_things_that_touch_are_taken_apart():
    a, b = drawing(0, 9, 8), drawing(1, 8, 10)
    frames = empty(12)
    for n, frame in enumerate(frames):
        paint(frame, a, 8 + n, 20)
        paint(frame, b, 8 + n + 8, 20 + n % 7)  # always beside a, never at the same height
    finds = search(frames)
    assert len(finds) == 2 and is_among(a, finds) and is_among(b, finds)


def test_what_is_half_hidden_is_found_whole_and_once():
    below, above = drawing(2, 12, 12), drawing(3, 8, 8)
    frames = empty(20)
    rng = np.random.default_rng(0)
    for frame in frames:
        x, y = rng.integers(12, 40, 2)
        paint(frame, below, x, y)
        if rng.random() < 0.4:
            paint(frame, above, x + rng.integers(-6, 10), y + rng.integers(-6, 10))
    finds = search(frames)
    assert len(finds) == 2 and is_among(below, finds) and is_among(above, finds)


@pytest.mark.parametrize("axis", [0, 1])
def test_one_tile_stands_for_rows_of_any_length(axis):
    tile = drawing(4, 9, 9)
    frames = empty(16)
    rng = np.random.default_rng(1)
    for frame in frames:
        first, line = rng.integers(0, 18), rng.integers(4, 50)
        for i in range(rng.integers(2, 6)):
            along = first + 9 * i
            paint(frame, tile, *((line, along) if axis == 0 else (along, line)))
    finds = search(frames)
    assert is_among(tile, finds)


def test_the_parts_of_a_drawing_that_repeat_are_no_tiles():
    rung = drawing(5, 8, 10)
    ladder = torch.cat([rung, torch.zeros(3, 3, 10), rung[:, :4]], 1)  # 15 high
    frames = empty(12)
    for n, frame in enumerate(frames):
        paint(frame, ladder, 5 + 3 * n, 10 + n)
    finds = search(frames)
    assert len(finds) == 1 and is_among(ladder, finds)


def test_what_is_larger_than_a_canvas_is_cut():
    large = drawing(6, 24, 12)
    frames = empty(8)
    for n, frame in enumerate(frames):
        paint(frame, large, 10 + n, 12 + n)
    finds = search(frames)
    assert is_among(large[:, :SIDE], finds)
    assert all(find.shape == (4, SIDE, SIDE) for find in finds)


def test_drawings_are_centred():
    frames = empty(6)
    for n, frame in enumerate(frames):
        paint(frame, drawing(7, 9, 8), 20 + n, 30)
    (find,) = search(frames)
    opaque = find[3].nonzero()
    assert opaque.amin(0).tolist() == [4, 4] and opaque.amax(0).tolist() == [12, 11]


def test_what_is_seen_seldom_does_not_recur():
    frames = empty(10)
    for n in range(MIN_FOUND - 1):
        paint(frames[n], drawing(8, 9, 9), 20 + n, 30)
    assert search(frames) == []


def test_only_what_is_wrong_is_looked_for_and_no_more_than_asked():
    a, b = drawing(0, 9, 8), drawing(1, 8, 10)
    frames = empty(12)
    for n, frame in enumerate(frames):
        paint(frame, a, 4 + n, 10)
        paint(frame, b, 30 + n, 40)
    assert len(search(frames, count=1)) == 1
    right = (frames - 1).abs().amax(1)
    right[:, 32:] = 0
    (find,) = search(frames, wrong=right)
    assert is_among(a, [find])
    assert search(frames, wrong=torch.zeros(12, FRAME, FRAME)) == []
