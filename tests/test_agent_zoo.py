"""Trained agents of the project: found by their names, small, and at home in their games."""

import json
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import PPO

from sprite_obs.errors import SpriteObsError

ROOT = Path(__file__).parent.parent
for folder in ("agents", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))

import agent_zoo  # noqa: E402
import evaluate  # noqa: E402
import runs  # noqa: E402
import train_ppo  # noqa: E402
import zoo_agents  # noqa: E402
import zoo_agents_card  # noqa: E402

MAX_SIZE = 1_000_000
TINY = ["--num-envs", "2", "--ppo.n-steps", "16", "--ppo.batch-size", "16", "--ppo.n-epochs", "1"]


def fitted(name: str, seed: int):
    """Returns an agent and the environment that it was trained for."""
    agent = evaluate.load_agent(str(agent_zoo.find_agent(name)))
    asked = evaluate.Args(str(agent_zoo.find_agent(name)), seed=seed)
    args = evaluate.with_settings_of_training(evaluate.as_it_sees(agent, asked))
    return agent, evaluate.fitting_env(agent, args)


@pytest.mark.parametrize("name", agent_zoo.agent_names())
def test_each_agent_is_small_fits_its_game_and_is_listed(name):
    path = agent_zoo.find_agent(name)
    assert path.stat().st_size < MAX_SIZE
    agent, env = fitted(name, seed=0)
    actions, _ = agent.predict(env.reset(), deterministic=True)
    env.step(actions)
    env.close()
    assert not agent.policy.optimizer.state
    texts = "".join(file.read_text() for file in path.parent.glob("*.json"))
    assert "/tmp" not in texts and ".zip" not in texts, "files of a machine"
    assert f"| `{name}` |" in (agent_zoo.ZOO / "README.md").read_text()


def test_the_page_is_that_of_the_agents():
    assert (agent_zoo.ZOO / "README.md").read_text() == zoo_agents_card.agents_card(agent_zoo.ZOO)


def test_pongs_agent_wins_points_with_the_model_as_it_is():
    agent, env = fitted("pong", seed=10_000)
    observation, rewards = env.reset(), []
    for _ in range(1200):
        actions, _ = agent.predict(observation, deterministic=True)
        observation, reward, _, _ = env.step(actions)
        rewards.append(reward[0])
    env.close()
    assert sum(rewards) >= 3


@pytest.mark.parametrize("text", ["pong", "Pong", "ALE/Pong-v5"])
def test_names(text):
    assert agent_zoo.find_agent(text) == agent_zoo.ZOO / "pong" / "agent.zip"


def test_a_file_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pong").touch()
    assert agent_zoo.find_agent("pong") == Path("pong")


def test_the_folder_of_a_run_is_its_agent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pong").mkdir()
    assert agent_zoo.find_agent("pong") == agent_zoo.ZOO / "pong" / "agent.zip"
    (tmp_path / "pong" / "agent.zip").touch()
    for text in ("pong", "./pong", "pong/", tmp_path / "pong"):
        assert agent_zoo.find_agent(text) == Path(text, "agent.zip")


@pytest.mark.parametrize(
    "text", ["pogn", "runs/pong", "./pong", "../pong", "pong/agent.zip", "./ALE/Pong-v5", ""]
)
def test_unknown_names_are_answered_with_the_known_ones(text, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpriteObsError, match=r"no agent at .*train_ppo\.py, or name .*pong"):
        agent_zoo.find_agent(text)


def test_a_name_is_played(monkeypatch):
    monkeypatch.setattr(evaluate, "play", lambda *_: 21.0)
    result = evaluate.evaluate(evaluate.Args("pong", episodes=2))
    assert (result["env"], result["model"], result["returns"]) == ("ALE/Pong-v5", "pong", [21, 21])
    assert result["agent"] == "pong", "as it was asked for, not where it lies on this machine"


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory) -> Path:
    """Returns the folder of a short run that is evaluated."""
    out = tmp_path_factory.mktemp("runs") / "pong"
    flags = ["--model", "pong", "--max-sprites", "8", "--total-timesteps", "32", "--seed", "5"]
    train_ppo.train(train_ppo.parse_args([*flags, "--eval-every", "0", "--out", str(out), *TINY]))
    for kind, mean in (("deterministic", -19.5), ("drawn", -20.0)):
        result = {"agent": str(out), "mean": mean, "std": 0.5, "returns": [mean] * 4}
        (out / f"{kind}-4.json").write_text(json.dumps(result))
    return out


def test_a_run_becomes_an_agent(finished_run, tmp_path):
    page = zoo_agents.make_agent(
        zoo_agents.Args(finished_run, episodes=4, commit="abc1234", out=tmp_path)
    )
    names = {"agent.zip", "config.json", "deterministic-4.json", "drawn-4.json"}
    assert {file.name for file in (tmp_path / "pong").iterdir()} == names
    assert page == (tmp_path / "README.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| `pong`"))
    assert "| -19.5 ± 0.5 (4 episodes) | -20.0 ± 0.5 (4 episodes) | 32 | 5 | abc1234 |" in row
    command = re.search(r"python agents/train_ppo\.py (.*)", page)
    assert command, page
    again = train_ppo.parse_args(command[1].split())
    config = runs.read_config(finished_run)
    assert vars(again.ppo) == config["ppo"]
    assert (again.max_sprites, again.num_envs, again.seed) == (8, 2, 5)
    assert json.loads((tmp_path / "pong" / "drawn-4.json").read_text())["agent"] == "pong"
    assert runs.read_config(tmp_path / "pong")["out"] is None


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
        zoo_agents.make_agent(zoo_agents.Args(tmp_path, out=tmp_path / "zoo"))
    (tmp_path / "agent.zip").symlink_to(finished_run / "agent.zip")
    config = runs.read_config(finished_run)
    for model in ("models/pong", None):
        (tmp_path / "config.json").write_text(json.dumps(config | {"model": model}))
        with pytest.raises(SpriteObsError, match="a model of the zoo, got model"):
            zoo_agents.make_agent(zoo_agents.Args(tmp_path, out=tmp_path / "zoo"))
    assert not (tmp_path / "zoo").exists()
