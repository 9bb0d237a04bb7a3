"""Games of stable-retro, on the one that comes with it; skipped without the extra."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

pytest.importorskip("stable_retro", reason="needs the extra: pip install 'sprite-obs[retro]'")

from sprite_obs.envs.make import make_env, needs_own_process
from sprite_obs.errors import SpriteObsError
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames

GAME = "Retro/Airstriker-Genesis-v0"


def test_it_is_played_without_a_window():
    with make_env(GAME) as env:
        observation, _ = env.reset(seed=0)
        assert observation.shape == env.observation_space.shape == (224, 320, 3)
        assert env.spec.id == GAME
        seen, *_ = env.step(env.action_space.sample())
        assert seen.dtype == np.uint8


def test_a_process_holds_one_at_a_time():
    assert needs_own_process(GAME) and not needs_own_process("ALE/Pong-v5")
    with make_env(GAME), pytest.raises(SpriteObsError, match="give each a process of its own"):
        make_env(GAME)
    make_env(GAME).close()


@pytest.mark.parametrize(
    ("env_id", "settings", "message"),
    [
        ("Retro/Nothing-v0", {}, "expected the id of a registered environment"),
        ("Retro/SuperMarioBros-Nes-v0", {}, "import the ROM of a game that you own"),
        (GAME, {"state": "End"}, "expected a saved state among Level1"),
        (GAME, {"frameskip": 0}, "frameskip of at least 1"),
    ],
)
def test_what_cannot_be_played_is_refused(env_id, settings, message):
    with pytest.raises(SpriteObsError, match=message):
        make_env(env_id, **settings)


def test_it_is_recorded(tmp_path):
    record(GAME, 6, tmp_path / "recording", seed=0)
    assert read_frames(tmp_path / "recording").images.shape == (6, 224, 320, 3)


def test_the_vector_maker_gives_each_a_process():
    code = f"""
        from gymnasium.vector import AutoresetMode
        from sprite_obs.vector.make import _frame_envs
        if __name__ == "__main__":
            envs = _frame_envs({GAME!r}, 2, AutoresetMode.NEXT_STEP, {{}})
            observations, _ = envs.reset(seed=0)
            observations, *_ = envs.step(envs.action_space.sample())
            print(type(envs).__name__, observations.shape)
            envs.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.split(maxsplit=1) == ["AsyncVectorEnv", "(2, 224, 320, 3)\n"], done.stderr
