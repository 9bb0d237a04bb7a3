import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import QRDQN
from slot_space import WIDTH, slot_space
from stable_baselines3 import A2C, DQN, PPO

from sprite_obs.extractors.attention import AttentionExtractor
from sprite_obs.extractors.deep_set import DeepSetExtractor
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.vector.make import make_sb3_sprite_vec_env

EXTRACTORS = [AttentionExtractor, DeepSetExtractor]


@pytest.fixture
def space() -> spaces.Dict:
    return slot_space()


def things(space: spaces.Dict, *slots: int) -> dict[str, torch.Tensor]:
    """Returns one observation with a different thing in each of the slots."""
    rng = np.random.default_rng(0)
    observation = {key: np.zeros((1, *box.shape), np.float32) for key, box in space.items()}
    for slot in slots:
        observation["sprite"][0, slot], observation["type"][0, slot] = rng.integers(1, 5, 2)
        observation["position"][0, slot] = rng.uniform(0, WIDTH, 2)
        observation["velocity"][0, slot] = rng.uniform(-9, 9, 2)
        observation["presence"][0, slot] = 1
    return {key: torch.as_tensor(array) for key, array in observation.items()}


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_the_order_of_the_slots_does_not_matter(kind, space):
    extractor = kind(space)
    torch.testing.assert_close(extractor(things(space, 0, 1, 2)), extractor(things(space, 5, 2, 3)))


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_what_is_there_matters(kind, space):
    extractor = kind(space)
    assert not torch.allclose(extractor(things(space, 0, 1)), extractor(things(space, 0)))


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_what_stands_in_an_empty_slot_does_not(kind, space):
    extractor, observation = kind(space), things(space, 0, 1)
    features = extractor(observation)
    observation["position"][0, 4] = 77
    torch.testing.assert_close(extractor(observation), features)


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_nothing_there_is_all_zeros(kind, space):
    extractor = kind(space)
    features = extractor(things(space))
    assert features.shape == (1, extractor.features_dim)
    assert not features.any()


def test_attention_is_shared_among_what_is_there(space):
    weights = AttentionExtractor(space).attention(things(space, 1, 4))[0]
    assert weights.sum().item() == pytest.approx(1)
    assert (weights > 0).tolist() == [False, True, False, False, True, False]
    assert not AttentionExtractor(space).attention(things(space)).any()


def test_attention_learns_what_matters(space):
    torch.manual_seed(0)
    extractor = AttentionExtractor(space, num_queries=1)
    observation = things(space, 0, 1, 2)
    optimizer = torch.optim.Adam(extractor.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        (-extractor.attention(observation)[0, 2].log()).backward()
        optimizer.step()
    assert extractor.attention(observation)[0].argmax() == 2


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_another_space_is_refused(kind):
    with pytest.raises(TypeError, match="expected a Dict space with the keys"):
        kind(spaces.Box(-1, 1, (5,)))


@pytest.mark.parametrize("extractor", [*EXTRACTORS, SpriteExtractor])
@pytest.mark.parametrize("algorithm", [PPO, A2C, DQN, QRDQN])
def test_each_algorithm_learns_with_each_extractor(extractor, algorithm, pong_model):
    venv = make_sb3_sprite_vec_env("ALE/Pong-v5", pong_model, 2, 8, seed=0)
    sizes = {
        PPO: {"n_steps": 8, "batch_size": 16, "n_epochs": 1},
        A2C: {},
        DQN: {"learning_starts": 8, "buffer_size": 100},
        QRDQN: {"learning_starts": 8, "buffer_size": 100},
    }[algorithm]
    kwargs = {"features_extractor_class": extractor}
    agent = algorithm("MultiInputPolicy", venv, policy_kwargs=kwargs, seed=0, device="cpu", **sizes)
    before = [weight.clone() for weight in agent.policy.parameters()]
    agent.learn(32)
    assert any((a != b).any() for a, b in zip(before, agent.policy.parameters(), strict=True))
