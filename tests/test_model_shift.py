import pytest
import torch
import torch.nn.functional as F

from sprite_obs.model.shift import shift_matrices, shift_sprites


def one_hot_shift(shift, max_shift):
    return F.one_hot(torch.tensor([shift + max_shift]), 2 * max_shift + 1).double()


@pytest.mark.parametrize("dx, dy", [(0, 0), (3, -2), (-3, 3), (1, 0)])
def test_one_hot_probabilities_translate_by_whole_pixels(dx, dy):
    sprite = torch.rand(1, 4, 5, 5, dtype=torch.float64)
    moved = shift_sprites(sprite, one_hot_shift(dx, 3), one_hot_shift(dy, 3))
    expected = torch.zeros(1, 4, 11, 11, dtype=torch.float64)
    expected[..., 3 + dy : 8 + dy, 3 + dx : 8 + dx] = sprite
    assert torch.equal(moved, expected)


def test_soft_shift_is_the_weighted_sum_of_translations():
    sprites = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    px, py = torch.rand(2, 2, 5, dtype=torch.float64).softmax(-1)
    expected = torch.zeros(2, 3, 8, 8, dtype=torch.float64)
    for n in range(2):
        for i in range(5):
            for j in range(5):
                expected[n, :, i : i + 4, j : j + 4] += py[n, i] * px[n, j] * sprites[n]
    torch.testing.assert_close(shift_sprites(sprites, px, py), expected)


def test_matrices_keep_the_mass_of_every_pixel():
    matrices = shift_matrices(torch.rand(3, 9).softmax(-1), 6)
    assert matrices.shape == (3, 14, 6)
    torch.testing.assert_close(matrices.sum(1), torch.ones(3, 6))


def test_gradients_agree_with_finite_differences():
    inputs = [torch.rand(shape, dtype=torch.float64) for shape in ((2, 2, 3, 3), (2, 3), (2, 3))]
    assert torch.autograd.gradcheck(shift_sprites, [x.requires_grad_() for x in inputs])
