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


def test_sprites_of_several_sizes_are_clear_outside_of_their_squares():
    torch.manual_seed(0)
    dictionary = SpriteDictionary(5, 8, 16, drawn_sizes=(4, 8))
    sprites = dictionary()
    for number, side in enumerate([4, 8, 4, 8, 4]):
        seen = sprites[number, 3] > 0
        margin = (8 - side) // 2
        assert seen.sum() == side**2 and seen[margin : 8 - margin, margin : 8 - margin].all()
    whole = SpriteDictionary(5, 8, 16)
    whole.load_state_dict(dictionary.state_dict())
    torch.testing.assert_close(sprites[1::2], whole()[1::2])
    torch.testing.assert_close(sprites[:, :, 2:6, 2:6], whole()[:, :, 2:6, 2:6])


def test_sizes_are_no_weights():
    assert "canvas_mask" not in SpriteDictionary(3, 8, 16, drawn_sizes=(4,)).state_dict()


def test_fit_within_several_sizes_shows_what_their_squares_let_through():
    torch.manual_seed(0)
    dictionary = SpriteDictionary(4, 8, 16, drawn_sizes=(4, 8))
    given = pixel_sprites(4, 8)
    dictionary.fit(given)
    visible = given.clone()
    visible[::2, 3] *= torch.nn.functional.pad(torch.ones(4, 4), (2, 2, 2, 2))
    visible = torch.where(visible[:, 3:] > 0, visible, 0.0)
    shown = dictionary().detach()
    torch.testing.assert_close(shown[:, 3], visible[:, 3], atol=HALF_LEVEL, rtol=0)
    premultiplied = (shown[:, :3] - visible[:, :3]) * visible[:, 3:]
    assert premultiplied.abs().max() < HALF_LEVEL


def test_codes_without_normalisation_are_the_latents():
    torch.manual_seed(0)
    plain = SpriteDictionary(3, 4, 8, normalize_codes=False)
    assert torch.equal(plain.codes(), plain.latents)
    with torch.no_grad():
        before = plain()
        plain.latents.mul_(3)
        assert not torch.allclose(plain(), before)
        normal = SpriteDictionary(3, 4, 8)
        before = normal()
        normal.latents.mul_(3)
        torch.testing.assert_close(normal(), before, atol=1e-4, rtol=1e-4)


def test_fit_without_normalisation_shows_the_given_sprites():
    torch.manual_seed(0)
    dictionary = SpriteDictionary(20, 8, 16, normalize_codes=False)
    given = pixel_sprites(20, 8)
    dictionary.fit(given)
    assert (dictionary() - torch.where(given[:, 3:] > 0, given, 0.0)).abs().max() < HALF_LEVEL
