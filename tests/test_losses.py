import math

import pytest
import torch

from sprite_obs.model.scene import SpriteScene
from sprite_obs.pretrain.losses import beta_prior, prior_loss, reconstruction_loss, usage_loss


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
