import pytest
import torch
import torch.nn.functional as F

from sprite_obs.model.compositor import composite
from sprite_obs.model.scene import SpriteScene
from sprite_obs.model.shift_network import CropShiftNetwork, crops_around_anchors

SIZE, MAX_SHIFT = 16, 4


def slow_crop(frame, row, column, size, stride):
    margin = size + stride
    padded = F.pad(frame, (margin,) * 4)
    top, left = (margin + cell * stride + stride // 2 - size // 2 for cell in (row, column))
    return padded[:, top : top + size, left : left + size]


@pytest.mark.parametrize("height, width", [(40, 40), (35, 42), (17, 8)])
@pytest.mark.parametrize("size, stride", [(16, 8), (6, 3), (22, 11), (24, 8), (4, 8), (2, 1)])
def test_crops_are_around_anchors(size, stride, height, width):
    frames = torch.rand(3, 3, height, width)
    counts = torch.tensor([3, -(-height // stride), -(-width // stride)])
    cells = torch.stack([torch.randint(0, int(n), (20,)) for n in counts])
    cells[1:, 0], cells[1:, 1] = 0, counts[1:] - 1
    crops = crops_around_anchors(frames, *cells, size, stride)
    for crop, (b, row, column) in zip(crops, cells.T.tolist(), strict=True):
        assert torch.equal(crop, slow_crop(frames[b], row, column, size, stride))


def test_a_sprite_without_a_shift_fills_its_anchors_crop():
    sprites = torch.cat([torch.rand(1, 3, SIZE, SIZE), torch.ones(1, 1, SIZE, SIZE)], 1)
    presence = torch.zeros(1, 1, 5, 6)
    presence[0, 0, 3, 2] = 1
    shifts = F.one_hot(torch.full(presence.shape, MAX_SHIFT), 2 * MAX_SHIFT + 1).float()
    background = torch.zeros(1, 3, 40, 48)
    scene = SpriteScene(presence, torch.ones(1, 1, 5, 6, 1), shifts, shifts, background)
    cell = (torch.tensor([n]) for n in (0, 3, 2))
    crops = crops_around_anchors(composite(sprites, scene, SIZE // 2), *cell, SIZE, SIZE // 2)
    torch.testing.assert_close(crops, sprites[:, :3])


@pytest.mark.parametrize("size", [2, 6, 16, 22, 48])
def test_the_gradient_reaches_every_parameter_and_the_drawings(size):
    torch.manual_seed(0)
    network = CropShiftNetwork(size, size // 2, code_dim=16, width=32)
    drawings = torch.rand(5, 4, size, size, requires_grad=True)
    cells = torch.zeros(3, 5, dtype=torch.int64)
    scores = network(torch.rand(2, 3, size, size), drawings, *cells, size // 2)
    assert [tuple(part.shape) for part in scores] == [(5, 2 * (size // 2) + 1)] * 2
    sum((part * torch.rand_like(part)).sum() for part in scores).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert drawings.grad is not None and (drawings.grad.abs().sum((1, 2, 3)) > 0).all()


def test_an_anchors_scores_do_not_depend_on_the_others():
    network = CropShiftNetwork(SIZE, MAX_SHIFT, code_dim=16, width=32).double()
    frames = torch.rand(2, 3, 40, 33, dtype=torch.float64)
    drawings = torch.rand(6, 4, SIZE, SIZE, dtype=torch.float64)
    cells = torch.stack([torch.randint(0, n, (6,)) for n in (2, 5, 5)])
    whole = network(frames, drawings, *cells, SIZE // 2)
    some = torch.tensor([4, 1])
    for part, all_of_it in zip(
        network(frames, drawings[some], *cells[:, some], SIZE // 2), whole, strict=True
    ):
        torch.testing.assert_close(part, all_of_it[some])


def planted(drawings, count):
    """Frames of one sprite each, at a random shift from a random anchor, and all that is true."""
    which = torch.randint(0, len(drawings), (count,))
    shift = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (count, 2))  # x, y
    cell = torch.randint(0, 4, (count, 2))  # column, row
    frames = torch.full((count, 3, 64, 64), 0.3)  # 16 pixels of margin, cut off below
    for n, (left, top) in enumerate((cell * 8 + 12 + shift).tolist()):
        window = frames[n, :, top : top + SIZE, left : left + SIZE]
        window *= 1 - drawings[which[n], 3]
        window += drawings[which[n], :3]
    return frames[..., 16:-16, 16:-16], which, shift, cell


def test_it_learns_to_name_the_shift_of_a_planted_sprite():
    torch.manual_seed(0)
    alpha = F.pad((torch.rand(6, 1, 8, 8) > 0.3).float(), (4, 4, 4, 4))
    drawings = torch.cat([torch.rand(6, 3, SIZE, SIZE) * alpha, alpha], 1)
    network = CropShiftNetwork(SIZE, MAX_SHIFT, code_dim=32, width=32)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    hits = []
    for _ in range(300):
        frames, which, shift, cell = planted(drawings, 64)
        column, row = cell.T
        x, y = network(frames, drawings[which], torch.arange(64), row, column, 8)
        truth = shift + MAX_SHIFT
        loss = F.cross_entropy(x, truth[:, 0]) + F.cross_entropy(y, truth[:, 1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        hits.append((torch.stack([x.argmax(1), y.argmax(1)], 1) == truth).all(1).float().mean())
    assert torch.stack(hits[-20:]).mean() > 0.9  # guessing: 1 / 81
