"""A training run becomes a trained agent of the project, with a row and a command on its page."""

import dataclasses
import json
import re
import shlex
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tyro
from sb3_contrib import QRDQN
from stable_baselines3 import PPO

from sprite_obs.config import to_dict
from sprite_obs.errors import SpriteObsError

ROOT = Path(__file__).parent.parent
for folder in ("agents", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))

import agent_zoo  # noqa: E402
import dqn_settings  # noqa: E402
import ppo_settings  # noqa: E402
import runs  # noqa: E402
import train_dqn  # noqa: E402
import train_ppo  # noqa: E402
import zoo_agents  # noqa: E402
import zoo_agents_card  # noqa: E402

TINY = ["--num-envs", "2", "--ppo.n-steps", "16", "--ppo.batch-size", "16", "--ppo.n-epochs", "1"]


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory) -> Path:
    """Returns the folder of a short run that is evaluated."""
    out = tmp_path_factory.mktemp("runs") / "pong"
    flags = ["--model", "pong", "--max-sprites", "8", "--total-timesteps", "32", "--seed", "5"]
    train_ppo.train(
        ppo_settings.parse_args([*flags, "--eval-every", "0", "--out", str(out), *TINY])
    )
    for kind, mean in (("deterministic", -19.5), ("drawn", -20.0), ("unsticky", -18.0)):
        write_evaluation(out / f"{kind}-4.json", mean, 10_000, 4)
    return out


def write_evaluation(file: Path, mean: float, first_seed: int, episodes: int) -> None:
    seeds = list(range(first_seed, first_seed + episodes))
    result = {"agent": "/a/run", "mean": mean, "std": 0.5, "returns": [mean] * episodes}
    played = zoo_agents.KINDS[file.stem.partition("-")[0]]
    file.write_text(json.dumps(result | played._asdict() | {"seeds": seeds}))


@pytest.fixture
def copied_run(finished_run, tmp_path) -> Path:
    """Returns a folder of the same run that a test may change."""
    return shutil.copytree(finished_run, tmp_path / "copied")


def test_a_run_becomes_an_agent(finished_run, tmp_path):
    page = zoo_agents.make_agent(
        zoo_agents.Args(finished_run, episodes=4, commit="abc1234", out=tmp_path)
    )
    names = {"agent.zip", "config.json", *(f"{kind}-4.json" for kind in zoo_agents.KINDS)}
    assert {file.name for file in (tmp_path / "pong").iterdir()} == names
    assert page == (tmp_path / "README.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| `pong`"))
    scores = [f"{mean} ± 0.5 (4 episodes)" for mean in (-19.5, -20.0, -18.0)]
    assert f"| {' | '.join(scores)} | 32 | 5 | abc1234 |" in row
    kept = runs.load_to_learn_on(tmp_path / "pong" / "agent.zip", PPO, "cpu")
    assert hasattr(runs.load_to_learn_on(finished_run / "agent.zip", PPO, "cpu"), runs.VISITS)
    assert not hasattr(kept, runs.VISITS), "only learning needs them"
    command = re.search(r"python agents/train_ppo\.py (.*)", page)
    assert command, page
    again = ppo_settings.parse_args(command[1].split())
    config = runs.read_config(finished_run)
    assert vars(again.ppo) == config["ppo"]
    assert (again.max_sprites, again.num_envs, again.seed) == (8, 2, 5)
    assert json.loads((tmp_path / "pong" / "drawn-4.json").read_text())["agent"] == "pong"
    assert runs.read_config(tmp_path / "pong")["out"] is None


def test_a_new_agent_takes_nothing_from_the_old_one(copied_run, tmp_path):
    old = tmp_path / "zoo" / "pong"
    old.mkdir(parents=True)
    for kind in ("deterministic", "drawn"):
        write_evaluation(old / f"{kind}-20.json", 21.0, 10_000, 20)
    page = zoo_agents.make_agent(
        zoo_agents.Args(copied_run, "abc1234", episodes=4, out=tmp_path / "zoo")
    )
    assert "(4 episodes)" in page and "21.0" not in page
    assert not list(old.glob("*-20.json"))
    assert {file.name for file in (tmp_path / "zoo").iterdir()} == {"pong", "README.md"}


@pytest.mark.parametrize(
    ("first_seed", "episodes", "got"),
    [(0, 4, r"got 4 with seeds \[0, 1"), (10_000, 3, "got 3 with seeds")],
)
def test_an_agent_that_fails_leaves_the_old_one(first_seed, episodes, got, copied_run, tmp_path):
    zoo = tmp_path / "zoo"
    old = shutil.copytree(agent_zoo.ZOO / "pong", zoo / "pong")
    before = {file.name: file.read_bytes() for file in old.iterdir()}
    write_evaluation(copied_run / "drawn-4.json", -20.0, first_seed, episodes)
    with pytest.raises(SpriteObsError, match=rf"4 returns .* from 10000 in .*drawn-4\.json, {got}"):
        zoo_agents.make_agent(zoo_agents.Args(copied_run, "abc1234", episodes=4, out=zoo))
    assert {file.name: file.read_bytes() for file in old.iterdir()} == before
    assert [file.name for file in zoo.iterdir()] == ["pong"]


def test_evaluations_that_were_played_otherwise_are_refused(copied_run, tmp_path):
    (copied_run / "unsticky-4.json").write_bytes((copied_run / "drawn-4.json").read_bytes())
    with pytest.raises(
        SpriteObsError, match=r"sticky_actions=0\.0.* in .*unsticky-4.*got .*=0\.25"
    ):
        zoo_agents.make_agent(zoo_agents.Args(copied_run, "abc1234", episodes=4, out=tmp_path))


def test_the_commit_of_the_training_has_to_be_said(capsys):
    with pytest.raises(SystemExit):
        tyro.cli(zoo_agents.Args, args=["--run", "runs/pong"])
    assert "--commit" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [
        "--model pong --display --preset best",
        "--model pong --obs sprites --device cuda --num-threads 2",
        "--model pong --preset best --ppo.n-steps 64 --ppo.features attention --ppo.gamma .5",
        "--env 'games/my game.yaml' --model mygame --no-display --seed 3",
        "--model pong --join-frames True",
        "--model pong --join-frames False",
    ],
)
def test_the_command_of_an_agent_trains_it(flags):
    trained = ppo_settings.parse_args(shlex.split(flags))
    command = zoo_agents_card.command_of_agent(to_dict(trained) | {"commit": "abc1234"})
    python, script, *again = shlex.split(command)
    assert (python, script) == ("python", "agents/train_ppo.py")
    repeated = ppo_settings.parse_args(again)
    assert dataclasses.replace(repeated, preset=trained.preset) == trained


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--model pong --seed 3", "--model pong --seed 3"),
        ("--model pong --dqn.n-steps 5 --num-envs 2", "--model pong --num-envs 2 --dqn.n-steps 5"),
        ("--dqn.no-layer-norm --model pong", "--model pong --dqn.no-layer-norm"),
    ],
)
def test_the_command_of_an_agent_of_dqn_trains_it(flags, told):
    trained = dqn_settings.parse_args(flags.split())
    command = zoo_agents_card.command_of_agent(to_dict(trained) | {"commit": "abc1234"})
    assert command == f"python agents/train_dqn.py --env ALE/Pong-v5 {told}"
    assert dqn_settings.parse_args(command.split()[2:]) == trained


def test_a_run_of_dqn_becomes_an_agent(tmp_path, recwarn):
    run = tmp_path / "run"
    flags = ["--model", "pong", "--total-timesteps", "60", "--eval-every"]
    small = ["--num-envs", "2", "--dqn.learning-starts", "20", "--dqn.buffer-size", "100"]
    train_dqn.train(dqn_settings.parse_args([*flags, "0", *small, "--out", str(run)]))
    for kind in zoo_agents.KINDS:
        write_evaluation(run / f"{kind}-4.json", -19.5, 10_000, 4)
    page = zoo_agents.make_agent(zoo_agents.Args(run, "abc1234", episodes=4, out=tmp_path / "zoo"))
    assert "| QR-DQN, to be played with `sprite-obs[contrib]` | -19.5 ± 0.5 (4 episodes) |" in page
    whole, small = (QRDQN.load(folder / "agent.zip") for folder in (run, tmp_path / "zoo" / "pong"))
    assert small.policy.optimizer.state_dict()["state"] == {}
    assert small._last_obs is None and small._last_original_obs is None
    assert not any("n_steps" in str(warning.message) for warning in recwarn), "SB3 would, falsely"
    assert (tmp_path / "zoo" / "pong" / "agent.zip").stat().st_size < 1e6
    assert len({part.data_ptr() for part in small.policy.parameters()}) == 12, "a target of its own"
    networks = (agent.policy.quantile_net.parameters() for agent in (whole, small))
    for first, second in zip(*networks, strict=True):
        assert first.equal(second)


def test_an_agent_plays_the_same_without_what_only_learning_needs(finished_run, tmp_path):
    data = zoo_agents.without_learning(finished_run / "agent.zip")
    assert data == zoo_agents.without_learning(finished_run / "agent.zip")
    (tmp_path / "agent.zip").write_bytes(data)
    whole, small = (PPO.load(folder / "agent.zip") for folder in (finished_run, tmp_path))
    for first, second in zip(whole.policy.parameters(), small.policy.parameters(), strict=True):
        assert first.equal(second)
    assert whole.policy.optimizer.state and not small.policy.optimizer.state
    with zipfile.ZipFile(tmp_path / "agent.zip") as parts:
        assert "system_info.txt" not in parts.namelist()
    assert np.isclose(small.lr_schedule(1), whole.lr_schedule(1)), "it can be trained on"


def test_only_finished_runs_with_a_model_of_the_zoo_become_agents(finished_run, tmp_path):
    with pytest.raises(SpriteObsError, match=r"holds no agent\.zip"):
        zoo_agents.make_agent(zoo_agents.Args(tmp_path, "abc1234", out=tmp_path / "zoo"))
    (tmp_path / "agent.zip").symlink_to(finished_run / "agent.zip")
    config = runs.read_config(finished_run)
    for model in ("models/pong", None):
        (tmp_path / "config.json").write_text(json.dumps(config | {"model": model}))
        with pytest.raises(SpriteObsError, match="a model of the zoo, got model"):
            zoo_agents.make_agent(zoo_agents.Args(tmp_path, "abc1234", out=tmp_path / "zoo"))
    assert not (tmp_path / "zoo").exists()
