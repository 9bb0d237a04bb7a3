"""The bonus for visits: what earns it, how it fades, and that a resumed run goes on with it."""

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from slot_space import HEIGHT, SLOTS, WIDTH, slot_space
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecMonitor

import sprite_obs

sys.path.insert(0, str(Path(__file__).parent.parent / "agents"))

import ppo_settings
import runs
import train_ppo

from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.vector.visit_bonus import CELLS, VecVisitBonus

WEIGHT = 0.5
NOTHING = (0, 0.0, 0.0)
TINY = ["--num-envs", "2", "--ppo.n-steps", "16", "--ppo.batch-size", "16"]


class Shown(VecEnv):
    """Two environments that show what the test says: `(type, x, y)` for each slot; 0 is empty."""

    def __init__(self):
        super().__init__(2, slot_space(), spaces.Discrete(2))
        self.things = [[NOTHING], [NOTHING]]
        self.ended = [False, False]
        self.infos = [{}, {}]

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
        rewards = np.array([1.0, 0.0], np.float32)
        return self.seen(), rewards, np.array(self.ended), self.infos

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


def test_visits_of_one_step_get_the_number_of_the_last(shown):
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    assert rewards(bonus, [(1, 50, 50)], [(1, 50, 50)]) == [1 + WEIGHT / 2, WEIGHT / 2]


def test_what_blinks_enters_its_cell_each_time(shown):
    bonus = VecVisitBonus(shown, WEIGHT)
    bonus.reset()
    seen = [rewards(bonus, [thing], [NOTHING])[0] for thing in [(1, 50, 50), NOTHING] * 2]
    assert seen == [1 + WEIGHT, 1, 1 + WEIGHT / 2, 1]


def test_returns_and_last_observations_are_the_game_s_own(shown):
    last = {"presence": np.ones(SLOTS, np.int8)}
    shown.infos = [{"terminal_observation": last}, {}]
    bonus = VecVisitBonus(VecMonitor(shown), WEIGHT)
    bonus.reset()
    shown.things = [[(1, 50, 50)], [NOTHING]]
    assert bonus.step(np.zeros(2))[1].tolist() == [1 + WEIGHT, 0]
    shown.ended = [True, False]
    infos = bonus.step(np.zeros(2))[3]
    assert infos[0]["episode"]["r"] == 2, "two steps, without the bonus"
    assert infos[0]["terminal_observation"] is last


@pytest.mark.parametrize("weight", [-0.1, np.nan, np.inf])
def test_a_weight_that_is_no_bonus_is_refused(weight, shown, tmp_path):
    with pytest.raises(ValueError, match=f"expected a finite weight of at least 0, got {weight}"):
        VecVisitBonus(shown, weight)
    flags = ["--model", "pong", "--out", str(tmp_path / "run"), "--ppo.visit-bonus", str(weight)]
    with pytest.raises(ConfigError, match=r"finite --ppo\.visit-bonus of at least 0"):
        train_ppo.train(ppo_settings.parse_args(flags))
    assert not (tmp_path / "run").exists()


def test_counts_are_copied_however_they_lie(shown):
    given = np.asfortranarray(np.full((5, CELLS, CELLS), 3))
    bonus = VecVisitBonus(shown, WEIGHT, given)
    bonus.reset()
    assert rewards(bonus, [(1, 5, 5)], [NOTHING]) == [1 + WEIGHT / 4, 0]
    assert bonus.visits[1, 0, 0] == 4 and given[1, 0, 0] == 3


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
    with pytest.raises(TypeError, match="make_sb3_sprite_vec_env builds one"):
        VecVisitBonus(sprite_obs.make_sprite_vec_env("ALE/Pong-v5", "pong", num_envs=1), WEIGHT)


@pytest.mark.parametrize(
    ("obs", "bonus"), [("objects", True), ("sprites", True), ("pixels", False)]
)
def test_only_agents_of_slots_get_the_bonus(obs, bonus):
    args = ppo_settings.parse_args(["--obs", obs, "--model", "pong", "--ppo.visit-bonus", "0.3"])
    env = train_ppo.with_bonus(train_ppo.build_envs(args, 1, 0), args)
    assert isinstance(env, VecVisitBonus) is bonus


def run_of_two_checkpoints(out: Path) -> None:
    flags = ["--model", "pong", "--max-sprites", "8", "--eval-every", "0", "--out", str(out)]
    steps = ["--total-timesteps", "64", "--checkpoint-every", "32", "--ppo.visit-bonus", "0.1"]
    train_ppo.train(ppo_settings.parse_args([*flags, *steps, *TINY]))
    (out / runs.AGENT).unlink()
    (out / "checkpoints" / "agent_64_steps.zip").unlink()


def test_a_resumed_run_goes_on_with_its_visits(tmp_path):
    run_of_two_checkpoints(tmp_path)
    half = tmp_path / "checkpoints" / "agent_32_steps.zip"
    agent = runs.load_to_learn_on(half, PPO, "cpu")
    assert agent.visits.sum() > 0
    agent.visits[1, 0, 0] = 1000  # more than are played
    agent.save(half)
    train_ppo.resume(tmp_path)
    resumed = runs.load_to_learn_on(tmp_path / runs.AGENT, PPO, "cpu").visits
    assert resumed[1, 0, 0] >= 1000 and resumed.sum() > agent.visits.sum()


def test_a_run_is_not_resumed_with_another_model(tmp_path):
    run_of_two_checkpoints(tmp_path)
    config = runs.read_config(tmp_path)
    runs.write_json(tmp_path / runs.CONFIG, config | {"env": "ALE/Boxing-v5", "model": "boxing"})
    with pytest.raises(SpriteObsError, match="bring that model back, or train anew"):
        train_ppo.resume(tmp_path)


@pytest.mark.parametrize(("weight", "kept"), [("0", False), ("0.1", True)])
def test_without_a_weight_nothing_is_counted(weight, kept, tmp_path):
    flags = ["--model", "pong", "--max-sprites", "8", "--eval-every", "0", "--out", str(tmp_path)]
    steps = ["--total-timesteps", "32", "--ppo.visit-bonus", weight]
    train_ppo.train(ppo_settings.parse_args([*flags, *steps, *TINY]))
    assert hasattr(runs.load_to_learn_on(tmp_path / runs.AGENT, PPO, "cpu"), "visits") is kept
