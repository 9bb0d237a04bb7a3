import subprocess
import sys

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from slot_space import HEIGHT, SLOTS, WIDTH, slot_space
from stable_baselines3 import PPO

from sprite_obs.envs.make import make_env
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.wrapper import SpriteObservation


@pytest.fixture
def space() -> spaces.Dict:
    return slot_space()


def batch(space: spaces.Dict, **slots: dict[str, object]) -> dict[str, torch.Tensor]:
    """Returns one observation in which the slots named s0, s1... hold what is given."""
    observation = {key: np.zeros(box.shape, np.float32) for key, box in space.items()}
    for name, values in slots.items():
        for key, value in {"presence": 1, "type": 1, **values}.items():
            observation[key][int(name[1:])] = value
    return {key: torch.as_tensor(array)[None] for key, array in observation.items()}


def split(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns slots (M, 9) and pairs (M * (M - 1) / 2, 6) of one observation's features."""
    num_pairs = SLOTS * (SLOTS - 1) // 2
    slots, pairs, close_up = features[0].split((SLOTS * 9, num_pairs * 4, num_pairs * 2))
    pairs = torch.cat((pairs.reshape(-1, 4), close_up.reshape(-1, 2)), 1)
    return slots.reshape(SLOTS, 9), pairs


@pytest.mark.parametrize(("num_pairs_slots", "num_pairs"), [(0, 0), (1, 0), (3, 3), (99, 15)])
def test_features_dim_is_the_length_of_the_features(space, num_pairs_slots, num_pairs):
    extractor = SpriteExtractor(space, num_pairs_slots, embedding_dim=5)
    features = extractor(batch(space))
    assert features.shape == (1, extractor.features_dim) == (1, SLOTS * 10 + num_pairs * 6)


def test_empty_slots_have_no_features(space):
    assert not SpriteExtractor(space)(batch(space)).any()


def test_positions_are_scaled_to_the_frame(space):
    slots, _ = split(
        SpriteExtractor(space)(
            batch(space, s0={"position": (0, 0)}, s1={"position": (WIDTH, HEIGHT / 2)})
        )
    )
    assert slots[0, :3].tolist() == [1, -1, -1]
    assert slots[1, :3].tolist() == [1, 1, 0]


def test_velocity_is_one_at_an_eighth_of_the_frame_per_step(space):
    slots, _ = split(
        SpriteExtractor(space)(batch(space, s2={"velocity": (WIDTH / 8, -HEIGHT / 8)}))
    )
    assert slots[2, 3:5].tolist() == [1, -1]


def test_pairs_hold_the_differences_where_both_are_present(space):
    one = {"position": (WIDTH, 0), "velocity": (WIDTH / 8, 0)}
    other = {"position": (WIDTH / 2, HEIGHT), "velocity": (0, HEIGHT / 4)}
    _, pairs = split(SpriteExtractor(space)(batch(space, s1=one, s3=other)))
    first, second = np.triu_indices(SLOTS, 1)
    is_pair = torch.as_tensor((first == 1) & (second == 3))
    assert pairs[is_pair].tolist() == [[1, -2, 1, -2, 1, -1]]
    assert not pairs[~is_pair].any()


def test_small_differences_of_position_are_magnified(space):
    slots = {"s0": {"position": (80, 100)}, "s1": {"position": (79, 101)}}
    _, pairs = split(SpriteExtractor(space)(batch(space, **slots)))
    np.testing.assert_allclose(pairs[0, 4:].tolist(), [8 * 2 / WIDTH, -8 * 2 / HEIGHT], rtol=1e-4)


def test_later_types_count_less(space):
    extractor = SpriteExtractor(space)
    place = {"position": (WIDTH, 0), "velocity": (WIDTH / 8, 0)}
    far = {"position": (WIDTH / 2, HEIGHT)}
    slots, pairs = split(extractor(batch(space, s0=place, s1=far)))
    later, later_pairs = split(
        extractor(batch(space, s0={**place, "type": 4}, s1={**far, "type": 4}))
    )
    torch.testing.assert_close(later[:, :5], slots[:, :5] / 4)
    torch.testing.assert_close(later_pairs, pairs / 4)
    _, mixed_pairs = split(extractor(batch(space, s0=place, s1={**far, "type": 4})))
    torch.testing.assert_close(mixed_pairs, pairs / 2)


def test_types_are_told_apart_and_learned(space):
    extractor = SpriteExtractor(space)
    slots, _ = split(extractor(batch(space, s0={"type": 1}, s1={"type": 4}, s2={"type": 4})))
    assert not torch.equal(slots[0, 5:], slots[1, 5:])
    assert torch.equal(slots[1, 5:], slots[2, 5:])
    slots[:, 5:].sum().backward()
    touched = extractor.slots.type_embedding.weight.grad.any(1)
    assert touched.tolist() == [False, True, False, False, True]


def test_looks_of_a_type_are_learned(space):
    extractor = SpriteExtractor(space)
    seen = batch(space, s0={"sprite": 3}, s1={"sprite": 9})
    assert torch.equal(*split(extractor(seen))[0][:2, 5:]), "not told apart at first"
    split(extractor(seen))[0][0, 5:].sum().backward()
    torch.optim.SGD(extractor.parameters(), lr=1.0).step()
    assert not torch.equal(*split(extractor(seen))[0][:2, 5:])


def test_observations_of_a_batch_do_not_mix(space):
    extractor = SpriteExtractor(space)
    one = batch(space, s0={"position": (5, 6)}, s1={"position": (50, 60)})
    other = batch(space, s2={"position": (70, 80)})
    both = extractor({key: torch.cat((one[key], other[key])) for key in one})
    torch.testing.assert_close(both, torch.cat((extractor(one), extractor(other))))


@pytest.mark.parametrize(
    "wrong",
    [spaces.Box(0, 255, (84, 84, 4), np.uint8), spaces.Dict({"position": spaces.Box(0, 1)})],
)
def test_another_space_is_refused(wrong):
    with pytest.raises(TypeError, match=r"expected a Dict space .* 'presence'.*got "):
        SpriteExtractor(wrong)


def test_a_saved_agent_plays_alike_in_another_process_and_folder(pong_model, tmp_path):
    env = SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=8)
    kwargs = {"features_extractor_class": SpriteExtractor}
    agent = PPO("MultiInputPolicy", env, n_steps=32, batch_size=32, policy_kwargs=kwargs, seed=0)
    agent.learn(32)
    agent.save(tmp_path / "agent.zip")
    observations = _some_observations(env)
    np.savez(tmp_path / "observations.npz", **observations)
    code = (
        "import numpy as np; from stable_baselines3 import PPO; agent = PPO.load('agent.zip')\n"
        "observations = dict(np.load('observations.npz'))\n"
        "print(agent.predict(observations, deterministic=True)[0].tolist())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    expected = agent.predict(observations, deterministic=True)[0].tolist()
    assert result.stdout.strip() == str(expected), result.stderr


def _some_observations(env: gymnasium.Env) -> dict[str, np.ndarray]:
    env.reset(seed=0)
    rows = [env.step(step % 6)[0] for step in range(20)]
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}
