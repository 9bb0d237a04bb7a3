import pytest
import torch

from sprite_obs.model.encoder import WindowEncoder

STRIDE = 8


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return WindowEncoder(num_layers=2, anchor_stride=STRIDE, max_shift=4, code_dim=8, width=16)


@pytest.fixture
def codes():
    return torch.nn.functional.layer_norm(torch.randn(5, 8), (8,))


def test_shapes_of_a_frame_that_no_cell_divides(encoder, codes):
    logits = encoder(torch.rand(2, 3, 42, 33), codes)
    assert logits.presence.shape == (2, 2, 6, 5)
    assert logits.assignment.shape == (2, 2, 6, 5, 5)
    assert logits.shift_x.shape == logits.shift_y.shape == (2, 2, 6, 5, 9)


@pytest.mark.parametrize("row, column", [(0, 0), (2, 3), (5, 4), (0, 4), (5, 0)])
def test_pixels_outside_of_the_window_do_not_matter(encoder, codes, row, column):
    frame = torch.rand(1, 3, 42, 33)
    top, left = max((row - 1) * STRIDE, 0), max((column - 1) * STRIDE, 0)
    window = (..., slice(top, (row + 2) * STRIDE), slice(left, (column + 2) * STRIDE))
    other = torch.rand_like(frame)
    other[window] = frame[window]
    for a, b in zip(encoder(frame, codes)[:4], encoder(other, codes)[:4], strict=True):
        assert torch.equal(a[:, :, row, column], b[:, :, row, column])
        assert not torch.equal(a, b)


@pytest.mark.parametrize("y, x", [(0, 0), (23, 23), (0, 23), (23, 0), (12, 12)])
def test_the_whole_window_matters(encoder, codes, y, x):
    row, column = 2, 3
    frame = torch.rand(1, 3, 42, 40)
    other = frame.clone()
    pixel = (..., (row - 1) * STRIDE + y, (column - 1) * STRIDE + x)
    other[pixel] = 1 - other[pixel]
    a, b = encoder(frame, codes), encoder(other, codes)
    assert not torch.equal(a.presence[:, :, row, column], b.presence[:, :, row, column])


def test_a_crop_on_the_grid_gives_the_same_inside(encoder, codes):
    encoder, codes = encoder.double(), codes.double()
    frame = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    crop = frame[..., 2 * STRIDE : 7 * STRIDE, STRIDE : 6 * STRIDE]
    for whole, part in zip(encoder(frame, codes)[:4], encoder(crop, codes)[:4], strict=True):
        torch.testing.assert_close(part[:, :, 1:-1, 1:-1], whole[:, :, 3:6, 2:5])


def test_windows_give_what_the_frame_gives_at_every_anchor(encoder, codes):
    encoder, codes = encoder.double(), codes.double()
    frame = torch.rand(1, 3, 21, 30, dtype=torch.float64)
    side = 3 * STRIDE
    windows = encoder.pad(frame).unfold(2, side, STRIDE).unfold(3, side, STRIDE)
    windows = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, side, side)
    for whole, single in zip(
        encoder(frame, codes)[:4], encoder.encode_windows(windows, codes)[:4], strict=True
    ):
        assert single.shape[2:4] == (1, 1)
        by_anchor = whole[0].movedim(0, 2).flatten(0, 1)  # (R * C, L, ...)
        torch.testing.assert_close(single[:, :, 0, 0], by_anchor)


def test_scores_are_scaled_products_of_codes(encoder):
    code = torch.nn.functional.layer_norm(torch.randn(1, 8), (8,))
    frame = torch.rand(1, 3, 16, 16)
    scores = encoder(frame, torch.cat([code, -code])).assignment
    torch.testing.assert_close(scores[..., 0], -scores[..., 1])
    assert scores.abs().max() <= 8**0.5
    with torch.no_grad():
        encoder.log_scale += 1
    torch.testing.assert_close(encoder(frame, code).assignment, scores[..., :1] * torch.e)
