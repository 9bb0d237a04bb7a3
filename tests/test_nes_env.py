"""NES games as environments, on a game of our own that is built here."""

import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from homebrew_game import DOWN, LEFT, RIGHT, write_game

import sprite_obs  # noqa: F401 - registers NES/Game-v0
from sprite_obs.envs.last_two_frames import make_last_two_frames
from sprite_obs.envs.make import make_env
from sprite_obs.errors import SpriteObsError
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames


@pytest.fixture(scope="module")
def game(tmp_path_factory) -> Path:
    return write_game(tmp_path_factory.mktemp("nes"))


def play(env: gymnasium.Env, actions: list[int], seed: int = 0) -> list[tuple]:
    """Returns what every step gave, the reset first."""
    observation, info = env.reset(seed=seed)
    seen = [(observation, 0.0, False, False, info)]
    return [*seen, *(env.step(action) for action in actions)]


def test_gymnasium_finds_nothing_to_complain_about(game, recwarn):
    env = gymnasium.make("NES/Game-v0", config=str(game), render_mode="rgb_array")
    check_env(env.unwrapped)
    env.close()
    assert [str(w.message) for w in recwarn if "gymnasium" in str(w.filename)] == []


def test_commands_name_it_by_its_file(game):
    with make_env(str(game)) as env:
        assert env.spec.id == "NES/Game-v0"
        assert env.observation_space.shape == (240, 256, 3)
        assert env.action_space == gymnasium.spaces.Discrete(9)
        assert env.unwrapped.get_action_meanings()[:3] == ["NOOP", "RIGHT", "LEFT"]
    with make_env(str(game.with_suffix(".nes"))) as env:
        assert env.action_space == gymnasium.spaces.Discrete(13)


def test_the_boot_script_passes_the_title_screen(game):
    with make_env(str(game)) as env, make_env(str(game), boot=[{"frames": 30}]) as title:
        for at, shown in ((env, True), (title, False)):
            _, info = at.reset(seed=0)
            assert (info["oam"][:, 5] > 0).any() == shown


def test_a_seed_decides_an_episode_and_others_differ(game):
    actions = [RIGHT, RIGHT, DOWN, 0, LEFT] * 3
    with make_env(str(game)) as one, make_env(str(game)) as other:
        first, again = play(one, actions, seed=5), play(one, actions, seed=5)
        elsewhere, different = play(other, actions, seed=5), play(other, actions, seed=6)
    for ours, theirs, at_other in zip(first, again, elsewhere, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[0], at_other[0])
        assert ours[1:4] == theirs[1:4] == at_other[1:4]
    assert any((a[0] != b[0]).any() for a, b in zip(first, different, strict=True))


def test_buttons_steer_and_several_consoles_live_side_by_side(game):
    with make_env(str(game)) as one, make_env(str(game)) as other:
        one.reset(seed=0), other.reset(seed=0)
        for _ in range(3):
            to_the_right, to_the_left = one.step(RIGHT)[4], other.step(LEFT)[4]
    assert to_the_right["hero_x"] - to_the_left["hero_x"] == 2 * 3 * 4 * 2  # pixels a frame


def test_multibinary_actions_hold_buttons_and_opposite_ones_cancel(game):
    settings = {"action_space": "multibinary", "buttons": ["left", "right", "down"]}
    with make_env(str(game), **settings) as env, make_env(str(game)) as discrete:
        assert env.action_space == gymnasium.spaces.MultiBinary(3)
        both = play(env, [[0, 1, 1]] * 2)[-1][4], play(env, [[1, 1, 0]] * 2)[-1][4]
        expected = play(discrete, [5] * 2)[-1][4], play(discrete, [0] * 2)[-1][4]
    for seen, wanted in zip(both, expected, strict=True):
        np.testing.assert_array_equal(seen["oam"], wanted["oam"])


def test_rewards_and_the_end_follow_the_expressions(game):
    changes = {"reward": "delta(ram[0x20])", "terminated": "ram[0x20] > 125", "idle_frames": 0}
    with make_env(str(game), **changes) as env:
        steps = play(env, [RIGHT, LEFT, 0, RIGHT, RIGHT])
    assert [step[1] for step in steps] == [0, 4, -4, 0, 4, 4]
    assert [step[2] for step in steps] == [False] * 5 + [True]


def test_an_episode_is_cut_after_max_frames(game):
    with make_env(str(game), max_frames=12) as env:
        assert [step[3] for step in play(env, [0] * 3)] == [False, False, False, True]


def test_sticky_actions_are_drawn_with_the_seed(game):
    with make_env(str(game), repeat_action_probability=0.9, idle_frames=0) as env:
        actions = [RIGHT, LEFT] * 10
        places = [[step[4]["hero_x"] for step in play(env, actions, seed=s)] for s in (1, 1, 2)]
    assert places[0] == places[1] != places[2]


def test_frames_belong_to_the_caller(game):
    with make_env(str(game), render_mode="rgb_array") as env:
        observation, _ = env.reset(seed=0)
        kept = observation.copy()
        env.step(RIGHT)
        np.testing.assert_array_equal(observation, kept)
        observation[:] = 0
        assert env.render().any()


def test_the_last_two_frames_of_a_step_can_be_joined(game):
    with make_last_two_frames(str(game)) as env, make_env(str(game)) as plain:
        joined, expected = play(env, [RIGHT] * 3), play(plain, [RIGHT] * 3)
        assert env.earlier_frame is not None
    for ours, theirs in zip(joined, expected, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        assert ours[1] == pytest.approx(theirs[1])


def test_a_spec_rebuilds_it(game):
    with make_env(str(game), frameskip=2) as env:
        spec = pickle.loads(pickle.dumps(env.spec))
        with gymnasium.make(spec) as rebuilt:
            ours, theirs = play(env, [RIGHT])[-1], play(rebuilt, [RIGHT])[-1]
    np.testing.assert_array_equal(ours[0], theirs[0])


def test_forked_processes_play_on_their_own(game):
    with make_env(str(game)) as env:
        expected = play(env, [RIGHT] * 4, seed=3)  # this process has a console already
        envs = AsyncVectorEnv(
            [lambda: make_env(str(game))] * 2,
            context="fork",
            autoreset_mode=AutoresetMode.NEXT_STEP,
        )
        try:
            envs.reset(seed=[3, 4])
            for _ in range(4):
                observations, _, _, _, infos = envs.step(np.array([RIGHT, RIGHT]))
        finally:
            envs.close()
    np.testing.assert_array_equal(observations[0], expected[-1][0])
    np.testing.assert_array_equal(infos["oam"][0], expected[-1][4]["oam"])


def test_a_console_goes_on_in_a_child(game):
    code = f"""
import hashlib, os
from sprite_obs.envs.make import make_env
env = make_env({str(game)!r})
env.reset(seed=0)
env.step(1)
child = os.fork()
digest = hashlib.sha256(env.step(2)[0].tobytes()).hexdigest()
os.write(1, (digest + chr(10)).encode())  # at once: both processes write
if child:
    os.waitpid(child, 0)
else:
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert len(done.stdout.split()) == 2, done.stderr
    assert len(set(done.stdout.split())) == 1


def test_it_is_recorded_by_its_file(game, tmp_path):
    summary = record(str(game), 12, tmp_path / "recording", seed=1)
    frames = read_frames(tmp_path / "recording")
    assert summary.num_frames == len(frames.images) == 12
    assert frames.env_id == str(game)


def write(folder: Path, text: str) -> str:
    path = folder / "game.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rom: nothing.nes", "expected a game's iNES file.*no file .*nothing.nes"),
        ("frameskip: 4", "game.yaml: expected the key rom"),
        ("rom: [a", "game.yaml is not a YAML file"),
        ("[1, 2]", "game.yaml: expected keys with values, got list"),
        (
            "rom: text.nes\nspeed: 2",
            "game.yaml: unknown key 'speed'; known keys are rom, frameskip",
        ),
        ("rom: text.nes\nframeskip: four", "game.yaml: frameskip: expected int, got 'four'"),
        ("rom: text.nes\nframeskip: 0", "game.yaml: frameskip: expected 1 or more, got 0"),
        ("rom: text.nes\nactions: [[fire]]", "game.yaml: actions: expected buttons.*got 'fire'"),
        ("rom: text.nes\nactions: []", "game.yaml: actions: expected a list"),
        (
            "rom: text.nes\naction_space: multibinary\nbuttons: [a, a]",
            "buttons: expected different buttons",
        ),
        ("rom: text.nes\nboot: [{press: [x]}]", "boot: expected buttons.*got 'x'"),
        ("rom: text.nes\nboot: [{hold: [a]}]", "boot: unknown key 'hold'"),
        ("rom: text.nes\nboot: [{frames: 0}]", "boot: frames: expected 1 or more"),
        ("rom: text.nes\nreward: score", "game.yaml: reward: expected a number"),
        ("rom: text.nes\nterminated: ram[1", r"game.yaml: terminated: expected '\]'"),
        ("rom: text.nes\ninfo: {lives: ram}", "game.yaml: info: lives: expected"),
        ("rom: text.nes\ninfo: [lives]", "info: expected a mapping"),
        ("rom: text.nes\ninfo:\n  oam: ram[1]", "info: expected names other than 'oam'"),
        ("rom: text.nes\nrepeat_action_probability: 1", "repeat_action_probability: expected"),
        ("rom: text.nes", "text.nes: expected an iNES file, which begins with.*got b'This'"),
        ("rom: strange.nes", "strange.nes: expected a cartridge that cynes emulates"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(tmp_path, text, message):
    (tmp_path / "text.nes").write_text("This is a text.")
    (tmp_path / "strange.nes").write_bytes(b"NES\x1a" + bytes([1, 1, 0xF0, 0xF0]) + bytes(40000))
    with pytest.raises(SpriteObsError, match=message) as error:
        make_env(write(tmp_path, text))
    assert "\n" not in str(error.value)


def test_without_cynes_it_says_what_to_install(game, monkeypatch):
    monkeypatch.setitem(sys.modules, "cynes", None)
    with pytest.raises(SpriteObsError, match=r"not installed; install it: pip install .*\[nes\]"):
        make_env(str(game))


def test_a_game_that_crashes_is_named(tmp_path):
    program = b"\x02" * 0x3FFA + bytes([0x00, 0xC0]) * 3  # begins with an invalid instruction
    jam = b"NES\x1a" + bytes([1, 1, 0, 0]) + bytes(8) + program + bytes(0x2000)
    (tmp_path / "jam.nes").write_bytes(jam)
    with pytest.raises(SpriteObsError, match=r"jam\.nes: the game ran into an invalid instruction"):
        make_env(str(tmp_path / "jam.nes"))
