"""Trained agents of the project: found by their names, small, and at home in their games."""

import base64
import json
import pickletools
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stable_baselines3 import PPO

from sprite_obs.errors import SpriteObsError

ROOT = Path(__file__).parent.parent
for folder in ("agents", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))

import agent_zoo  # noqa: E402
import evaluate  # noqa: E402
import zoo_agents_card  # noqa: E402

MAX_SIZE = 1_000_000


def fitted(name: str, seed: int):
    """Returns an agent and the environment that it was trained for."""
    agent = evaluate.load_agent(str(agent_zoo.find_agent(name)))
    asked = evaluate.Args(str(agent_zoo.find_agent(name)), seed=seed)
    args = evaluate.with_settings_of_training(evaluate.as_it_sees(agent, asked))
    return agent, evaluate.fitting_env(agent, args)


def texts_of(values: Any) -> Iterator[str]:
    """Yields every text in values that were JSON, also in what SB3 pickled."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, list):
        for value in values:
            yield from texts_of(value)
    elif isinstance(values, dict):
        pickled = base64.b64decode(values.get(":serialized:", ""))
        parts = pickletools.genops(pickled) if pickled else ()
        yield from (part for _, part, _ in parts if isinstance(part, str))
        yield from texts_of([value for key, value in values.items() if key != ":serialized:"])


def files_of_a_machine(folder: Path) -> list[str]:
    """Returns the absolute paths and the agents' files that an agent's own files speak of."""
    documents = [file.read_bytes() for file in folder.glob("*.json")]
    with zipfile.ZipFile(folder / "agent.zip") as parts:
        documents.append(parts.read("data"))
    texts = [text for document in documents for text in texts_of(json.loads(document))]
    return [text for text in texts if text.startswith("/") or text.endswith(".zip")]


@pytest.mark.parametrize("name", agent_zoo.agent_names())
def test_each_agent_is_small_fits_its_game_and_is_listed(name):
    path = agent_zoo.find_agent(name)
    assert path.stat().st_size < MAX_SIZE
    agent, env = fitted(name, seed=0)
    actions, _ = agent.predict(env.reset(), deterministic=True)
    env.step(actions)
    env.close()
    assert not agent.policy.optimizer.state
    assert files_of_a_machine(path.parent) == []
    assert f"| `{name}` |" in (agent_zoo.ZOO / "README.md").read_text()


def test_files_of_a_machine_are_found(tmp_path):
    agent = PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, device="cpu")
    agent.tensorboard_log = "/var/log/board"
    agent.policy_kwargs = {"load": Path("/srv/weights"), "from": ["/opt/model"]}
    agent.save(tmp_path / "agent.zip")
    (tmp_path / "config.json").write_text(json.dumps({"ppo": {"file": "/home/me/a.yaml"}}))
    (tmp_path / "drawn-1.json").write_text(json.dumps({"agent": "runs/me/agent.zip"}))
    found = ["/home/me/a.yaml", "/opt/model", "/var/log/board", "runs/me/agent.zip"]
    assert set(found) <= set(files_of_a_machine(tmp_path))


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
    with pytest.raises(SpriteObsError, match=r"no agent at .*train_dqn\.py, or name .*pong"):
        agent_zoo.find_agent(text)


def test_a_name_is_played(monkeypatch):
    monkeypatch.setattr(evaluate, "play", lambda *_: [21.0])
    result = evaluate.evaluate(evaluate.Args("pong", episodes=2))
    assert (result["env"], result["model"], result["returns"]) == ("ALE/Pong-v5", "pong", [21, 21])
    assert result["agent"] == "pong", "as it was asked for, not where it lies on this machine"
