"""Dreams show exactly what their labels say."""

import numpy as np
import pytest
import torch
from toy_model import DULL, SIDE, SIZE, STRIDE, WHITE, blank, block, toy_model

from sprite_obs.pretrain.dream import DENSEST, SPARSEST, dream

CELLS = (SIDE // STRIDE) ** 2
SEEDS = list(range(40))


def odd_sprites():
    """Sprites that lie anywhere on their canvases, and two blank ones among them."""
    generator = torch.Generator().manual_seed(0)
    sprites = torch.zeros(6, 4, SIZE, SIZE)
    for number, (top, left, height, width) in enumerate(
        [(4, 5, 7, 6), (0, 0, 5, 9), (9, 2, 7, 13), (2, 3, 12, 11)]
    ):
        part = sprites[number, :, top : top + height, left : left + width]
        part[:3] = torch.rand(part[:3].shape, generator=generator)
        part[3] = 1
    sprites[5, :, 7, 7] = 1  # a speck
    return list(sprites[[0, 4, 1, 2, 5, 3]])


DRAWN = {1, 3, 4, 6}
"""Ids of the sprites that are not blank."""


def scene_of(model, crowding=0.2):
    """Returns the scene of frames in which sprites lie on a given share of the cells."""
    with torch.no_grad():
        scene = model(torch.zeros(5, 3, SIDE, SIDE))
    presence = torch.zeros(5, CELLS * scene.presence.shape[1])
    presence[:, : round(crowding * CELLS)] = 1
    return scene._replace(presence=presence.view(scene.presence.shape))


def make(seeds=SEEDS, crowding=0.2, sprites=None, **sizes):
    model = toy_model(sprites or odd_sprites(), DULL, **sizes)
    return model, dream(model, scene_of(model, crowding), seeds)


def placed(model, dreams):
    """Reads labels: rows of frame, layer, sprite id, and left and top of the canvas."""
    rows = []
    for n, layer, row, column in (dreams.sprite > 0).nonzero().tolist():
        x, y = (dreams.shift[n, layer, row, column] - model.max_shift).tolist()
        corner = [STRIDE * column + STRIDE // 2 + x, STRIDE * row + STRIDE // 2 + y]
        sprite = int(dreams.sprite[n, layer, row, column])
        rows.append((n, layer, sprite, corner[0] - SIZE // 2, corner[1] - SIZE // 2))
    return rows


def opaque_box(model, sprite, left, top):
    """Returns left, top, right and bottom of what is seen of a sprite."""
    y, x = np.nonzero(model.dictionary().detach()[sprite - 1, 3].numpy() >= 0.5)
    return left + x.min(), top + y.min(), left + x.max() + 1, top + y.max() + 1


def overlap(a, b):
    return max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])


def slowly_painted(model, dreams, behind):
    """Rebuilds frames from the labels, pixel by pixel, lower layers first."""
    frames = behind.clone()
    sprites = model.dictionary().detach()
    for n, _, sprite, left, top in sorted(placed(model, dreams), key=lambda row: row[1]):
        for y in range(SIZE):
            for x in range(SIZE):
                if 0 <= top + y < SIDE and 0 <= left + x < SIDE:
                    red, green, blue, alpha = sprites[sprite - 1, :, y, x]
                    pixel = frames[n, :, top + y, left + x]
                    pixel += alpha * (torch.stack([red, green, blue]) - pixel)
    return frames


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_labels_are_the_truth_of_the_frames(layers):
    model, dreams = make(SEEDS[:6], 0.5, num_layers=layers)
    behind = DULL[:, None, None].expand(6, 3, SIDE, SIDE)
    rebuilt = slowly_painted(model, dreams, behind)
    # What counts as clear has an alpha of 1/1024, of which the order is open.
    torch.testing.assert_close(dreams.frames, rebuilt, atol=0.01, rtol=0)
    assert (dreams.frames - behind).abs().max() > 0.3


def test_shapes_and_ranges():
    model, dreams = make(SEEDS[:3])
    assert dreams.frames.shape == (3, 3, SIDE, SIDE) and dreams.frames.requires_grad is False
    assert dreams.sprite.shape == (3, 2, 6, 6) and dreams.shift.shape == (3, 2, 6, 6, 2)
    assert dreams.shift.min() >= 0 and dreams.shift.max() <= 2 * model.max_shift
    assert dreams.offset.tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("layers", [2, 3])
def test_a_sprite_is_above_the_back_only_if_it_touches_one_right_below(layers):
    model, dreams = make(crowding=0.5, num_layers=layers)
    rows = placed(model, dreams)
    boxes = [opaque_box(model, *row[2:]) for row in rows]
    upper = [i for i, row in enumerate(rows) if row[1] > 0]
    assert len({row[1] for row in rows}) == layers
    for i in upper:
        below = [j for j, row in enumerate(rows) if row[:2] == (rows[i][0], rows[i][1] - 1)]
        assert any(overlap(boxes[i], boxes[j]) for j in below)


def test_sprites_of_one_layer_do_not_overlap():
    model, dreams = make(crowding=0.5)
    rows = placed(model, dreams)
    boxes = [opaque_box(model, *row[2:]) for row in rows]
    same = [(i, j) for j in range(len(rows)) for i in range(j) if rows[i][:2] == rows[j][:2]]
    assert len(same) > 100
    assert not any(overlap(boxes[i], boxes[j]) for i, j in same)


def test_every_sprite_that_is_not_blank_occurs_and_no_other():
    _, dreams = make(SEEDS + list(range(1000, 1100)))
    assert set(dreams.sprite.unique().tolist()) == {0} | DRAWN


def test_sprites_occur_at_every_cell_and_shift():
    model, dreams = make(list(range(300)))
    shown = dreams.sprite > 0
    assert shown.any(0)[0].all(), "at the back"
    for direction in range(2):
        shifts = set((dreams.shift[shown][:, direction] - model.max_shift).tolist())
        assert shifts == set(range(-STRIDE // 2, STRIDE // 2))


def test_without_sprites_a_dream_is_the_background():
    _, dreams = make(SEEDS[:3], sprites=[blank()] * 3)
    assert dreams.sprite.sum() == 0
    torch.testing.assert_close(
        dreams.frames, DULL[:, None, None].expand(3, 3, SIDE, SIDE), atol=0.01, rtol=0
    )


def test_a_seed_dreams_the_same_in_any_batch():
    _, together = make([5, 6, 7])
    _, alone = make([6])
    _, reversed_ = make([7, 6, 5])
    for one, all_, back in zip(alone, together, reversed_, strict=True):
        torch.testing.assert_close(one[0], all_[1], rtol=0, atol=1e-6)
        torch.testing.assert_close(back[1], all_[1], rtol=0, atol=1e-6)
    assert not torch.equal(together.sprite[0], together.sprite[1])


def crowd(dreams):
    """Returns the sprites per frame."""
    return float((dreams.sprite > 0).sum() / len(dreams.sprite))


def test_dreams_are_about_as_crowded_as_the_scene():
    small = [block(WHITE, 2)]  # nothing in its way
    for crowding in (0.1, 0.2, 0.3):
        _, dreams = make(crowding=crowding, sprites=small)
        assert crowd(dreams) == pytest.approx(crowding * CELLS, rel=0.4)
    shares = [crowd(make(crowding=crowding, sprites=small)[1]) for crowding in (0.1, 0.2, 0.3)]
    assert shares == sorted(shares)


@pytest.mark.parametrize(("crowding", "limit"), [(0.0, SPARSEST), (1.0, DENSEST)])
def test_crowding_has_limits(crowding, limit):
    beyond, at = (make(crowding=c, sprites=[block(WHITE, 2)])[1] for c in (crowding, limit))
    assert torch.equal(beyond.sprite, at.sprite)


def test_a_scrolling_background_lies_where_the_label_says():
    """Even while there are no sprites to dream of."""
    model = toy_model([blank()], background="scroll", scroll_x=5, scroll_y=2)
    with torch.no_grad():
        model.background.whole.image.uniform_()
    dreams = dream(model, scene_of(model), SEEDS)
    whole = model.background.whole()
    for frame, (x, y) in zip(dreams.frames, dreams.offset.tolist(), strict=True):
        torch.testing.assert_close(
            frame, whole[:, y : y + SIDE, x : x + SIDE].detach(), atol=0.01, rtol=0
        )
    assert set(dreams.offset[:, 0].tolist()) == set(range(6))
    assert set(dreams.offset[:, 1].tolist()) == set(range(3))
