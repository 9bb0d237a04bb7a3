import math

import pytest
import torch
import torch.nn.functional as F

from sprite_obs.model.compositor import composite, num_groups
from sprite_obs.model.scene import SpriteScene

STRIDE, MAX_SHIFT = 4, 3
BATCH, LAYERS, ROWS, COLUMNS, SPRITES, SIZE = 2, 2, 3, 4, 3, 6


def random_sprites(opaque=False):
    sprites = torch.rand(SPRITES, 4, SIZE, SIZE, dtype=torch.float64)
    if opaque:
        sprites[:, 3] = (sprites[:, 3] > 0.4).double()
    return sprites


def random_scene(stride=STRIDE, max_shift=MAX_SHIFT):
    grid = (BATCH, LAYERS, ROWS, COLUMNS)
    size = (ROWS * stride - 1, COLUMNS * stride - 1)

    def weights(size):
        return (3 * torch.randn(*grid, size, dtype=torch.float64)).softmax(-1)

    return SpriteScene(
        presence=torch.rand(grid, dtype=torch.float64),
        assignment=weights(SPRITES),
        shift_x=weights(2 * max_shift + 1),
        shift_y=weights(2 * max_shift + 1),
        background=torch.rand(BATCH, 3, *size, dtype=torch.float64),
    )


def single_sprite_scene(presence=1.0, row=1, column=1, shift=(0, 0), max_shift=2, size=(12, 12)):
    """One layer of one dictionary sprite; only the anchor (row, column) shows it."""
    grid = (1, 1, 3, 3)
    present = torch.zeros(grid, dtype=torch.float64)
    present[0, 0, row, column] = presence

    def shifts(value):
        index = torch.full(grid, value + max_shift)
        return F.one_hot(index, 2 * max_shift + 1).double()

    background = torch.rand(1, 3, *size, dtype=torch.float64)
    assignment = torch.ones(*grid, 1, dtype=torch.float64)
    return SpriteScene(present, assignment, shifts(shift[0]), shifts(shift[1]), background)


def slow_drawing(sprites, scene, at, stride, pad):
    """One anchor's premultiplied RGBA drawing on a frame with `pad` pixels around it."""
    height, width = scene.background.shape[-2:]
    drawing = torch.zeros(4, height + 2 * pad, width + 2 * pad, dtype=torch.float64)
    size, max_shift = sprites.shape[-1], scene.shift_x.shape[-1] // 2
    centre_y, centre_x = (pad + cell * stride + stride // 2 for cell in at[2:])
    for i, py in enumerate(scene.shift_y[at]):
        for j, px in enumerate(scene.shift_x[at]):
            top = centre_y + i - max_shift - size // 2
            left = centre_x + j - max_shift - size // 2
            for weight, sprite in zip(scene.assignment[at], sprites, strict=True):
                premultiplied = torch.cat([sprite[:3] * sprite[3], sprite[3:]])
                drawing[:, top : top + size, left : left + size] += py * px * weight * premultiplied
    return scene.presence[at] * drawing[:, pad:-pad, pad:-pad]


def slow_composite(sprites, scene, stride, max_active=None):
    """Anchor by anchor what `composite` promises."""
    batch, layers, rows, columns = scene.presence.shape
    pad = sprites.shape[-1] + scene.shift_x.shape[-1]
    image = scene.background.clone()
    for b in range(batch):
        kept = scene.presence[b].flatten().argsort(descending=True).tolist()[:max_active]
        for layer in range(layers):
            cells = [i for i in kept if i // (rows * columns) == layer]
            if not cells:
                continue
            drawings = torch.stack(
                [
                    slow_drawing(
                        sprites, scene, (b, layer, i // columns % rows, i % columns), stride, pad
                    )
                    for i in cells
                ]
            )
            colour, alpha = drawings[:, :3].sum(0), drawings[:, 3].sum(0)
            through = (1 - drawings[:, 3]).prod(0)
            mean = torch.where(alpha > 0, colour / alpha, 0.0)
            image[b] = (1 - through) * mean + through * image[b]
    return image


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("max_active", [None, 5, 1000])
@pytest.mark.parametrize("stride, max_shift", [(4, 3), (4, 2), (2, 4), (6, 3)])
def test_equals_the_slow_loop(hard, max_active, stride, max_shift):
    torch.manual_seed(0)
    sprites, scene = random_sprites(opaque=hard), random_scene(stride, max_shift)
    if hard:
        # Scores stay distinct, or the loop would have to break ties the same way.
        scene = scene.harden()._replace(presence=scene.presence.round() - 1e-3 * scene.presence)
        scene = scene._replace(presence=scene.presence.clamp(min=0))
    image = composite(sprites, scene, stride, max_active)
    torch.testing.assert_close(image, slow_composite(sprites, scene, stride, max_active))


def test_equals_a_dense_fold_where_sprites_do_not_overlap():
    torch.manual_seed(0)
    sprites = torch.rand(1, 4, STRIDE, STRIDE, dtype=torch.float64)
    scene = single_sprite_scene()._replace(presence=torch.rand(1, 1, 3, 3, dtype=torch.float64))
    alpha = scene.presence.flatten() * sprites[0, 3].flatten()[:, None]  # (pixels, anchors)
    columns = torch.cat([alpha * channel.flatten()[:, None] for channel in sprites[0, :3]])
    colour = F.fold(columns[None], (12, 12), STRIDE, stride=STRIDE)
    alpha = F.fold(alpha[None], (12, 12), STRIDE, stride=STRIDE)
    expected = colour + (1 - alpha) * scene.background
    torch.testing.assert_close(composite(sprites, scene, STRIDE), expected)


@pytest.mark.parametrize("row, column", [(1, 1), (0, 0), (2, 2)])
@pytest.mark.parametrize("shift", [(0, 0), (2, -1), (-2, 2)])
def test_a_hard_sprite_is_copied_to_anchor_plus_shift(row, column, shift):
    sprites = torch.rand(1, 4, SIZE, SIZE, dtype=torch.float64)
    sprites[:, 3] = 1
    scene = single_sprite_scene(row=row, column=column, shift=shift)
    expected = F.pad(scene.background, (8, 8, 8, 8))
    top = 8 + row * STRIDE + STRIDE // 2 + shift[1] - SIZE // 2
    left = 8 + column * STRIDE + STRIDE // 2 + shift[0] - SIZE // 2
    expected[..., top : top + SIZE, left : left + SIZE] = sprites[:, :3]
    torch.testing.assert_close(composite(sprites, scene, STRIDE), expected[..., 8:-8, 8:-8])


@pytest.mark.parametrize("presence", [0.0, 0.25, 0.5, 1.0])
def test_presence_blends_once(presence):
    sprites = torch.rand(1, 4, 12, 12, dtype=torch.float64)
    sprites[:, 3] = 1
    scene = single_sprite_scene(presence)
    expected = presence * sprites[:, :3] + (1 - presence) * scene.background
    image = composite(sprites, scene, STRIDE)
    torch.testing.assert_close(image, expected)


def test_front_layer_hides_back_layer():
    torch.manual_seed(0)
    sprites = random_sprites()
    sprites[:, 3] = 1
    scene = random_scene().harden()
    presence = torch.zeros_like(scene.presence)
    presence[:, :, 1, 1] = 1
    centre = F.one_hot(torch.full(presence.shape, MAX_SHIFT), 2 * MAX_SHIFT + 1).double()
    scene = scene._replace(presence=presence, shift_x=centre, shift_y=centre)
    front = scene.assignment[:, 1, 1, 1].argmax(-1)
    image = composite(sprites, scene, STRIDE)
    torch.testing.assert_close(image[..., 3:9, 3:9], sprites[front, :3])


def test_equally_present_anchors_are_taken_in_order():
    scene = random_scene().harden()
    scene = scene._replace(presence=torch.ones_like(scene.presence))
    first = torch.zeros_like(scene.presence)
    first[:, 0, 0] = 1
    sprites = random_sprites()
    expected = composite(sprites, scene._replace(presence=first), STRIDE)
    torch.testing.assert_close(composite(sprites, scene, STRIDE, COLUMNS), expected)


def test_the_same_scene_gives_the_same_bits():
    sprites, scene = random_sprites().float(), random_scene()
    scene = SpriteScene(*(part.float() for part in scene[:5]))
    images = [composite(sprites, scene, STRIDE, 10) for _ in range(3)]
    assert torch.equal(images[0], images[1]) and torch.equal(images[0], images[2])


def test_a_frame_does_not_depend_on_its_batch():
    sprites, scene = random_sprites(), random_scene()
    alone = SpriteScene(*(part[1:] for part in scene[:5]))
    torch.testing.assert_close(
        composite(sprites, scene, STRIDE, 7)[1:], composite(sprites, alone, STRIDE, 7)
    )


@pytest.mark.parametrize("max_active", [None, 6])
def test_gradients_agree_with_finite_differences(max_active):
    torch.manual_seed(0)
    grid = (1, 2, 2, 2)
    shapes = [(2, 4, 2, 2), grid, (*grid, 2), (*grid, 3), (*grid, 3), (1, 3, 3, 4)]
    sprites, *parts = (torch.rand(shape, dtype=torch.float64) for shape in shapes)
    parts = [parts[0], *(part.softmax(-1) for part in parts[1:4]), parts[4]]

    def render(sprites, *parts):
        return composite(0.1 + 0.8 * sprites, SpriteScene(*parts), 2, max_active)

    inputs = [value.clone().requires_grad_() for value in (sprites, *parts)]
    assert torch.autograd.gradcheck(render, inputs)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_invisible_and_opaque_sprites_have_useful_gradients(alpha):
    """The gradient of the blend alpha * colour + (1 - alpha) * background, at its very ends."""
    sprites = torch.rand(1, 4, 12, 12, dtype=torch.float64)
    sprites[:, 3] = alpha
    sprites.requires_grad_()
    scene = single_sprite_scene()
    (gradient,) = torch.autograd.grad(composite(sprites, scene, STRIDE).sum(), sprites)
    expected = (sprites[:, :3] - scene.background).sum(1)
    torch.testing.assert_close(gradient[:, 3], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(gradient[:, :3], torch.full_like(gradient[:, :3], alpha))


def random_order(seed=0):
    groups = num_groups(SIZE, MAX_SHIFT, STRIDE)
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(groups, generator=generator) for _ in range(BATCH)])


def slowly_painted(sprites, scene, order):
    """Paints anchor by anchor: layers back to front, and groups of each in their order."""
    span = math.isqrt(order.shape[1])
    pad = SIZE + 2 * MAX_SHIFT
    image = scene.background.clone()
    for b in range(BATCH):
        for layer in range(LAYERS):
            cells = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
            place = {(r, c): int(order[b, r % span * span + c % span]) for r, c in cells}
            for cell in sorted(cells, key=place.get):
                drawing = slow_drawing(sprites, scene, (b, layer, *cell), STRIDE, pad)
                image[b] = drawing[:3] + (1 - drawing[3]) * image[b]
    return image


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_sprites_of_later_groups_lie_over_those_of_earlier_ones(hard, seed):
    torch.manual_seed(seed)
    sprites, scene, order = random_sprites(opaque=hard), random_scene(), random_order(seed)
    scene = scene.harden() if hard else scene
    image = composite(sprites, scene, STRIDE, order=order)
    torch.testing.assert_close(image, slowly_painted(sprites, scene, order))
    assert (image - composite(sprites, scene, STRIDE)).abs().max() > 0.03, "averaging differs"


def test_two_opaque_neighbours_change_places_with_the_order():
    scene = single_sprite_scene(max_shift=MAX_SHIFT)
    scene.presence[0, 0, 1, 2] = 1  # 4 pixels to the right, of 6
    assignment = torch.zeros(1, 1, 3, 3, 2, dtype=torch.float64)
    assignment[..., 0], assignment[0, 0, 1, 2] = 1, torch.tensor([0.0, 1.0])
    scene = scene._replace(assignment=assignment)
    sprites = torch.ones(2, 4, SIZE, SIZE, dtype=torch.float64)
    sprites[0, 1:3], sprites[1, :2] = 0, 0  # red and blue
    groups = num_groups(SIZE, MAX_SHIFT, STRIDE)
    for order, blue in ((torch.arange(groups), True), (torch.arange(groups).flip(0), False)):
        shared = composite(sprites, scene, STRIDE, order=order[None])[0, :, 3:9, 7:9]
        assert torch.allclose(shared[2], torch.tensor(float(blue)).double())
        assert torch.allclose(shared[0], torch.tensor(float(not blue)).double())


def test_the_order_does_not_matter_where_nothing_overlaps():
    torch.manual_seed(0)
    sprites = torch.rand(1, 4, STRIDE, STRIDE, dtype=torch.float64)
    scene = single_sprite_scene()._replace(presence=torch.rand(1, 1, 3, 3, dtype=torch.float64))
    orders = torch.stack([torch.randperm(num_groups(STRIDE, 2, STRIDE)) for _ in range(3)])
    images = [composite(sprites, scene, STRIDE, order=order[None]) for order in orders]
    for image in images:
        torch.testing.assert_close(image, composite(sprites, scene, STRIDE))


def test_each_frame_has_its_own_order():
    torch.manual_seed(0)
    sprites, scene, order = random_sprites(), random_scene(), random_order()
    swapped = composite(sprites, scene, STRIDE, order=order.flip(0))
    image = composite(sprites, scene, STRIDE, order=order)
    alone = SpriteScene(*(part[1:] for part in scene[:5]))
    torch.testing.assert_close(image[1:], composite(sprites, alone, STRIDE, order=order[1:]))
    assert (swapped - image).abs().max() > 0.01


@pytest.mark.parametrize(
    ("size", "max_shift", "stride"), [(6, 3, 4), (4, 2, 4), (16, 8, 8), (32, 16, 16), (5, 1, 8)]
)
def test_no_two_sprites_of_one_group_can_overlap(size, max_shift, stride):
    span = math.isqrt(num_groups(size, max_shift, stride))
    assert span**2 == num_groups(size, max_shift, stride)
    nearest = span * stride - 2 * max_shift  # when both come towards each other
    assert nearest >= size
    assert (span - 1) * stride - 2 * max_shift < size, "fewer would not do"
