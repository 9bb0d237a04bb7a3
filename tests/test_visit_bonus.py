"""The bonus for visits: what earns it, how it fades, and that a resumed run goes on with it."""

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from slot_space import HEIGHT, SLOTS, WIDTH, slot_space
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

import sprite_obs

sys.path.insert(0, str(Path(__file__).parent.parent / "agents"))

import run_settings
import runs
import train_ppo

from sprite_obs.vector.visit_bonus import CELLS, VecVisitBonus

WEIGHT = 0.5
NOTHING = (0, 0.0, 0.0)


class Shown(VecEnv):
    """Two environments that show what the test says: `(type, x, y)` for each slot; 0 is empty."""

    def __init__(self):
        super().__init__(2, slot_space(), spaces.Discrete(2))
        self.things = [[NOTHING], [NOTHING]]
        self.ended = [False, False]

    def seen(self) -> dict[str, np.ndarray]:
        table = np.zeros((2, SLOTS, 3))
        for env, things in enumerate(self.things):
            table[env, : len(things)] = things
        return {
            "type": table[:, :, 0].astype(np.int32),
            "position": table[:, :, 1:].astype(np.float32),
            "presence": (table[:, :, 0] > 0).astype(np.int8),
        }

    def reset(self):
        return self.seen()

    def step_async(self, actions):
        pass

    def step_wait(self):
        return self.seen(), np.array([1.0, 0.0], np.float32), np.array(self.ended), [{}, {}]

    def close(self):
        pass

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False, False]

    def env_method(self, method_name, *args, indices=None, **kwargs):
        return [None, None]

    def get_attr(self, attr_name, indices=None):
        return [None, None]

    def set_attr(self, attr_name, value, indices=None):
        pass


@pytest.fixture
def shown() -> Shown:
    return Shown()


def rewards(bonus: VecVisitBonus, *things: list[tuple[int, float, float]]) -> list[float]:
    bonus.venv.things = list(things)
    return bonus.step(np.zeros(2))[1].tolist()


def test_a_place_is_worth_less_with_each_visit(shown):
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    assert rewards(bonus, [(1, 5, 5)], [NOTHING]) == [1 + WEIGHT, 0], "added to the reward"
    rewards(bonus, [(1, 155, 205)], [NOTHING])
    second = rewards(bonus, [(1, 5, 5)], [NOTHING])
    assert second == pytest.approx([1 + WEIGHT / 2, 0])
    assert bonus.visits[1, 0, 0] == 2 and bonus.visits[1, -1, -1] == 1
    assert bonus.visits.sum() == 3


def test_a_cell_is_a_sixteenth_of_the_frame_and_its_rows_come_first(shown):
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    rewards(bonus, [(2, WIDTH, HEIGHT / CELLS * 3.5)], [NOTHING])
    assert np.argwhere(bonus.visits).tolist() == [[2, 3, CELLS - 1]], "the edge is in the last"


def test_what_stands_still_or_leaves_earns_nothing(shown):
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    rewards(bonus, [(1, 50, 50)], [NOTHING])
    assert rewards(bonus, [(1, 51, 50)], [NOTHING]) == [1, 0], "moved within its cell"
    assert rewards(bonus, [NOTHING], [NOTHING]) == [1, 0]


def test_types_are_counted_apart_and_environments_together(shown):
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    rewards(bonus, [(1, 50, 50)], [NOTHING])
    other_type = rewards(bonus, [(1, 50, 50), (2, 50, 50)], [NOTHING])
    assert other_type == [1 + WEIGHT, 0]
    other_env = rewards(bonus, [(1, 50, 50), (2, 50, 50)], [(1, 50, 50)])
    assert other_env == pytest.approx([1, WEIGHT / 2])


def test_things_that_enter_together_are_added_up(shown):
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    both = rewards(bonus, [(1, 50, 50), (1, 100, 50)], [NOTHING])
    assert both == [1 + 2 * WEIGHT, 0]


def test_what_an_episode_begins_with_earns_nothing(shown):
    shown.things = [[(1, 50, 50)], [NOTHING]]
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    assert rewards(bonus, [(1, 50, 50)], [NOTHING]) == [1, 0]
    shown.ended = [True, False]
    assert rewards(bonus, [(1, 150, 150)], [(1, 50, 50)]) == [1, WEIGHT], "a new episode's"
    shown.ended = [False, False]
    assert rewards(bonus, [(1, 150, 150)], [(1, 50, 50)]) == [1, 0]


def test_counts_of_another_model_are_refused(shown):
    with pytest.raises(ValueError, match=r"expected counts \(5, 16, 16\).*\(3, 16, 16\)"):
        VecVisitBonus(shown, WEIGHT, np.zeros((3, CELLS, CELLS), np.int64))


def test_vectors_and_pixels_have_no_places():
    pixels = DummyVecEnv([lambda: gymnasium.make("ALE/Pong-v5")])
    with pytest.raises(ValueError, match="expected environments that observe slots"):
        VecVisitBonus(pixels, WEIGHT)
    flat = sprite_obs.make_sb3_sprite_vec_env("ALE/Pong-v5", "pong", num_envs=1, flatten=True)
    with pytest.raises(ValueError, match="without flatten"):
        VecVisitBonus(flat, WEIGHT)


def test_a_resumed_run_goes_on_with_its_visits(tmp_path, monkeypatch):
    tiny = ["--num-envs", "2", "--ppo.n-steps", "16", "--ppo.batch-size", "16"]
    flags = ["--model", "pong", "--max-sprites", "8", "--eval-every", "0", "--out", str(tmp_path)]
    steps = ["--total-timesteps", "64", "--checkpoint-every", "32", "--ppo.visit-bonus", "0.1"]
    train_ppo.train(run_settings.parse_args([*flags, *steps, *tiny]))
    visits = runs.load_ppo(tmp_path / runs.AGENT, "cpu").visits
    assert visits.sum() > 0
    (tmp_path / runs.AGENT).unlink()
    half = runs.load_ppo(tmp_path / "checkpoints" / "agent_32_steps.zip", "cpu").visits
    (tmp_path / "checkpoints" / "agent_64_steps.zip").unlink()
    train_ppo.resume(tmp_path)
    resumed = runs.load_ppo(tmp_path / runs.AGENT, "cpu").visits
    assert half.sum() < resumed.sum() and (resumed >= half).all()


@pytest.mark.parametrize(("weight", "kept"), [("0", False), ("0.1", True)])
def test_without_a_weight_nothing_is_counted(weight, kept, tmp_path):
    tiny = ["--num-envs", "1", "--ppo.n-steps", "16", "--ppo.batch-size", "16"]
    flags = ["--model", "pong", "--max-sprites", "8", "--eval-every", "0", "--out", str(tmp_path)]
    steps = ["--total-timesteps", "16", "--ppo.visit-bonus", weight]
    train_ppo.train(run_settings.parse_args([*flags, *steps, *tiny]))
    assert hasattr(runs.load_ppo(tmp_path / runs.AGENT, "cpu"), "visits") is kept
