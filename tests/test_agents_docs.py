"""The Python of docs/agents.md runs as it stands there, one piece after the other."""

import re
from pathlib import Path

import numpy as np
import pytest
from sb3_contrib import QRDQN
from stable_baselines3 import PPO

TEXT = (Path(__file__).parent.parent / "docs" / "agents.md").read_text()


@pytest.fixture(scope="module")
def names() -> dict:
    """Returns what is there after each piece, by its place."""
    pieces = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict = {}
    seen = {}
    for number, piece in enumerate(pieces):
        exec(piece, names)
        seen[number] = dict(names)
    return seen


def test_policies_of_stable_baselines3(names):
    assert isinstance(names[0]["agent"], PPO) and isinstance(names[0]["fast"], QRDQN)
    names[0]["agent"].predict(names[0]["flat"].reset())
    assert names[0]["venv"].num_envs == names[0]["flat"].num_envs == 8


def test_a_loop_over_vectors(names):
    obs = names[1]["obs"]
    assert obs.shape[:2] == (128, 8) and obs.isfinite().all() and obs[-1].any()
    assert names[1]["envs"].episode_lengths.tolist() == [128] * 8
    assert np.isfinite(names[1]["reward"]).all()


def test_an_extractor_in_a_network(names):
    assert names[2]["logits"].shape == (8, 6)
    names[2]["logits"].sum().backward()
    assert all(weight.grad is not None for weight in names[2]["extractor"].parameters())
