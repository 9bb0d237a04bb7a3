import copy
import itertools
import json
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from pong_model import (
    LEFT_PADDLE,
    RIGHT_PADDLE,
)
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from sprite_obs.detections import Sight
from sprite_obs.envs.make import make_env
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.wrapper import SpriteObservation


@pytest.fixture
def pong(pong_model) -> gymnasium.Env:
    return SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=8)


def play(env: gymnasium.Env, steps: int = 150, seed: int = 3) -> list:
    """Returns what reset and the steps returned, with the same actions for the same seed."""
    rng = np.random.default_rng(seed)
    results = [env.reset(seed=seed)]
    for _ in range(steps):
        results.append(env.step(rng.integers(6)))
        if results[-1][2] or results[-1][3]:
            results.append(env.reset())
    return results


def assert_same_observations(one: list, other: list) -> None:
    for (first, *_), (second, *_) in zip(one, other, strict=True):
        assert first.keys() == second.keys()
        for key in first:
            np.testing.assert_array_equal(first[key], second[key], err_msg=key)


def test_observations_lie_in_the_declared_space(pong):
    for observation, *_ in play(pong, steps=300):
        assert observation in pong.observation_space
        for key, array in observation.items():
            assert array.dtype == pong.observation_space[key].dtype, key
            assert array.shape == pong.observation_space[key].shape, key


def test_the_space_is_the_documented_one(pong):
    space = pong.observation_space
    assert {key: (box.shape, box.dtype.name) for key, box in space.items()} == {
        "sprite": ((8,), "int32"),
        "type": ((8,), "int32"),
        "layer": ((8,), "int32"),
        "track": ((8,), "int32"),
        "object": ((8,), "int32"),
        "display": ((8,), "int8"),
        "position": ((8, 2), "float32"),
        "velocity": ((8, 2), "float32"),
        "presence": ((8,), "int8"),
    }
    assert space["sprite"].high.max() == 3
    assert space["position"].high[0].tolist() == [160, 210]
    assert space["velocity"].low[0].tolist() == [-160, -210]


def test_slots_show_what_the_encoder_found(pong, pong_model):
    encoder = FrozenEncoder.load(pong_model)
    bare_results = play(pong.env)
    seen = set()
    for (observation, *_), (frame, *_) in zip(play(pong), bare_results, strict=True):
        found = encoder.encode(frame)
        shown = observation["presence"] == 1
        assert set(observation["sprite"][shown]) == set(found.sprite[found.sprite > 0])
        for sprite in (LEFT_PADDLE, RIGHT_PADDLE):  # capacities of 1: id and slot go together
            if (found.sprite == sprite).sum() == 1:
                place = found.centre[found.sprite == sprite][0]
                np.testing.assert_array_equal(observation["position"][sprite - 1], place)
                seen.add(sprite)
        for array in observation.values():
            assert not array[~shown].any()
    assert seen == {LEFT_PADDLE, RIGHT_PADDLE}


def test_sprites_that_reach_beyond_the_frame_stay_in_the_space(pong, monkeypatch):
    def look(frame: np.ndarray) -> Sight:
        box = [(-5, 20, 4, 4), (158, 207, 8, 8), (2, -1, 4, 16)]
        table = np.array([(n, 0, *place) for n, place in enumerate(box, 1)], np.int32)
        return Sight(np.zeros(3, np.int32), table, np.zeros(1, np.float32))

    monkeypatch.setattr(pong._encoder, "look", look)
    observation, _ = pong.reset()
    assert observation in pong.observation_space
    assert observation["position"][:3].tolist() == [[0, 22], [160, 210], [4, 7]]


def test_velocity_is_the_change_of_position_of_a_thing_that_stays(pong):
    results = [observation for observation, *_ in play(pong)]
    num_moving = 0
    for before, after in itertools.pairwise(results):
        stays = (before["track"] == after["track"]) & (after["presence"] == 1)
        change = after["position"] - before["position"]
        np.testing.assert_array_equal(after["velocity"][stays], change[stays])
        num_moving += change[stays].any(1).sum()
    assert num_moving > 50


def test_a_thing_has_one_track_from_first_to_last(pong):
    paddle = RIGHT_PADDLE - 1  # slots are in the order of types here
    tracks = [observation["track"][paddle] for observation, *_ in play(pong)]
    assert len(set(tracks) - {0}) == 1
    assert np.count_nonzero(tracks) > 100


def test_tracks_begin_anew_in_each_episode(pong):
    first, second = play(pong), play(pong)
    assert max(observation["track"].max() for observation, *_ in first) > 2
    assert_same_observations(first, second)


def test_the_error_is_the_share_of_pixels_that_rebuilding_gets_wrong(pong, pong_model):
    encoder, bare, errors = FrozenEncoder.load(pong_model), make_env("ALE/Pong-v5"), []
    for (_, *_, info), (frame, *_) in zip(play(pong), play(bare), strict=True):
        wrong = (encoder.rebuild(frame[None])[0] != frame).any(2).mean()
        assert info["sprite_error"] == pytest.approx(wrong, abs=1e-6)
        assert type(info["sprite_error"]) is float
        errors.append(wrong)
    assert errors[0] > 0.9, "the first frame has colours that the model never saw"
    assert all(0 < error < 0.05 for error in errors[1:]), "the score is not in the dictionary"


def test_a_game_that_the_model_does_not_know_shows_in_the_error(pong_model):
    env = SpriteObservation(make_env("ALE/Breakout-v5"), pong_model, any_game=True)
    _, info = env.reset(seed=0)
    assert info["sprite_error"] > 0.2


def test_reset_empties_the_slots(pong):
    play(pong)
    observation, _ = pong.reset(seed=3)
    assert not observation["velocity"].any()
    assert_same_observations([(observation,)], play(pong, steps=0))


def test_rewards_flags_and_other_infos_are_those_of_the_bare_environment(pong_model):
    bare = gymnasium.make("ALE/Pong-v5", frameskip=16)
    wrapped = SpriteObservation(gymnasium.make("ALE/Pong-v5", frameskip=16), pong_model)
    bare_results, results = play(bare, steps=600), play(wrapped, steps=600)
    assert all(0 <= rest[-1].pop("sprite_error") <= 1 for _, *rest in results)
    assert [rest for _, *rest in results] == [rest for _, *rest in bare_results]
    assert any(rest[0] for _, *rest in results if len(rest) == 4)
    assert any(rest[1] for _, *rest in results if len(rest) == 4)


def test_the_same_seed_gives_the_same_observations(pong, pong_model):
    first = play(pong)
    assert_same_observations(first, play(pong))
    assert_same_observations(
        first, play(SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=8))
    )


def test_few_slots_go_to_the_first_types(pong_model):
    env = SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=2)
    for observation, *_ in play(env):
        assert observation["type"].shape == (2,)
        assert observation["type"][0] in (0, 1) and observation["type"][1] in (0, 2)


def test_gymnasium_and_sb3_accept_the_environment(pong):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version")
        check_env(pong, skip_render_check=True)
    sb3_check_env(pong, warn=False)


def test_frames_come_from_render_where_the_observation_shows_none(pong, pong_model):
    ram = gymnasium.make("ALE/Pong-v5", obs_type="ram", render_mode="rgb_array")
    env = SpriteObservation(ram, pong_model, max_sprites=8)
    assert_same_observations(play(pong), play(env))


def test_spec_rebuilds_the_stack(pong, pong_model):
    specs = [pong.spec, EnvSpec.from_json(pong.spec.to_json())]
    assert json.loads(pong.spec.to_json())["additional_wrappers"][-1]["kwargs"] == {
        "model": str(pong_model),
        "max_sprites": 8,
        "any_game": False,
        "render_sprites": False,
        "level": "object",
        "display": True,
        "flatten": False,
        "decoder": None,
        "device": "auto",
    }
    for spec in specs:
        again = gymnasium.make(spec)
        assert again.spec == pong.spec
        assert_same_observations(play(pong), play(again))


def test_a_path_and_a_numpy_integer_are_recorded_as_plain_values(pong_model):
    env = SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=np.int64(4))
    assert EnvSpec.from_json(env.spec.to_json()) == env.spec


def test_it_can_be_an_additional_wrapper_of_a_spec(pong, pong_model):
    spec = copy.deepcopy(gymnasium.spec("ALE/Pong-v5"))
    spec.additional_wrappers = (
        SpriteObservation.wrapper_spec(model=str(pong_model), max_sprites=8),
    )
    assert_same_observations(play(pong), play(gymnasium.make(spec)))


def test_pickling_keeps_the_observations(pong):
    expected = play(pong)
    assert_same_observations(expected, play(pickle.loads(pickle.dumps(pong))))


def test_render_passes_through(pong_model):
    env = SpriteObservation(make_env("ALE/Pong-v5", render_mode="rgb_array"), pong_model)
    env.reset(seed=0)
    np.testing.assert_array_equal(env.render(), env.unwrapped.ale.getScreenRGB())


def test_render_can_draw_the_sprites(pong_model):
    game = make_env("ALE/Pong-v5", render_mode="rgb_array")
    env = SpriteObservation(game, pong_model, render_sprites=True)
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\) before render\(\)"):
        env.render()
    play(env, steps=100)
    picture = env.render()
    plain = game.render().repeat(3, 0).repeat(3, 1)
    assert picture.shape == plain.shape == (630, 480, 3) and picture.dtype == np.uint8
    assert 0 < (picture != plain).any(2).mean() < 0.1
