import pytest
import torch
from torch.func import functional_call

from sprite_obs.model.dictionary import SpriteDictionary

HALF_LEVEL = 0.5 / 255


def pixel_sprites(count, size):
    """Sprites of 8-bit colours with hard edges, and colours hidden below transparent pixels."""
    generator = torch.Generator().manual_seed(1)
    rgb = torch.randint(256, (count, 3, size, size), generator=generator) / 255
    alpha = (torch.rand(count, 1, size, size, generator=generator) < 0.4).float()
    return torch.cat([rgb, alpha], 1)


def test_sprites_and_codes_have_their_shapes_and_ranges():
    dictionary = SpriteDictionary(5, 6, 16)
    sprites, codes = dictionary(), dictionary.codes()
    assert sprites.shape == (5, 4, 6, 6)
    assert sprites.min() > 0 and sprites.max() < 1
    assert codes.shape == (5, 16)
    torch.testing.assert_close(codes.mean(-1), torch.zeros(5), atol=1e-6, rtol=0)
    torch.testing.assert_close(codes.square().mean(-1), torch.ones(5), atol=1e-3, rtol=0)


@pytest.mark.parametrize("count, size, dim", [(200, 48, 64), (1, 8, 8), (64, 8, 8), (512, 4, 64)])
def test_fit_shows_the_given_sprites(count, size, dim):
    torch.manual_seed(0)
    dictionary = SpriteDictionary(count, size, dim)
    given = pixel_sprites(count, size)
    dictionary.fit(given)
    visible = torch.where(given[:, 3:] > 0, given, 0.0)
    assert (dictionary() - visible).abs().max() < HALF_LEVEL


def test_fit_of_too_many_sprites_is_the_best_fit_of_their_logits():
    torch.manual_seed(0)
    dictionary = SpriteDictionary(100, 4, 8).double()
    given = pixel_sprites(100, 4).double()
    given[:, 3] = 1
    dictionary.fit(given)
    error = (dictionary().logit() - given.logit(eps=1 / 1024)).square().mean()
    gradients = torch.autograd.grad(error, list(dictionary.output.parameters()))
    assert error > 0.1
    assert all(gradient.abs().max() < 1e-9 for gradient in gradients)


def test_fit_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"\(3, 4, 6, 6\), got \(2, 4, 6, 6\)"):
        SpriteDictionary(3, 6, 8).fit(torch.zeros(2, 4, 6, 6))


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(0)
    dictionary = SpriteDictionary(2, 2, 8).double()
    names = [name for name, _ in dictionary.named_parameters() if not name.startswith("output")]
    values = [dictionary.get_parameter(name) for name in names]

    def decode(*parameters):
        return functional_call(dictionary, dict(zip(names, parameters, strict=True)))

    assert torch.autograd.gradcheck(decode, values)


def test_related_codes_put_like_sprites_close_and_keep_all_apart():
    torch.manual_seed(0)
    dictionary = SpriteDictionary(40, 16, 64)
    sprites = torch.zeros(40, 4, 16, 16)
    for i in range(40):  # two families: bars on the left, blocks on the right
        left, right = (2, 5) if i % 2 else (8, 15)
        sprites[i, :, 2 : 6 + i // 4, left:right] = 1
    dictionary.relate_codes(sprites)
    codes = dictionary.codes().detach()
    products = codes @ codes.T / 64
    family = torch.arange(40) % 2
    like = family[:, None] == family[None]
    apart = ~torch.eye(40, dtype=torch.bool)
    assert products[like & apart].mean() > products[~like].mean() + 0.3
    assert products[apart].max() < 0.95
