"""Objects from the console's memory get slots as sprites do; OCAtari runs where it is there."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sprite_obs.errors import SpriteObsError

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "agents"))

import environments  # noqa: E402
import evaluate  # noqa: E402
import ppo_settings  # noqa: E402
import ram  # noqa: E402
import train_ppo  # noqa: E402

INSTALLED = ram.ENVIRONMENT
GAME = "ALE/Pong-v5"
PONG = """
MAX_NB_OBJECTS = {"Player": 1, "Ball": 1, "Enemy": 1}
MAX_NB_OBJECTS_HUD = MAX_NB_OBJECTS | {"Score": 1}
latest = None  # as some games do: one environment must not see another's

class Thing:
    def __init__(self, category):
        self.category, self.xywh = category, (0, 0, 0, 0)
    def _save_prev(self):
        self.before = self.xywh

def _init_objects_ram(hud):
    global latest
    latest = None
    return [Thing(name) for name in (MAX_NB_OBJECTS_HUD if hud else MAX_NB_OBJECTS)]

def _detect_objects_ram(objects, memory, hud):
    global latest
    assert latest is None or latest is objects
    latest = objects
    x, enemy, player, y = (int(memory[at]) for at in (49, 50, 51, 54))
    objects[0].xywh = 140, player - 13, 4, 15
    objects[1].xywh = (x - 49, y - 14, 2, 4) if y and x > 49 else (float("nan"), 0, 0, 0)
    objects[2].xywh = 16, enemy - 15, 4, 15
    if hud:
        objects[3].xywh = 116, 1, 12, 20
"""


@pytest.fixture
def installed(tmp_path, monkeypatch) -> None:
    """Puts something that reads Pong in the place of OCAtari."""
    package = tmp_path / "site" / "ocatari" / "ram"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("print('a banner')")
    (package / "__init__.py").touch()
    (package / "pong.py").write_text(PONG)
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}/site exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / ram.STAMP).touch()
    monkeypatch.setattr(ram, "ENVIRONMENT", tmp_path)


def envs(obs: str, **settings):
    model = None if obs == "ram" else "pong"
    return environments.build_vec_env(GAME, obs, model, 8, 2, 0, **settings)


def positions(observation) -> np.ndarray:
    """Returns the places of both paddles and the ball, `(B, 3, 2)`, from left to right."""
    place = observation["position"][:, :3]
    return np.take_along_axis(place, place[:, :, :1].argsort(axis=1), axis=1)


def test_objects_of_the_memory_are_where_sprites_are(installed):
    true, learned = envs("ram"), envs("objects")
    rng, apart = np.random.default_rng(0), []
    for space in ("shape", "dtype"):
        assert [getattr(box, space) for box in true.observation_space.values()] == [
            getattr(box, space) for box in learned.observation_space.values()
        ]
    true.reset(), learned.reset()
    for _ in range(80):
        actions = rng.integers(6, size=2)
        (one, reward, *_), (other, same, *_) = true.step(actions), learned.step(actions)
        np.testing.assert_array_equal(reward, same)
        assert all(true.observation_space[key].contains(one[key][0]) for key in one)
        if one["presence"].sum() == other["presence"].sum() == 6:
            apart.append(np.abs(positions(one) - positions(other)).max(axis=(1, 2)))
    true.close(), learned.close()
    assert len(apart) > 15 and np.median(apart) <= 1


def test_only_the_display_is_left_out(installed):
    for display, types in ((False, [1, 2, 3, 0]), (True, [1, 2, 3, 4])):
        playing = envs("ram", display=display)
        playing.reset()
        for _ in range(40):
            observation, *_ = playing.step([1, 1])
            if observation["presence"][0, :3].all():
                break
        assert observation["type"][0, :4].tolist() == types
        assert observation["display"][0].sum() == display
        playing.close()


def test_an_episode_ends_with_its_own_objects_and_tracks_begin_anew(installed):
    playing = envs("ram")
    playing.reset()
    for _ in range(3000):
        observation, _, dones, infos = playing.step([0, 0])
        if dones[0]:
            break
    assert dones[0]
    last = infos[0]["terminal_observation"]
    assert last["presence"].shape == (8,) and last["presence"][0]
    assert last["track"].max() > 3, "balls were lost on the way"
    assert observation["track"][0].max() <= 3
    assert "episode" in infos[0]
    playing.close()


def test_training_and_evaluation(installed, tmp_path):
    flags = ["--obs", "ram", "--total-timesteps", "64", "--eval-every", "64", "--num-envs", "2"]
    sizes = ["--ppo.n-steps", "16", "--ppo.batch-size", "16", "--eval-episodes", "1"]
    train_ppo.train(ppo_settings.parse_args([*flags, *sizes, "--out", str(tmp_path / "run")]))
    agent, video = tmp_path / "run" / "agent.zip", tmp_path / "ram.mp4"
    result = evaluate.evaluate(evaluate.Args(str(agent), episodes=1, video=str(video)))
    assert -21 <= result["mean"] <= 21 and result["model"] is None
    assert video.exists()


def test_what_cannot_be_read_is_refused(installed, tmp_path, monkeypatch):
    with pytest.raises(SpriteObsError, match=r"games ALE/\*-v5 only, got CartPole-v1"):
        environments.build_vec_env("CartPole-v1", "ram", None, 8, 1, 0)
    with pytest.raises(SpriteObsError, match=r"cannot read boxing: FileNotFound.*another --obs"):
        environments.build_vec_env("ALE/Boxing-v5", "ram", None, 8, 1, 0)
    (tmp_path / ram.STAMP).unlink()
    with pytest.raises(SpriteObsError, match=r"unfinished; make .*truth/environment\.py"):
        envs("ram")


def test_the_worker_s_last_words_are_told(installed, tmp_path):
    flood = "import sys\nfor _ in range(9999): print('x' * 99, file=sys.stderr)\n"
    (tmp_path / "site" / "ocatari" / "ram" / "pong.py").write_text(flood + "sys.exit('no luck')")
    with pytest.raises(SpriteObsError, match=r"cannot read Pong: it ended \(no luck\); use"):
        ram.Reader("Pong", 1, display=False)


def test_rare_categories_come_first_and_display_last():
    found = [["Shot", 4, False], ["Score", 1, True], ["Enemy", 2, False], ["Player", 1, False]]
    found += [["Barrier", 2, False], ["Lives", 3, True]]
    categories = ram.Categories(found)
    assert categories.type_capacity.tolist() == [0, 1, 2, 2, 4, 1, 3]
    boxes = [[number, 10, 20, 3, 4] for number in range(6)]
    kinds = categories.detections([boxes]).type
    assert sorted(zip(kinds.tolist(), [name for name, *_ in found], strict=True)) == [
        (1, "Player"),
        (2, "Enemy"),
        (3, "Barrier"),
        (4, "Shot"),
        (5, "Score"),
        (6, "Lives"),
    ]


def test_a_reader_that_ends_says_so(installed):
    reader = ram.Reader("Pong", 1, display=False)
    assert reader.categories == [["Player", 1, False], ["Ball", 1, False], ["Enemy", 1, False]]
    reader._process.kill()
    with pytest.raises(SpriteObsError, match="cannot read Pong: it ended"):
        reader.read([(0, True, np.zeros(128, np.uint8))])


needs_ocatari = pytest.mark.skipif(
    not (INSTALLED / ".installed").is_file(),
    reason="needs OCAtari, which benchmarks/truth/environment.py installs",
)


@needs_ocatari
def test_ocatari_reads_what_the_stand_in_reads(installed, monkeypatch):
    seen = []
    for folder in (ram.ENVIRONMENT, INSTALLED):
        monkeypatch.setattr(ram, "ENVIRONMENT", folder)
        playing = envs("ram")
        playing.reset()
        seen.append([playing.step([2, 3])[0] for _ in range(60)])
        playing.close()
    first, second = ([step["position"][:, 1] for step in steps[-10:]] for steps in seen)
    np.testing.assert_allclose(first, second, atol=1)


@needs_ocatari
def test_its_environment_is_found_by_its_script():
    script = ROOT / "benchmarks" / "truth" / "environment.py"
    result = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert Path(result.stdout.strip()) == INSTALLED / "bin" / "python", result.stderr
