import torch

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
