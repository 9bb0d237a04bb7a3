import pytest
import torch
import torch.nn.functional as F

from sprite_obs.model.scroll import OffsetNetwork, ScrollBackground, mean_image, stitch

HEIGHT, WIDTH = 24, 32


def one_hot(index, classes, dtype=torch.float32):
    return F.one_hot(torch.as_tensor(index), classes).to(dtype)


def texture(height, width):
    """A smooth random picture."""
    coarse = torch.rand(1, 3, height // 4, width // 4)
    return F.interpolate(coarse, size=(height, width), mode="bilinear")[0]


def cuts(image, count, reach):
    """Frames cut out of an image at its corners and at random places, and these places (y, x)."""
    places = torch.stack([torch.randint(0, most + 1, (count,)) for most in reach], 1)
    corners = torch.cartesian_prod(*(torch.tensor([0, most]) for most in reach))
    places[torch.randperm(count)[:4]] = corners
    frames = [image[:, y : y + HEIGHT, x : x + WIDTH] for y, x in places.tolist()]
    return torch.stack(frames), places


def psnr(image, other):
    return -10 * torch.log10(F.mse_loss(image, other))


@pytest.mark.parametrize("reach", [(0, 0), (0, 9), (7, 0), (4, 5)])
def test_a_hard_offset_is_a_slice_exactly(reach):
    image = torch.rand(3, HEIGHT + reach[0], WIDTH + reach[1])
    background = ScrollBackground((HEIGHT, WIDTH), reach, image)
    frames, places = cuts(image, 10, reach)
    y, x = (one_hot(place, most + 1) for place, most in zip(places.T, reach, strict=True))
    assert torch.equal(background(x, y), frames)


def test_a_soft_offset_is_the_weighted_sum_of_slices():
    image = torch.rand(3, 7, 9)
    background = ScrollBackground((5, 6), (2, 3), image).double()
    x, y = (torch.rand(4, n, dtype=torch.float64).softmax(-1) for n in (4, 3))
    slow = sum(
        y[:, i, None, None, None]
        * x[:, j, None, None, None]
        * image[:, i : i + 5, j : j + 6].double()
        for i in range(3)
        for j in range(4)
    )
    torch.testing.assert_close(background(x, y), slow)


def test_values_are_clamped_and_their_gradient_passes():
    background = ScrollBackground((2, 2), (0, 1))
    with torch.no_grad():
        background.whole.image.copy_(torch.linspace(-1, 2, 18).view(3, 2, 3))
    frame = background(one_hot([1], 2), one_hot([0], 1))
    assert frame.min() == 0 and frame.max() == 1
    frame.sum().backward()
    expected = torch.ones(3, 2, 3)
    expected[..., 0] = 0
    assert torch.equal(background.whole.image.grad, expected)


def test_an_image_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(3, 24, 40\)"):
        ScrollBackground((HEIGHT, WIDTH), (0, 8), torch.rand(3, HEIGHT, WIDTH))


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (210, 160), (8, 100), (5, 7)])
@pytest.mark.parametrize("reach", [(0, 6), (5, 0), (2, 3)])
def test_the_gradient_reaches_every_parameter_of_the_network(size, reach):
    torch.manual_seed(0)
    network = OffsetNetwork(size, reach, width=16)
    scores = network(torch.rand(2, 3, *size))
    assert [tuple(part.shape) for part in scores] == [(2, reach[1] + 1), (2, reach[0] + 1)]
    sum((part * torch.rand_like(part)).sum() for part in scores).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_the_mean_of_evenly_spread_frames_is_the_blurred_background():
    ramp = torch.linspace(0, 1, WIDTH + 9).expand(3, HEIGHT, -1)
    frames = torch.stack([ramp[..., x : x + WIDTH] for x in range(10)])
    image = mean_image(frames, (3, 9))
    assert image.shape == (3, HEIGHT + 3, WIDTH + 9)
    torch.testing.assert_close(image[:, :HEIGHT, 4:-5], ramp[..., 4:-5] + 0.5 / (WIDTH + 8))


@pytest.mark.parametrize("reach", [(0, 16), (0, 80), (40, 0), (8, 24)])
def test_frames_that_overlap_are_stitched(reach):
    torch.manual_seed(0)
    image = texture(HEIGHT + reach[0], WIDTH + reach[1])
    frames, _ = cuts(image, 100, reach)
    result = stitch(frames, (reach[0] + 4, reach[1] + 6))
    torch.testing.assert_close(result[:, 2:-2, 3:-3], image)
    unseen = torch.cat([result[:, :2].flatten(1), result[..., -3:].flatten(1)], 1)
    torch.testing.assert_close(unseen, image.mean((1, 2))[:, None].expand_as(unseen))


def test_stitching_overlooks_sprites():
    torch.manual_seed(0)
    image = texture(HEIGHT, WIDTH + 40)
    clean, _ = cuts(image, 100, (0, 40))
    frames = clean.clone()
    for frame, top, left in zip(frames, *torch.randint(0, HEIGHT - 5, (2, 100)), strict=True):
        frame[:, top : top + 5, left : left + 5] = torch.rand(3, 1, 1)
    background = ScrollBackground((HEIGHT, WIDTH), (0, 44), stitch(frames, (0, 44)))
    offsets = torch.eye(45), torch.ones(45, 1)
    every = background(*offsets).detach()  # (45, 3, H, W)
    nearest = (clean[:, None] - every).square().mean((2, 3, 4)).amin(1)
    assert nearest.max() < 1e-3


def test_image_and_offsets_are_learned_together():
    """Wake steps explain frames; sleep steps name the offsets of frames that the image makes up."""
    torch.manual_seed(0)
    # Eight pixels more than needed: the whole may settle some pixels beside the middle.
    reach = 24
    frames, places = cuts(texture(HEIGHT, WIDTH + 16), 256, (0, 16))
    start = mean_image(frames, (0, reach))
    start = (start + 0.05 * torch.randn_like(start)).clamp(0, 1)
    background = ScrollBackground((HEIGHT, WIDTH), (0, reach), start)
    network = OffsetNetwork((HEIGHT, WIDTH), (0, reach), width=32)
    optimizer = torch.optim.Adam(
        [{"params": background.parameters(), "lr": 0.03}, {"params": network.parameters()}], 3e-3
    )
    for _ in range(300):
        batch = frames[torch.randint(0, len(frames), (16,))]
        x, y = (scores.softmax(-1) for scores in network(batch))
        wake = F.mse_loss(background(x, y), batch)
        truth = torch.randint(0, reach + 1, (16,))
        with torch.no_grad():
            dream = background(one_hot(truth, reach + 1), torch.ones(16, 1))
        loss = wake + F.cross_entropy(network(dream)[0], truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        offset = network(frames)[0].argmax(1)
        rebuilt = background(one_hot(offset, reach + 1), torch.ones(len(frames), 1))
    # The image may have settled anywhere within the reach: offsets are right but for a constant.
    assert len((offset - places[:, 1]).unique()) == 1
    assert psnr(rebuilt, frames) > 40
