import math

import pytest
import torch

from sprite_obs.model.scene import SceneLogits, SpriteScene
from sprite_obs.pretrain.losses import (
    beta_prior,
    naming_loss,
    offset_loss,
    prior_loss,
    reconstruction_loss,
    usage_loss,
)


def make_scene(presence, assignment):
    """Anchors in a row, `presence` (N,) and `assignment` (N, K), all shifts certain."""
    shift = torch.tensor([0.0, 1.0, 0.0]).expand(1, 1, 1, len(presence), 3)
    return SpriteScene(
        presence[None, None, None],
        assignment[None, None, None],
        shift,
        shift,
        torch.zeros(1, 3, 2, 2),
    )


def test_reconstruction_loss_is_the_mean_square():
    assert reconstruction_loss(torch.full((1, 3, 2, 2), 0.5), torch.ones(1, 3, 2, 2)) == 0.25


def test_beta_prior_favours_decisions():
    losses = [beta_prior(torch.tensor([p])).item() for p in (0.0, 0.01, 0.2, 0.5)]
    assert losses == sorted(losses)
    assert all(map(math.isfinite, losses))
    assert beta_prior(torch.tensor([0.99])).item() == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("a", [0.5, 2.0])
def test_beta_prior_is_the_mean_negative_log_likelihood(a):
    p = torch.linspace(0.01, 0.99, 9)
    expected = -torch.distributions.Beta(a, a).log_prob(p).mean()
    torch.testing.assert_close(beta_prior(p, a), expected)


def test_beta_prior_has_finite_gradients_everywhere():
    p = torch.tensor([0.0, 1e-9, 1e-5, 0.5, 1.0], requires_grad=True)
    beta_prior(p).backward()
    assert torch.isfinite(p.grad).all()
    assert p.grad[2] > 0 and p.grad[3] == 0


def test_prior_loss_adds_switches_scores_and_offsets():
    scene = make_scene(torch.tensor([0.5, 0.9]), torch.tensor([[0.3, 0.7], [0.5, 0.5]]))
    expected = beta_prior(scene.presence) + beta_prior(scene.assignment)
    expected = expected + 2 * beta_prior(scene.shift_x)
    torch.testing.assert_close(prior_loss(scene), expected)
    assert prior_loss(scene.harden()) < prior_loss(scene)


def test_usage_loss_is_zero_when_all_sprites_are_placed_evenly():
    assert usage_loss(make_scene(torch.ones(4), torch.eye(4))) == 0


def test_usage_loss_grows_with_the_number_of_unused_sprites():
    one = torch.eye(4)[[0, 0, 0, 0]]
    two = torch.eye(4)[[0, 0, 1, 1]]
    present = torch.full((4,), 0.8)
    assert usage_loss(make_scene(present, one)) == 0.75
    assert usage_loss(make_scene(present, two)) == 0.5


def test_usage_loss_ignores_inactive_anchors():
    assignment = torch.eye(4)[[0, 1, 2, 3]]
    only_first = torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert usage_loss(make_scene(only_first, assignment)) == 0.75
    assert torch.isfinite(usage_loss(make_scene(torch.zeros(4), assignment)))


def test_usage_loss_pulls_unused_sprites_in_and_leaves_presence_alone():
    logits = torch.tensor([[4.0, 0.0], [4.0, 0.0]], requires_grad=True)
    presence = torch.ones(2, requires_grad=True)
    usage_loss(make_scene(presence, logits.softmax(-1))).backward()
    assert (logits.grad[:, 1] < 0).all()
    assert presence.grad is None


def test_beta_prior_of_rounded_probabilities_is_finite():
    p = torch.tensor([0.0, 0.25, 1.0], dtype=torch.bfloat16, requires_grad=True)
    loss = beta_prior(p)
    loss.backward()
    torch.testing.assert_close(loss, beta_prior(p.detach().float()))
    assert torch.isfinite(p.grad).all()


def some_logits():
    """Two frames of one layer and two anchors in a row, 3 sprites, shifts -1..1."""
    presence = torch.tensor([[[[1.0, -2.0]]], [[[0.5, 3.0]]]])
    assignment = torch.arange(12.0).view(2, 1, 1, 2, 3).sin()
    shift_x = torch.arange(12.0).view(2, 1, 1, 2, 3).cos()
    return SceneLogits(presence, assignment, shift_x, 2 * shift_x)


def log_share(scores, index):
    exps = [math.exp(score) for score in scores.tolist()]
    return math.log(exps[index] / sum(exps))


def test_naming_loss_is_the_sum_of_four_cross_entropies():
    logits = some_logits()
    sprite = torch.tensor([[[[2, 0]]], [[[3, 1]]]])
    shift = torch.ones(2, 1, 1, 2, 2, dtype=torch.int64)
    shift[0, 0, 0, 0] = torch.tensor([0, 2])
    shift[1, 0, 0, 1] = torch.tensor([2, 1])
    shift[0, 0, 0, 1] = torch.tensor([2, 2])  # of no sprite: does not matter
    on = [math.log(1 / (1 + math.exp(-score))) for score in (1.0, 0.5, 3.0)]
    off = math.log(1 - 1 / (1 + math.exp(2.0)))
    named = 0.0
    for frame, anchor in ((0, 0), (1, 0), (1, 1)):
        at = frame, 0, 0, anchor
        named += log_share(logits.assignment[at], int(sprite[at]) - 1)
        named += log_share(logits.shift_x[at], int(shift[at][0]))
        named += log_share(logits.shift_y[at], int(shift[at][1]))
    expected = -(sum(on) + off) / 4 - named / 3
    assert naming_loss(logits, sprite, shift).item() == pytest.approx(expected, rel=1e-5)


def test_naming_loss_where_there_is_nothing_to_name_is_that_of_presence():
    logits = some_logits()
    nothing = torch.zeros(2, 1, 1, 2, dtype=torch.int64)
    loss = naming_loss(logits, nothing, torch.ones(2, 1, 1, 2, 2, dtype=torch.int64))
    expected = torch.nn.functional.softplus(logits.presence).mean()
    torch.testing.assert_close(loss, expected)


def test_naming_loss_vanishes_for_certain_and_right_scores():
    sprite = torch.tensor([[[[2, 0]]], [[[3, 1]]]])
    shift = torch.randint(3, (2, 1, 1, 2, 2), generator=torch.Generator().manual_seed(0))
    one_hot = torch.nn.functional.one_hot
    logits = SceneLogits(
        presence=torch.where(sprite > 0, 50.0, -50.0),
        assignment=50.0 * one_hot((sprite - 1).clamp(min=0), 3),
        shift_x=50.0 * one_hot(shift[..., 0], 3),
        shift_y=50.0 * one_hot(shift[..., 1], 3),
    )
    assert naming_loss(logits, sprite, shift) < 1e-6
    assert naming_loss(logits, sprite, (shift + 1) % 3) == pytest.approx(100, rel=1e-3)


def test_offset_loss_is_the_sum_of_both_directions():
    offset_x = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]])
    offset_y = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    logits = some_logits()._replace(offset_x=offset_x, offset_y=offset_y)
    expected = log_share(offset_x[0], 2) + log_share(offset_x[1], 1)
    expected += log_share(offset_y[0], 0) + log_share(offset_y[1], 1)
    loss = offset_loss(logits, torch.tensor([[2, 0], [1, 1]]))
    assert loss.item() == pytest.approx(-expected / 2, rel=1e-5)
