"""Dead sprites become copies of what recurs, and nothing else changes."""

import numpy as np
import pytest
import torch
from toy_model import BLUE, GREEN, RED, SIDE, SIZE, blank, block, frames_with_cells, toy_model

from sprite_obs.pretrain.reassign import MARGIN, reassign


def thing(seed, height, width):
    """An opaque block of dull random pixels, which no anchor of the toy model shows."""
    generator = torch.Generator().manual_seed(seed)
    return 0.2 + 0.4 * torch.rand(3, height, width, generator=generator)


def on_canvas(image):
    """Returns a sprite that shows an image in the middle of its canvas, as things are cut out."""
    _, height, width = image.shape
    sprite = blank()
    top, left = SIZE // 2 - height // 2, SIZE // 2 - width // 2
    sprite[:3, top : top + height, left : left + width] = image
    sprite[3, top : top + height, left : left + width] = 1
    return sprite


def frames_with(*things, count=16, cells=(RED,)):
    """Paints each thing once on each frame, side by side at random heights, below the cells."""
    frames = frames_with_cells(list(cells), count)
    rng = np.random.default_rng(1)
    for frame in frames:
        for number, image in enumerate(things):
            _, height, width = image.shape
            left = number * SIDE // len(things) + rng.integers(0, 4)
            top = rng.integers(8 * len(cells), SIDE - height + 1)
            frame[:, top : top + height, left : left + width] = image
    return frames


def run(model, frames):
    """Returns the number of replaced sprites, and the dictionary after and before."""
    before = model.dictionary().detach()
    count = reassign(model, frames, np.random.default_rng(0))
    return count, model.dictionary().detach(), before


def looks_like(sprite, drawing):
    opaque = drawing[3] > 0.5
    same_outline = torch.equal(sprite[3] > 0.5, opaque)
    return same_outline and bool((sprite - drawing)[:, opaque].abs().max() <= MARGIN + 1e-4)


def is_among(drawing, sprites):
    return any(looks_like(sprite, drawing) for sprite in sprites)


def test_dead_sprites_become_copies_of_what_recurs():
    one, two = thing(1, 9, 10), thing(2, 11, 8)
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    count, sprites, before = run(model, frames_with(one, two))
    assert count == 2
    assert is_among(on_canvas(one), sprites[1:]) and is_among(on_canvas(two), sprites[1:])
    assert (sprites[0] - before[0]).abs().max() < 1e-4, "in good use"


def test_nothing_but_the_last_layer_changes():
    model = toy_model([block(RED), blank(), blank()])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run(model, frames_with(thing(1, 9, 9)))
    after = model.state_dict()
    changed = {name for name in before if not torch.equal(after[name], before[name])}
    assert changed == {"dictionary.output.weight", "dictionary.output.bias"}


def test_new_sprites_keep_a_gradient():
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    _, sprites, _ = run(model, frames_with(thing(1, 9, 9)))
    assert sprites[1:].min() > 0.9 * MARGIN and sprites[1:].max() < 1 - 0.9 * MARGIN


def test_a_dead_sprite_that_looks_like_something_found_stays():
    one, two = thing(1, 9, 10), thing(2, 11, 8)
    model = toy_model([block(RED), on_canvas(one), block(BLUE)])
    count, sprites, before = run(model, frames_with(one, two))
    assert count == 1
    assert (sprites[:2] - before[:2]).abs().max() < 1e-4
    assert looks_like(sprites[2], on_canvas(two))


def test_it_stays_wherever_on_its_canvas_it_is():
    one, two = thing(1, 9, 10), thing(2, 11, 8)
    model = toy_model([block(RED), on_canvas(one).roll((-2, 2), (1, 2)), block(BLUE)])
    count, sprites, before = run(model, frames_with(one, two))
    assert count == 1 and (sprites[1] - before[1]).abs().max() < 1e-4


def test_what_a_sprite_in_use_shows_elsewhere_needs_no_second_one():
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    frames = frames_with(thing(1, 9, 10))
    frames[:, :, -8:, 21:29] = RED[:, None, None]  # lies on two cells, so no anchor shows it
    _, sprites, _ = run(model, frames)
    assert is_among(on_canvas(thing(1, 9, 10)), sprites)
    assert sum(looks_like(sprite, block(RED)) for sprite in sprites) == 1


def test_a_sprite_that_explains_nothing_where_it_is_used_is_dead():
    one = thing(1, 9, 10)
    model = toy_model([block(RED), block(0.2 * GREEN), block(BLUE)])
    count, sprites, before = run(model, frames_with(one, cells=(RED, GREEN)))
    assert count == 2 and not is_among(before[1], sprites)
    assert is_among(on_canvas(one), sprites[1:])


def test_a_speck_is_dead_however_much_it_is_used():
    one, two = thing(1, 9, 10), thing(2, 11, 8)
    speck = blank()
    speck[:, 7, 7:10] = torch.cat([GREEN, torch.ones(1)])[:, None]  # right where it is used
    model = toy_model([block(RED), speck, block(BLUE)])
    count, sprites, before = run(model, frames_with(one, two, cells=(RED, GREEN)))
    assert count == 2 and not is_among(before[1], sprites)


@torch.no_grad()
def test_sprites_that_lie_beyond_the_border():
    reach = 20
    model = toy_model([block(RED), block(GREEN), block(BLUE)], max_shift=reach)
    scores = model.encoder.heads.bias.unflatten(0, (model.encoder.num_layers, -1))
    scores[:, -2 * (2 * reach + 1) :] = 0
    scores[:, [-2 * reach - 2, -1]] = 9  # all that is shown lies so far to the lower right
    frames = frames_with(thing(1, 9, 10), cells=())
    frames[:, :, :8, -8:] = RED[:, None, None]
    count, sprites, before = run(model, frames)
    assert count == 2 and (sprites[0] - before[0]).abs().max() < 1e-4


def test_a_hardly_used_sprite_is_dead():
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    frames = frames_with(thing(1, 9, 10), thing(2, 11, 8), count=40, cells=(RED,))
    frames[:1, :, 40:, 40:] = GREEN[:, None, None]
    _, sprites, _ = run(model, frames)
    assert not is_among(block(GREEN), sprites)


def test_regions_larger_than_a_canvas_give_a_part():
    large = thing(3, 24, 30)
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    count, sprites, _ = run(model, frames_with(large))
    parts = large.unfold(1, SIZE, 1).unfold(2, SIZE, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)
    whole = [s for s in sprites[1:] if (s[3] > 0.5).all()]
    assert count == 2 and whole
    for sprite in whole:
        assert (parts - sprite[:3]).abs().amax((1, 2, 3)).min() <= MARGIN + 1e-4


def test_regions_at_the_border_are_whole_where_they_are_seen():
    one = thing(1, 9, 10)
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    frames = frames_with_cells([RED], 16)
    for n, frame in enumerate(frames):
        frame[:, 39:, n : n + 10] = one
    _, sprites, _ = run(model, frames)
    assert is_among(on_canvas(one), sprites[1:])


@pytest.mark.parametrize("cells", [[RED], [RED, GREEN, BLUE], []], ids=["one", "all", "none"])
def test_where_nothing_is_wrong_nothing_changes(cells):
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count, _, _ = run(model, frames_with_cells(cells))
    assert count == 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_without_dead_sprites_nothing_changes():
    model = toy_model([block(RED), block(GREEN), block(BLUE)])
    count, sprites, before = run(model, frames_with(thing(1, 9, 10), cells=(RED, GREEN, BLUE)))
    assert count == 0 and torch.equal(sprites, before)


def test_the_same_random_numbers_give_the_same_sprites():
    frames = frames_with(thing(1, 9, 10), thing(2, 11, 8))
    one, two = (run(toy_model([block(RED), blank(), blank()]), frames)[1] for _ in range(2))
    assert torch.equal(one, two)
