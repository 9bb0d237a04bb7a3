"""Trains a DQN agent by the script in agents/."""

import json
import sys
from contextlib import closing

import evaluate
import numpy as np
import pytest
import torch
import train_dqn
import train_ppo
from agent_scripts import error_of, read, run
from flat_env import VecFlatFeatures
from sb3_contrib import QRDQN
from stable_baselines3 import DQN
from stable_baselines3.common.vec_env import DummyVecEnv
from torch.nn import Linear, ReLU
from training import learn

from sprite_obs.envs.make import make_env
from sprite_obs.extractors.normed_relu import NormedReLU
from sprite_obs.vector.sb3 import VecSpriteObservation

SMALL = ["--num-envs", "2", "--max-sprites", "8", "--dqn.buffer-size", "500", "--eval-every", "0"]
SHORT = ["--dqn.learning-starts", "20", "--dqn.batch-size", "16", "--dqn.exploration-steps", "50"]
SHORT += ["--dqn.n-steps", "5"]  # not what SB3's memory has by itself


@pytest.fixture(scope="module")
def dqn_run(pong_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("dqn") / "run"
    flags = ["--model", pong_model, "--total-timesteps", 200, "--checkpoint-every", 100]
    result = run("train_dqn.py", *flags, *SMALL, *SHORT, "--out", out)
    assert result.returncode == 0, result.stderr
    assert "trained 200 steps in" in result.stdout
    assert f"the run's folder is {out}" in result.stderr
    return out


def test_the_agent_is_built_as_configured(dqn_run, recwarn):
    config = read(dqn_run / "config.json")
    assert config["dqn"]["learning_starts"] == 20, "a flag"
    assert config["dqn"]["gradient_steps"] == 4, "configs/dqn/fast.yaml"
    assert config["dqn"]["gamma"] == 0.99, "a default"
    assert config["join_frames"] is False and config["obs"] == "objects"
    agent = QRDQN.load(dqn_run / "agent.zip")
    assert not any("n_steps" in str(warning.message) for warning in recwarn), "SB3 would, falsely"
    assert (agent.n_steps, agent.gradient_steps, agent.batch_size) == (5, 4, 16)
    layers = list(agent.policy.quantile_net.quantile_net)
    assert [type(layer) for layer in layers] == [Linear, NormedReLU, Linear, NormedReLU, Linear]
    assert layers[-1].out_features == 6 * 32, "quantiles of each action"
    assert agent.policy.net_arch == [256, 256]
    assert agent.lr_schedule(1) == pytest.approx(3e-4)
    assert agent.lr_schedule(0) == pytest.approx(3e-5)
    assert agent.exploration_rate == pytest.approx(0.01)
    assert agent._n_updates == 4 * (100 - 10), "for each step of both environments after 20"
    names = sorted(path.name for path in (dqn_run / "checkpoints").iterdir())
    assert names == ["agent_100_steps.zip", "agent_200_steps.zip"]


def test_dqn_without_quantiles_and_normalisation(pong_model):
    flags = ["--model", str(pong_model), *SMALL, "--dqn.no-layer-norm", "--dqn.hidden-layers", "1"]
    flags += ["--dqn.num-quantiles", "0"]
    args = train_dqn.parse_args(flags)
    with closing(train_dqn.learning_env(args, 0)) as env:
        agent = train_dqn.build_agent(env, args, torch.device("cpu"))
    assert isinstance(agent, DQN)
    assert [type(layer) for layer in agent.policy.q_net.q_net] == [Linear, ReLU, Linear]


def test_what_follows_a_normed_layer_does_not_grow_with_it():
    values = torch.tensor([[-1.0, 1.0, 3.0], [7.0, 7.0, 7.0]])
    expected = torch.tensor([[0, 0, 1.5**0.5], [0, 0, 0]])
    torch.testing.assert_close(NormedReLU()(values), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(NormedReLU()(1000 * values), expected, atol=1e-4, rtol=0)


def test_help_shows_what_a_run_without_flags_has(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train_dqn.py", "--help"])
    with pytest.raises(SystemExit):
        train_dqn.main()
    told = " ".join(capsys.readouterr().out.replace("│", "").split())
    assert "--dqn.num-quantiles INT" in told and "by DQN. (default: 32)" in told


def test_an_interrupted_run_goes_on(dqn_run, tmp_path, monkeypatch, recwarn, capsys):
    out = tmp_path / "run"
    (out / "checkpoints").mkdir(parents=True)
    (out / "config.json").write_bytes((dqn_run / "config.json").read_bytes())
    half = "checkpoints/agent_100_steps.zip"
    (out / half).write_bytes((dqn_run / half).read_bytes())
    resumed = []
    monkeypatch.setattr(
        train_dqn, "learn", lambda agent, *given: resumed.append(agent) or learn(agent, *given)
    )
    train_dqn.resume(out)
    assert not any("n_steps" in str(warning.message) for warning in recwarn)
    assert capsys.readouterr().out.startswith("trained 100 steps in ")
    memory = resumed[0].replay_buffer
    assert (memory.n_steps, memory.gamma, memory.size()) == (5, 0.99, 50), "begun anew"
    agent = QRDQN.load(out / "agent.zip")
    assert agent.num_timesteps == 200
    assert agent._n_updates == QRDQN.load(out / half)._n_updates + 4 * (50 - 8)


def test_visits_are_kept_and_gone_on_with(pong_model, tmp_path):
    out = tmp_path / "run"
    flags = ["--model", pong_model, "--total-timesteps", 60, "--dqn.visit-bonus", 0.5]
    args = [*flags, *SMALL, *SHORT, "--out", out]
    train_dqn.train(train_dqn.parse_args([str(part) for part in args]))
    agent = QRDQN.load(out / "agent.zip")
    assert agent.visits.sum() > 0
    agent.visits[1, 0, 0] = 1000
    agent.save(out / "interrupted.zip")
    (out / "agent.zip").unlink()
    settings = read(out / "config.json") | {"total_timesteps": 120}
    (out / "config.json").write_text(json.dumps(settings))
    train_dqn.resume(out)
    visits = QRDQN.load(out / "agent.zip").visits
    assert visits[1, 0, 0] >= 1000 and visits.sum() > agent.visits.sum()


def test_evaluation_plays_it_and_films_it(dqn_run, tmp_path):
    video = tmp_path / "film.mp4"
    result = run("evaluate.py", "--agent", dqn_run, "--episodes", 1, "--video", video)
    assert result.returncode == 0, result.stderr
    assert "Warning" not in result.stderr
    assert video.exists() and -21 <= json.loads(result.stdout)["mean"] <= 21


def test_features_are_those_of_flat_observations(pong_model):
    def envs(flatten: bool) -> VecSpriteObservation:
        games = DummyVecEnv([lambda: make_env("ALE/Pong-v5", max_episode_steps=30)] * 2)
        return VecSpriteObservation(games, pong_model, 8, flatten=flatten, display=False)

    ours, theirs = VecFlatFeatures(envs(flatten=False)), envs(flatten=True)
    assert ours.observation_space == theirs.observation_space
    for each in (ours, theirs):
        each.seed(0)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    ended = 0
    for step in range(70):
        actions = np.array([step % 6, 3])
        (seen, _, dones, infos), (same, _, _, others) = ours.step(actions), theirs.step(actions)
        np.testing.assert_array_equal(seen, same)
        for env in np.flatnonzero(dones):
            ended += 1
            last = [each[env]["terminal_observation"] for each in (infos, others)]
            np.testing.assert_array_equal(*last)
    assert ended == 4


def test_the_bonus_for_visits_is_below_the_features(pong_model):
    flags = ["--model", str(pong_model), *SMALL, "--dqn.visit-bonus", "0.5"]
    env = train_dqn.learning_env(train_dqn.parse_args(flags), 0)
    env.reset()
    rewards = [env.step(np.zeros(2, int))[1] for _ in range(60)]
    assert np.max(rewards) > 0.1, "no point is won so early"
    env.close()


def test_quantiles_need_sb3_contrib(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    monkeypatch.chdir(tmp_path)
    error = error_of(train_dqn, monkeypatch, capsys, "--model", "pong")
    assert "QR-DQN needs sb3-contrib: pip install 'sprite-obs[contrib]', or take --dqn.num" in error
    assert list(tmp_path.iterdir()) == []


def test_an_agent_of_quantiles_is_not_called_damaged_without_sb3_contrib(
    dqn_run, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    error = error_of(evaluate, monkeypatch, capsys, "--agent", dqn_run)
    assert error.startswith("error: QR-DQN needs sb3-contrib: pip install 'sprite-obs[contrib]'\n")


def test_a_run_does_not_go_on_with_other_slots(dqn_run, tmp_path, monkeypatch, capsys):
    (tmp_path / "interrupted.zip").write_bytes((dqn_run / "agent.zip").read_bytes())
    settings = read(dqn_run / "config.json") | {"max_sprites": 9}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    error = error_of(train_dqn, monkeypatch, capsys, "--resume", tmp_path)
    assert "trained on other observations or actions than those of ALE/Pong-v5" in error


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dqn.n-steps", "0"], "expected --dqn.n-steps of at least 1, got 0"),
        (["--dqn.exploration-final-eps", "2"], "at least 0 and at most 1, got 2.0"),
        (["--dqn.buffer-size", "4"], "--dqn.buffer-size of at least --num-envs, 8, got 4"),
        (["--num-envs", "0"], "expected --num-envs of at least 1, got 0"),
        (["--config", "no.yaml"], "no configuration file no.yaml"),
        ([], "got none; make one with"),
        (["--resume", "nowhere"], "there is no nowhere"),
    ],
)
def test_what_cannot_be_used_is_refused(flags, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in error_of(train_dqn, monkeypatch, capsys, *flags)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_the_other_algorithm_is_not_resumed(
    sprite_run, dqn_run, tmp_path, monkeypatch, capsys
):
    for script, begun, name, other in (
        (train_dqn, sprite_run, "dqn", "ppo"),
        (train_ppo, dqn_run, "ppo", "dqn"),
    ):
        for kept, copy in (("config.json", "config.json"), ("agent.zip", "interrupted.zip")):
            (tmp_path / copy).write_bytes((begun / kept).read_bytes())
        error = error_of(script, monkeypatch, capsys, "--resume", tmp_path)
        began = f"resume it with agents/train_{other}.py"
        assert f"is no run of agents/train_{name}.py; {began}" in error
