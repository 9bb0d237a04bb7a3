import json
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from sprite_obs.errors import CheckpointError
from sprite_obs.registration import register_envs
from sprite_obs.wrapper import SpriteObservation

register_envs()


def test_every_atari_game_is_registered_once():
    games = {env_id.split("/")[1] for env_id in gymnasium.registry if env_id.startswith("ALE/")}
    ours = [env_id for env_id in gymnasium.registry if env_id.startswith("SpriteObs/")]
    assert len(games) > 50
    assert sorted(f"SpriteObs/{game}" for game in games) == sorted(ours)
    register_envs()
    assert ours == [env_id for env_id in gymnasium.registry if env_id.startswith("SpriteObs/")]


def test_make_gives_what_wrapping_gives(pong_model):
    made = gymnasium.make("SpriteObs/Pong-v5", model=str(pong_model), max_sprites=8, frameskip=2)
    game = gymnasium.make("ALE/Pong-v5", frameskip=2)
    wrapped = SpriteObservation(game, str(pong_model), max_sprites=8)
    assert made.observation_space == wrapped.observation_space
    results = made.reset(seed=5), wrapped.reset(seed=5)
    for action in [2, 3, 0, 2] * 20:
        for key, array in results[0][0].items():
            np.testing.assert_array_equal(array, results[1][0][key])
        assert results[0][1:] == results[1][1:]
        results = made.step(action), wrapped.step(action)


def test_joining_frames_leaves_their_skipping_to_the_wrapper(pong_model):
    settings = {"model": str(pong_model), "frameskip": 3}
    joining = gymnasium.make("SpriteObs/Pong-v5", join_frames=True, **settings)
    plain = gymnasium.make("SpriteObs/Pong-v5", **settings)
    joining.reset(seed=5), plain.reset(seed=5)
    for action in [2, 3, 0, 2] * 20:
        results = joining.step(action), plain.step(action)
        assert results[0][1:] == results[1][1:]
        assert joining.get_wrapper_attr("earlier_frame") is not None
    assert not plain.has_wrapper_attr("earlier_frame")


@pytest.mark.parametrize("join_frames", [False, True])
def test_its_spec_rebuilds_it(pong_model, join_frames):
    settings = {"model": str(pong_model), "max_sprites": 8, "join_frames": join_frames}
    env = gymnasium.make("SpriteObs/Pong-v5", **settings)
    for spec in (env.spec, EnvSpec.from_json(env.spec.to_json())):
        again = gymnasium.make(spec)
        assert again.spec == env.spec
        assert again.observation_space == env.observation_space
        assert again.has_wrapper_attr("earlier_frame") == join_frames


def test_limits_render_modes_and_vectors_work_as_usual(pong_model):
    model = str(pong_model)
    env = gymnasium.make(
        "SpriteObs/Pong-v5", 10, model=model, render_mode="rgb_array", render_sprites=True
    )
    env.reset(seed=0)
    assert [env.step(0)[3] for _ in range(10)] == [False] * 9 + [True]
    assert env.render().shape == (630, 480, 3)
    envs = gymnasium.make_vec("SpriteObs/Pong-v5", num_envs=2, model=model)
    assert envs.reset(seed=0)[0]["position"].shape == (2, 32, 2)


def test_without_a_model_it_is_the_one_of_the_zoo():
    env = gymnasium.make("SpriteObs/Pong-v5", max_sprites=8)
    same = SpriteObservation(gymnasium.make("ALE/Pong-v5"), "pong", max_sprites=8)
    assert env.observation_space == same.observation_space
    np.testing.assert_array_equal(env.reset(seed=0)[0]["type"], same.reset(seed=0)[0]["type"])


def test_a_game_that_the_zoo_lacks_needs_a_model():
    with pytest.raises(CheckpointError, match=r"at skiing; make one .* the zoo: .*pong"):
        gymnasium.make("SpriteObs/Skiing-v5")


def test_a_model_of_another_game_is_refused(pong_model):
    with pytest.raises(ValueError, match=r"ALE/Breakout-v5, got .* learned on ALE/Pong-v5"):
        gymnasium.make("SpriteObs/Breakout-v5", model=str(pong_model))


def test_importing_the_package_registers_the_games_without_loading_pytorch():
    code = (
        "import sys, json, gymnasium, sprite_obs; "
        "print(json.dumps(['torch' in sys.modules, 'SpriteObs/Pong-v5' in gymnasium.registry]))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert json.loads(result.stdout) == [False, True], result.stderr
