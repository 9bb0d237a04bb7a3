"""Agents that were not trained by `train_ppo.py`: stock policies, other algorithms, no settings."""

import dataclasses
import json
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from sb3_contrib import QRDQN
from stable_baselines3 import DQN, PPO

from sprite_obs import make_sb3_sprite_vec_env
from sprite_obs.config import load_yaml
from sprite_obs.errors import SpriteObsError
from sprite_obs.vector.sb3 import VecSpriteObservation

sys.path.insert(0, str(Path(__file__).parent.parent / "agents"))

import environments
import ppo_settings
import runs
from attention import slot_attention
from evaluate import Args, evaluate, load_agent, with_settings_of_training
from sight import taken_by

GAME, SLOTS = "ALE/Pong-v5", 6


@pytest.fixture(scope="module")
def flat_env(pong_model):
    return make_sb3_sprite_vec_env(GAME, pong_model, 2, SLOTS, flatten=True, seed=0)


@pytest.fixture(scope="module")
def slots_env(pong_model):
    return environments.build_vec_env(GAME, "objects", str(pong_model), SLOTS, 1, 0, display=True)


def saved(algorithm, env, path: Path) -> str:
    sizes = {} if algorithm is PPO else {"buffer_size": 100, "exploration_initial_eps": 0.05}
    algorithm("MlpPolicy", env, seed=0, device="cpu", **sizes).save(path)
    return str(path)


@pytest.mark.parametrize("algorithm", [PPO, DQN, QRDQN])
def test_stock_policies_of_flat_observations_play_and_are_filmed(
    algorithm, flat_env, pong_model, tmp_path
):
    agent, video = saved(algorithm, flat_env, tmp_path / "agent.zip"), tmp_path / "agent.mp4"
    args = Args(agent, GAME, str(pong_model), episodes=1, deterministic=True, video=str(video))
    result = evaluate(args)
    assert -21 <= result["mean"] <= 21 and result["model"] == str(pong_model)
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) > 500
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) > 2 * 480, "frame, reconstruction and list"


def test_slots_become_the_vector_of_the_training(flat_env, slots_env, pong_model, tmp_path):
    agent = load_agent(saved(PPO, flat_env, tmp_path / "agent.zip"))
    frames = environments._frame_envs(GAME, {}, 1, join_frames=False)
    flat = VecSpriteObservation(frames, pong_model, SLOTS, flatten=True)
    flat.seed(0)
    slots_env.seed(0)
    take, seen, expected = taken_by(agent, slots_env), slots_env.reset(), flat.reset()
    for action in np.random.default_rng(0).integers(6, size=60):
        np.testing.assert_array_equal(take(seen), expected)
        seen, expected = slots_env.step([action])[0], flat.step([action])[0]
    assert expected.any()


@pytest.mark.parametrize("algorithm", [PPO, DQN, QRDQN])
def test_a_flat_agent_attends_to_what_is_there(algorithm, flat_env, slots_env, tmp_path):
    agent = load_agent(saved(algorithm, flat_env, tmp_path / "agent.zip"))
    take, seen = taken_by(agent, slots_env), slots_env.reset()
    for _ in range(30):
        seen = slots_env.step([0])[0]
    action, _ = agent.predict(take(seen), deterministic=True)
    shares = slot_attention(agent, seen, action, take)
    assert shares.sum() == pytest.approx(1)
    assert ((shares > 0) == (seen["presence"][0] > 0)).all()


def test_without_settings_of_a_training_slots_are_those_of_the_wrapper(tmp_path):
    agent = tmp_path / "agent.zip"
    filled = with_settings_of_training(Args(str(agent), GAME))
    assert filled.obs == "objects" and filled.display is True
    asked = with_settings_of_training(Args(str(agent), GAME, obs="sprites", display=False))
    assert asked.obs == "sprites" and asked.display is False
    (tmp_path / "config.json").write_text(json.dumps({"env": GAME, "obs": "sprites"}))
    trained = with_settings_of_training(Args(str(agent)))
    assert trained.obs == "sprites" and trained.display is False


@pytest.mark.parametrize("foreign", [["env", "obs"], {"policy": "MlpPolicy", "env": GAME}, "obs"])
def test_settings_of_another_program_are_not_those_of_a_training(foreign, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(foreign))
    filled = with_settings_of_training(Args(str(tmp_path / "agent.zip"), GAME))
    assert (filled.obs, filled.display, filled.model) == ("objects", True, None)
    with pytest.raises(SpriteObsError, match=r"expected --env, .* has no config\.json"):
        with_settings_of_training(Args(str(tmp_path / "agent.zip")))
    with pytest.raises(SpriteObsError, match=r"settings with env and obs in .*; train anew"):
        runs.read_config(tmp_path)
    of_training = {"env": GAME, "obs": "sprites", "model": "pong", "display": False}
    (tmp_path / "config.json").write_text(json.dumps(of_training))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "config.json").write_text(json.dumps(foreign))
    checkpoint = Args(str(tmp_path / "checkpoints" / "agent.zip"))
    assert with_settings_of_training(checkpoint).obs == "sprites"


def test_an_agent_of_another_vector_is_refused(tmp_path):
    flat = make_sb3_sprite_vec_env("ALE/Boxing-v5", "boxing", 1, SLOTS, flatten=True)
    agent = saved(PPO, flat, tmp_path / "agent.zip")
    with pytest.raises(SpriteObsError, match="other observations or actions"):
        evaluate(Args(agent, GAME, "pong", episodes=1))


class ScheduleOfAnotherPackage:
    def __call__(self, remaining: float) -> float:
        return 0.001 * remaining


def test_schedules_of_packages_that_are_not_there_do_not_matter(flat_env, tmp_path, monkeypatch):
    elsewhere = types.ModuleType("elsewhere")
    monkeypatch.setitem(sys.modules, "elsewhere", elsewhere)
    monkeypatch.setattr(ScheduleOfAnotherPackage, "__module__", "elsewhere")
    elsewhere.ScheduleOfAnotherPackage = ScheduleOfAnotherPackage
    schedule = ScheduleOfAnotherPackage()
    agent = PPO("MlpPolicy", flat_env, schedule, clip_range=schedule, seed=0, device="cpu")
    agent.save(tmp_path / "agent.zip")
    observation = flat_env.reset()
    expected, _ = agent.predict(observation, deterministic=True)
    monkeypatch.delitem(sys.modules, "elsewhere")
    played, _ = load_agent(str(tmp_path / "agent.zip")).predict(observation, deterministic=True)
    np.testing.assert_array_equal(played, expected)


def test_rl_zoo3_has_the_hyper_parameters_of_the_preset():
    root = Path(__file__).parent.parent
    zoo = yaml.safe_load((root / "configs" / "rl_zoo3" / "ppo.yaml").read_text())["default"]
    best = load_yaml(ppo_settings.PPOConfig, root / "configs" / "ppo" / "best.yaml")
    assert zoo.pop("n_envs") == ppo_settings.Args().num_envs
    assert zoo.pop("n_timesteps") == ppo_settings.Args().total_timesteps
    assert zoo.pop("policy") == "MlpPolicy"
    layers = [best.hidden_size] * best.hidden_layers
    assert zoo.pop("policy_kwargs") == f"dict(net_arch={layers}, activation_fn=nn.ReLU)"
    assert zoo.pop("learning_rate") == f"lin_{best.learning_rate}" and best.final_rate == 0
    assert zoo == {name: getattr(best, name) for name in zoo}
    named = dataclasses.replace(
        ppo_settings.PPOConfig(), **zoo, learning_rate=best.learning_rate, final_rate=0
    )
    named = dataclasses.replace(named, hidden_size=best.hidden_size, activation="relu")
    assert named == dataclasses.replace(best, visit_bonus=0), "vectors have no bonus for visits"


def test_qr_dqn_says_what_it_needs(flat_env, tmp_path, monkeypatch):
    agent = saved(QRDQN, flat_env, tmp_path / "agent.zip")
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    with pytest.raises(SpriteObsError, match=r"pip install 'sprite-obs\[contrib\]'"):
        load_agent(agent)
