import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import DQN, PPO

from sprite_obs.envs.make import make_env
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.flat import FlatView, num_slots_of, type_ranks
from sprite_obs.vector.make import make_sb3_sprite_vec_env, make_sprite_vec_env
from sprite_obs.wrapper import SpriteObservation

SLOTS = 12


@pytest.fixture
def flat_env(pong_model):
    return SpriteObservation(make_env("ALE/Pong-v5"), pong_model, SLOTS, flatten=True)


def steps_of(env, count: int) -> list[np.ndarray]:
    env.action_space.seed(0)
    return [env.reset(seed=0)[0]] + [env.step(env.action_space.sample())[0] for _ in range(count)]


def test_the_vector_holds_the_extractors_features(pong_model, flat_env):
    env = SpriteObservation(make_env("ALE/Pong-v5"), pong_model, SLOTS)
    extractor = SpriteExtractor(env.observation_space)
    arrays = steps_of(env, 80)
    batch = {key: torch.as_tensor(np.stack([seen[key] for seen in arrays])) for key in arrays[0]}
    expected = extractor(batch).detach().numpy()
    slots = expected[:, : SLOTS * 9].reshape(-1, SLOTS, 9)[:, :, :5]  # the rest is the embedding
    expected = np.concatenate((slots.reshape(-1, SLOTS * 5), expected[:, SLOTS * 9 :]), 1)
    np.testing.assert_allclose(np.stack(steps_of(flat_env, 80)), expected, atol=1e-6)
    assert expected[-1].any()


def test_the_environment_is_one_that_gymnasium_accepts(flat_env):
    check_env(flat_env, skip_render_check=True)


def test_every_observation_is_in_the_space(flat_env):
    for observation in steps_of(flat_env, 120):
        assert flat_env.observation_space.contains(observation)


def test_vector_environments_give_the_same(pong_model, flat_env):
    envs = make_sprite_vec_env("ALE/Pong-v5", pong_model, 2, SLOTS, flatten=True, mode=0)
    assert envs.single_observation_space == flat_env.observation_space
    first, _ = envs.reset(seed=[0, 1])
    alone, _ = flat_env.reset(seed=0)
    np.testing.assert_array_equal(first[0], alone)
    for action in np.random.default_rng(0).integers(6, size=40):
        both, *_ = envs.step(np.array([action, action]))
        alone, *_ = flat_env.step(action)
        np.testing.assert_array_equal(both[0], alone)


@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_stock_policies_learn_from_it(algorithm, pong_model):
    venv = make_sb3_sprite_vec_env("ALE/Pong-v5", pong_model, 2, SLOTS, flatten=True, seed=0)
    sizes = {"n_steps": 16, "batch_size": 16} if algorithm is PPO else {"learning_starts": 16}
    agent = algorithm("MlpPolicy", venv, seed=0, device="cpu", **sizes)
    before = [weight.clone() for weight in agent.policy.parameters()]
    agent.learn(64)
    assert any((a != b).any() for a, b in zip(before, agent.policy.parameters(), strict=True))


def test_the_registered_environment_can_be_flat(pong_model):
    env = gymnasium.make("SpriteObs/Pong-v5", model=pong_model, max_sprites=3, flatten=True)
    assert env.observation_space.shape == (3 * 5 + 3 * 6,)


def test_no_more_pairs_than_slots():
    assert FlatView((160, 210), np.array([1, 2]), num_pairs_slots=8).space.shape == (2 * 5 + 6,)


def test_a_vector_tells_its_slots():
    for count in range(1, 41):
        assert num_slots_of(FlatView((160, 210), np.ones(count, np.int32)).space) == count
    for other in (spaces.Box(-1, 1, (6,)), spaces.Box(-1, 1, (84, 84)), spaces.Discrete(5)):
        assert num_slots_of(other) is None


def test_flatten_is_a_bool(pong_model):
    with pytest.raises(TypeError, match="flatten to be True or False, got 1"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, flatten=1)


def test_ranks_are_those_of_the_types_that_have_slots():
    assert type_ranks(np.array([1, 3, 3, 7])).tolist() == [1, 1, 2, 2, 3, 3, 3, 3]


def test_a_type_without_slots_does_not_make_those_behind_it_lighter():
    def weights(*slot_type: int) -> list[float]:
        view, kind = FlatView((160, 210), np.array(slot_type)), np.array([slot_type])
        nowhere = np.zeros((1, len(slot_type), 2), np.float32)
        flat = view.flatten(kind, np.ones_like(kind), nowhere, nowhere)
        return flat[0, : 5 * len(slot_type) : 5].tolist()

    assert weights(1, 2, 2, 3) == weights(1, 5, 5, 9)
    np.testing.assert_allclose(weights(1, 2, 2, 3), [1, 1 / 2, 1 / 2, 1 / 3])
