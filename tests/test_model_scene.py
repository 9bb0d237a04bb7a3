import pytest
import torch

from sprite_obs.model.compositor import composite
from sprite_obs.model.scene import SceneLogits, SpriteScene


def random_scene(requires_grad=False):
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(shape, generator=generator).requires_grad_(requires_grad)

    logits = SceneLogits(
        draw(2, 2, 3, 4), draw(2, 2, 3, 4, 5), draw(2, 2, 3, 4, 7), draw(2, 2, 3, 4, 7)
    )
    return logits, SpriteScene.from_logits(logits, torch.rand(2, 3, 12, 16))


def test_scene_holds_probabilities():
    _, scene = random_scene()
    assert scene.presence.min() > 0 and scene.presence.max() < 1
    for weights in scene[1:4]:
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 3, 4))


def test_hard_scene_is_the_argmax_of_the_scores():
    logits, scene = random_scene()
    hard = scene.harden()
    assert torch.equal(hard.presence, (logits.presence >= 0).float())
    for weights, scores in zip(hard[1:4], logits[1:4], strict=True):
        assert torch.equal(weights.argmax(-1), scores.argmax(-1))
        assert torch.equal(weights.sum(-1), torch.ones(2, 2, 3, 4))
        assert set(weights.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(hard.background, scene.background)


def test_presence_of_one_half_is_present_and_ties_go_to_the_first():
    half = torch.full((1, 1, 1, 1), 0.5)
    even = torch.full((1, 1, 1, 1, 3), 1 / 3)
    hard = SpriteScene(half, even, even, even, torch.zeros(1, 3, 2, 2)).harden()
    assert hard.presence.item() == 1
    assert hard.assignment.flatten().tolist() == [1, 0, 0]


def test_straight_through_has_hard_values_and_soft_gradients():
    logits, scene = random_scene(requires_grad=True)
    through, hard = scene.straight_through(), scene.harden()
    assert all(torch.equal(a, b) for a, b in zip(through[:5], hard[:5], strict=True))
    weights = [torch.rand_like(part) for part in scene[:4]]

    def gradients(of):
        total = sum((part * weight).sum() for part, weight in zip(of[:4], weights, strict=True))
        return torch.autograd.grad(total, logits[:4], retain_graph=True)

    assert all(torch.equal(a, b) for a, b in zip(gradients(through), gradients(scene), strict=True))


def test_gumbel_noise_of_a_frame_is_the_same_in_any_batch():
    logits, _ = random_scene()
    together = logits.with_gumbel_noise(0.7, [11, 12]).assignment
    alone = SceneLogits(*(part[1:] for part in logits[:4])).with_gumbel_noise(0.7, [12]).assignment
    assert torch.equal(together[1:], alone)
    assert not torch.equal(logits.with_gumbel_noise(0.7, [12, 11]).assignment, together)


def test_gumbel_noise_scales_and_changes_nothing_but_the_assignment():
    logits, _ = random_scene()
    none, one, two = (logits.with_gumbel_noise(scale, [1, 2]) for scale in (0, 1, 2))
    assert torch.equal(none.assignment, logits.assignment)
    noise = one.assignment - logits.assignment
    torch.testing.assert_close(two.assignment - logits.assignment, 2 * noise)
    assert len(noise.unique()) > 0.99 * noise.numel(), "each score has noise of its own"
    for name in ("presence", "shift_x", "shift_y"):
        assert torch.equal(getattr(two, name), getattr(logits, name))


def test_with_gumbel_noise_sprites_are_chosen_as_often_as_their_softmax_says():
    scores = torch.tensor([1.0, 0.0, -1.0, 2.0])
    assignment = scores.expand(4, 1, 50, 100, 4)
    presence = torch.zeros(4, 1, 50, 100)
    logits = SceneLogits(presence, assignment, presence[..., None], presence[..., None])
    chosen = logits.with_gumbel_noise(1, [0, 1, 2, 3]).assignment.argmax(-1)
    shares = chosen.flatten().bincount(minlength=4) / chosen.numel()
    torch.testing.assert_close(shares, scores.softmax(0), atol=0.015, rtol=0)


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_within_forbids_far_shifts_and_keeps_the_others(limit):
    logits, _ = random_scene()
    scene = SpriteScene.from_logits(logits.within(limit), torch.rand(2, 3, 12, 16))
    for weights, scores in ((scene.shift_x, logits.shift_x), (scene.shift_y, logits.shift_y)):
        allowed = slice(3 - limit, 4 + limit)
        torch.testing.assert_close(weights[..., allowed], scores[..., allowed].softmax(-1))
        assert weights.sum(-1).sub(weights[..., allowed].sum(-1)).abs().max() < 1e-6
    assert torch.equal(scene.assignment, logits.assignment.softmax(-1))


def test_placed_lists_present_sprites_with_their_places():
    presence = torch.zeros(2, 2, 3, 4)
    presence[1, 0, 2, 3], presence[1, 1, 0, 1], presence[0, 1, 1, 0] = 0.5, 0.9, 1.0
    presence[0, 0, 0, 0] = 0.49
    _, scene = random_scene()
    scene = scene._replace(presence=presence)
    placed = scene.placed(8)
    assert placed.frame.tolist() == [0, 1, 1] and placed.layer.tolist() == [1, 0, 1]
    torch.testing.assert_close(placed.presence, torch.tensor([1.0, 0.5, 0.9]))
    anchors = [(0, 1, 1, 0), (1, 0, 2, 3), (1, 1, 0, 1)]
    assert placed.sprite.tolist() == [int(scene.assignment[at].argmax()) for at in anchors]
    shift_x, shift_y = (
        [int(part[at].argmax()) - 3 for at in anchors] for part in (scene.shift_x, scene.shift_y)
    )
    assert placed.x.tolist() == [4 + shift_x[0], 28 + shift_x[1], 12 + shift_x[2]]
    assert placed.y.tolist() == [12 + shift_y[0], 20 + shift_y[1], 4 + shift_y[2]]


def test_placed_sprites_lie_where_the_compositor_draws_them():
    _, scene = random_scene()
    presence = torch.zeros_like(scene.presence)
    presence[0, 1, 1, 2] = 1
    scene = scene._replace(presence=presence, background=torch.zeros(2, 3, 24, 32)).harden()
    sprites = torch.zeros(5, 4, 6, 6)
    sprites[:, :, 3, 3] = 1  # the pixel right of and below the middle
    placed = scene.placed(8)
    image = composite(sprites, scene, 8)
    assert image[0, 0].nonzero().tolist() == [[int(placed.y), int(placed.x)]]
