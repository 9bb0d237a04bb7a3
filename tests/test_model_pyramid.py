import math

import pytest
import torch
import torch.nn.functional as F

from sprite_obs.model.pyramid import PartialConv2d, PyramidEncoder, block_strides, downsampling

SIZES = [2, 6, 10, 16, 22, 24, 32, 48, 64]
HEIGHT, WIDTH = 210, 160


def convolutions(sprite_size):
    """The blocks' convolutions alone: GroupNorm takes in the whole frame."""
    torch.manual_seed(0)
    blocks = downsampling(3, 8, sprite_size // 2, 4).double()
    return torch.nn.Sequential(*(part for part in blocks if isinstance(part, PartialConv2d)))


def slow_partial_convolution(images, valid, weight, stride, before):
    """Liu et al.'s Eq. 1 with a mask, window by window; windows without a pixel give 0."""
    side = weight.shape[-1]
    images, valid = (F.pad(x, (before, side, before, side)) for x in (images * valid, valid))
    rows, columns = ((size - before - side) // stride for size in images.shape[-2:])
    result = torch.zeros(len(images), len(weight), rows, columns, dtype=images.dtype)
    for r in range(rows):
        for c in range(columns):
            window = (
                ...,
                slice(r * stride, r * stride + side),
                slice(c * stride, c * stride + side),
            )
            if (share := valid[window].mean()) > 0:
                result[:, :, r, c] = (images[window][:, None] * weight).sum((2, 3, 4)) / share
    return result


@pytest.mark.parametrize("stride, before", [(1, 0), (2, 0), (2, 1), (3, 1), (5, 2), (4, 3)])
@pytest.mark.parametrize("height, width", [(12, 13), (15, 20), (3, 2)])
def test_what_is_beyond_the_border_counts_as_missing(stride, before, height, width):
    convolution = PartialConv2d(3, 4, stride, before).double()
    images = torch.rand(2, 3, height, width, dtype=torch.float64)
    # Padded to whole strides by the mask of the published form.
    padding = (0, -width % stride, 0, -height % stride)
    valid = F.pad(torch.ones(1, 1, height, width, dtype=torch.float64), padding)
    weight = convolution.convolution.weight
    slow = slow_partial_convolution(F.pad(images, padding), valid, weight, stride, before)
    torch.testing.assert_close(convolution(images), slow)


def test_inside_it_is_an_ordinary_convolution():
    convolution = PartialConv2d(3, 4, stride=2, before=1)
    images = torch.rand(2, 3, 16, 20)
    ordinary = F.conv2d(images, convolution.convolution.weight, stride=2, padding=1)
    torch.testing.assert_close(convolution(images)[..., 1:, 1:], ordinary[..., 1:, 1:])
    assert not torch.allclose(convolution(images)[..., 0, :], ordinary[..., 0, :])


@pytest.mark.parametrize("sprite_size", SIZES)
def test_a_constant_image_stays_constant_at_borders(sprite_size):
    blocks = convolutions(sprite_size)
    with torch.no_grad():
        for block in blocks:  # an average, whose value does not depend on how many pixels it has
            block.convolution.weight.copy_(block.convolution.weight.mean((2, 3), keepdim=True))
    result = blocks(torch.full((1, 3, HEIGHT, WIDTH), 0.7, dtype=torch.float64))
    torch.testing.assert_close(result, result[..., :1, :1].expand_as(result))
    assert result.abs().max() > 0


def test_strides_are_halvings_and_an_odd_rest():
    assert block_strides(16) == [2, 2, 2, 2]
    assert block_strides(24) == [2, 2, 2, 3]
    assert block_strides(11) == [11]
    assert block_strides(1) == [1]
    assert all(math.prod(block_strides(n)) == n for n in range(1, 100))


@pytest.mark.parametrize("sprite_size", SIZES)
def test_anchors_see_a_square_in_the_middle_of_which_they_are(sprite_size):
    stride = sprite_size // 2
    frame = torch.rand(1, 3, 6 * stride, 7 * stride, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(convolutions(sprite_size)(frame)[0, 0, 2, 3], frame)
    seen = gradient[0].abs().sum(0).nonzero()
    centre = torch.tensor([2 * stride, 3 * stride]) + stride // 2
    assert torch.equal(seen.amin(0), centre - (stride - 1))
    assert torch.equal(seen.amax(0), centre + (stride - 1))
    assert len(seen) == (2 * stride - 1) ** 2


@pytest.mark.parametrize("sprite_size", SIZES)
def test_frames_moved_by_whole_strides_give_moved_features(sprite_size):
    stride, blocks = sprite_size // 2, convolutions(sprite_size)
    frame = torch.rand(1, 3, 7 * stride + 1, 8 * stride + 1, dtype=torch.float64)
    moved = frame[..., 2 * stride :, stride:]
    torch.testing.assert_close(blocks(moved)[..., 1:-2, 1:-2], blocks(frame)[..., 3:-2, 2:-2])


@pytest.mark.parametrize("sprite_size", SIZES)
def test_the_grid_covers_frames_that_no_cell_divides(sprite_size):
    encoder = PyramidEncoder(2, sprite_size, max_shift=3, code_dim=8, width=16)
    stride = encoder.anchor_stride
    logits = encoder(torch.rand(1, 3, HEIGHT, WIDTH), torch.randn(5, 8))
    grid = 1, 2, math.ceil(HEIGHT / stride), math.ceil(WIDTH / stride)
    assert logits.presence.shape == grid
    assert logits.assignment.shape == (*grid, 5)
    assert logits.shift_x.shape == logits.shift_y.shape == (*grid, 7)


@pytest.mark.parametrize("max_shift", [None, 2])
@pytest.mark.parametrize("normalize_codes", [True, False])
@pytest.mark.parametrize("learned_temperature", [True, False])
def test_the_gradient_reaches_every_parameter(max_shift, normalize_codes, learned_temperature):
    torch.manual_seed(0)
    encoder = PyramidEncoder(2, 12, max_shift, 16, 32, normalize_codes, learned_temperature)
    logits = encoder(torch.rand(2, 3, 20, 21), torch.randn(5, 16))
    parts = (part for part in logits if part is not None)
    sum((part * torch.rand_like(part)).sum() for part in parts).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert (encoder.log_scale is not None) == learned_temperature


def test_no_shifts_are_left_for_another_network():
    encoder = PyramidEncoder(2, 12, None, 8, 16)
    logits = encoder(torch.rand(2, 3, 24, 18), torch.randn(5, 8))
    assert logits.shift_x.shape == logits.shift_y.shape == (2, 2, 4, 3, 0)


def test_scores_are_scaled_products_of_codes():
    encoder = PyramidEncoder(2, 12, 2, 8, 16)
    code = F.layer_norm(torch.randn(1, 8), (8,))
    frame = torch.rand(1, 3, 18, 18)
    scores = encoder(frame, torch.cat([code, -code])).assignment
    torch.testing.assert_close(scores[..., 0], -scores[..., 1])
    assert scores.abs().max() <= 8**0.5 + 1e-4
    with torch.no_grad():
        encoder.log_scale += 1
    torch.testing.assert_close(encoder(frame, code).assignment, scores[..., :1] * torch.e)


def test_codes_that_are_not_normalised_have_no_bound():
    encoder = PyramidEncoder(1, 12, 2, 8, 16, normalize_codes=False)
    with torch.no_grad():
        encoder.anchor.weight *= 100
    scores = encoder(torch.rand(1, 3, 18, 18), F.layer_norm(torch.randn(5, 8), (8,))).assignment
    assert scores.abs().max() > 8**0.5


def test_layers_and_anchors_are_told_apart():
    """A hundred steps teach which sprite is at which anchor and layer."""
    torch.manual_seed(0)
    encoder = PyramidEncoder(2, 8, None, 16, 32)
    codes = F.layer_norm(torch.randn(3, 16), (16,))
    colors = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.2, 0.2], [0.1, 0.9, 0.3], [0.3, 0.2, 1.0]])
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-2)
    for _ in range(100):
        sprite = torch.randint(0, 4, (16, 6, 5))
        frames = colors[sprite].permute(0, 3, 1, 2)
        frames = frames.repeat_interleave(4, 2).repeat_interleave(4, 3)
        logits = encoder(frames, codes)
        shown = torch.stack([sprite % 2 * sprite, (1 - sprite % 2) * sprite], 1)  # (B, L, R, C)
        loss = F.binary_cross_entropy_with_logits(logits.presence, (shown > 0).float())
        named = logits.assignment[shown > 0]
        loss = loss + F.cross_entropy(named, shown[shown > 0] - 1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert ((logits.presence > 0) == (shown > 0)).float().mean() > 0.99
    assert (named.argmax(-1) == shown[shown > 0] - 1).float().mean() > 0.99
