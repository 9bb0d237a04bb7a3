"""Every model of the zoo loads by its name, fits its game and is small."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import sprite_obs
from sprite_obs.checkpoint import COMPACT_VERSION, MODEL_FILE, load_checkpoint
from sprite_obs.cli import main
from sprite_obs.errors import CheckpointError
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.games import game_name
from sprite_obs.zoo.find import find_model, zoo_folder, zoo_names

ROOT = Path(__file__).parent.parent
MAX_SIZE = 3_000_000
LEAST_EXPLAINED = 0.99


def test_it_has_ten_games_and_more():
    assert len(zoo_names()) >= 10
    assert {"pong", "breakout", "freeway", "spaceinvaders", "seaquest"} <= set(zoo_names())


@pytest.mark.parametrize("name", zoo_names())
def test_each_model_is_small_and_explains_its_game(name):
    folder = find_model(name)
    assert sum(file.stat().st_size for file in folder.iterdir()) < MAX_SIZE
    checkpoint = load_checkpoint(name)
    assert checkpoint.env_id is not None and game_name(checkpoint.env_id) == name
    env = sprite_obs.SpriteObservation(gymnasium.make(checkpoint.env_id), name)
    env.reset(seed=7)
    env.action_space.seed(7)
    steps = [env.step(env.action_space.sample()) for _ in range(60)]
    assert all(step[0]["presence"].any() for step in steps[5:])
    assert 1 - np.mean([step[4]["sprite_error"] for step in steps]) > LEAST_EXPLAINED


def test_few_slots_are_well_used():
    """Most are for the fleet, not for explosions and digits, which are seen now and then."""
    env = gymnasium.make("SpriteObs/SpaceInvaders-v5", display=False)
    env.reset(seed=0)
    env.action_space.seed(0)
    steps = [env.step(env.action_space.sample())[0] for _ in range(100)]
    assert np.mean([step["presence"] for step in steps[40:]]) > 0.7
    assert len(np.unique(steps[-1]["type"])) >= 6


@pytest.mark.parametrize("name", zoo_names())
def test_each_model_has_a_card_that_fits_it(name):
    text = (zoo_folder() / name / "card.md").read_text()
    checkpoint = load_checkpoint(name)
    num_types = len(checkpoint.type_capacity) - 1
    assert f"| sprites, types | {len(checkpoint.sprites)}, {num_types} |" in text
    assert f"| size | {(zoo_folder() / name / MODEL_FILE).stat().st_size} bytes |" in text
    assert re.search(r"\| frames exact in every pixel \| [\d.]+ % \|", text)
    settings = json.loads((zoo_folder() / name / "model.json").read_text())
    assert settings["format_version"] == COMPACT_VERSION
    assert f"`{name}`" in (ROOT / "docs" / "zoo.md").read_text()


@pytest.mark.parametrize("text", ["pong", "Pong", "ALE/Pong-v5", "SpriteObs/Pong-v5"])
def test_names(text):
    assert find_model(text) == zoo_folder() / "pong"
    assert find_model("ms_pacman") == zoo_folder() / "mspacman"


def test_a_folder_comes_first(pong_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pong").symlink_to(pong_model)
    assert find_model("pong") == Path("pong")
    assert FrozenEncoder.load("pong").num_sprites == 3


@pytest.mark.parametrize("model", ["pogn", "models/pong", "skiing", "../pong", "", "."])
def test_what_is_neither_folder_nor_in_the_zoo(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = r"no checkpoint at .*`sprite-obs pretrain`(, or name .* zoo: .*breakout, .*pong)?"
    with pytest.raises(CheckpointError, match=expected):
        load_checkpoint(model)


def test_many_environments_of_a_name():
    envs = sprite_obs.make_sprite_vec_env("ALE/Pong-v5", "pong", num_envs=2, max_sprites=4)
    assert envs.reset(seed=0)[0]["position"].shape == (2, 4, 2)
    envs.close()


def test_commands_take_names(pong_recording, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, out = str(pong_recording), tmp_path / "figures.json"
    assert main(["evaluate", "--model", "pong", "--data", data, "--out", str(out)]) == 0
    assert json.loads(out.read_text())["exact_frames"] > 0.95
    assert main(["detect", "--model", "pong", "--data", data, "--out", "found.npz"]) == 0
    assert main(["sheet", "--model", "pong"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "figures.json",
        "found.npz",
        "pong.png",
    ]


def test_it_cannot_be_extended(pong_recording, tmp_path, capsys):
    flags = ["--data", str(pong_recording), "--out", str(tmp_path / "out"), "--extend", "pong"]
    assert main(["pretrain", *flags]) == 2
    assert "got a compact one, which cannot be extended" in capsys.readouterr().err


def test_an_agent_is_trained_on_a_name(tmp_path):
    tiny = ["--num-envs", "2", "--ppo.n-steps", "16", "--ppo.batch-size", "16"]
    steps = ["--total-timesteps", "32", "--eval-every", "0"]
    flags = ["--model", "pong", "--out", str(tmp_path), *steps, *tiny]
    script = str(ROOT / "agents" / "train_ppo.py")
    result = subprocess.run([sys.executable, script, *flags], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "agent.zip").exists()


def test_a_wheel_holds_it(tmp_path):
    build = "from setuptools import build_meta; build_meta.build_wheel({!r})"
    copy = tmp_path / "copy"
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        copy.mkdir(exist_ok=True)
        (copy / part).symlink_to(ROOT / part)
    (copy / "sprite_obs").symlink_to(ROOT / "sprite_obs")
    code = build.format(str(tmp_path))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=copy)
    assert result.returncode == 0, result.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in zoo_names():
        assert {f"sprite_obs/zoo/{name}/{file}" for file in (MODEL_FILE, "card.md")} <= set(names)
