"""Vector environments of Stable-Baselines3, and what builds the fastest ones."""

from functools import partial

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from pong_model import RIGHT_PADDLE
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor
from vector_play import (
    NUM_ENVS,
    SHORT,
    assert_equal,
    frame_envs,
    play,
    play_sb3,
    sprite_env,
    sprite_envs,
    steps_in_reset,
)

from sprite_obs.envs.last_two_frames import make_last_two_frames
from sprite_obs.envs.make import make_env
from sprite_obs.errors import SpriteObsError
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.vector.adapter import VectorAsVecEnv
from sprite_obs.vector.make import make_sb3_sprite_vec_env, make_sprite_vec_env
from sprite_obs.vector.sb3 import VecSpriteObservation
from sprite_obs.vector.wrapper import VectorSpriteObservation
from sprite_obs.wrapper import SpriteObservation


@pytest.fixture(scope="module")
def each(pong_model) -> list[tuple]:
    """What environments give that are wrapped one by one."""
    return play_sb3(DummyVecEnv(sprite_envs(pong_model)))


def wrapped(venv, model) -> VecSpriteObservation:
    return VecSpriteObservation(venv, model, max_sprites=8)


def test_everything_is_equal_to_wrapping_each_environment(each, pong_model):
    venv = wrapped(DummyVecEnv(frame_envs()), pong_model)
    at_once = play_sb3(venv)
    assert_equal(each, at_once)
    last = [info for _, _, _, infos, _ in at_once[1:] for info in infos]
    finals = [info["terminal_observation"] for info in last if "terminal_observation" in info]
    assert len(finals) >= 2 * NUM_ENVS
    assert all(final in venv.observation_space for final in finals)
    assert all(info["TimeLimit.truncated"] == ("terminal_observation" in info) for info in last)


def test_environments_in_forked_processes_give_the_same(each, pong_model):
    venv = SubprocVecEnv(frame_envs(), start_method="fork")
    assert_equal(each, play_sb3(wrapped(venv, pong_model)))


def two_frames(index: int) -> gymnasium.Env:
    return make_last_two_frames("ALE/Pong-v5", max_episode_steps=SHORT + index)


@pytest.mark.parametrize("processes", [False, True])
def test_the_last_two_frames_are_joined(processes, pong_model):
    frames = [partial(two_frames, index) for index in range(NUM_ENVS)]
    each = [partial(sprite_env, build, pong_model) for build in frames]
    venv = SubprocVecEnv(frames, start_method="fork") if processes else DummyVecEnv(frames)
    assert_equal(play_sb3(DummyVecEnv(each)), play_sb3(wrapped(venv, pong_model)))


def test_frames_are_joined_also_where_episodes_begin_and_end(pong_model):
    each = [partial(sprite_env, steps_in_reset, pong_model, any_game=True)] * 2
    venv = VecSpriteObservation(DummyVecEnv([steps_in_reset] * 2), pong_model, 8, any_game=True)
    at_once = play_sb3(venv)
    assert_equal(play_sb3(DummyVecEnv(each)), at_once)
    infos = [info for _, _, _, infos, _ in at_once[1:] for info in infos]
    finals = [info["terminal_observation"] for info in infos if "terminal_observation" in info]
    shown = [step[0]["type"] for step in at_once] + [final["type"] for final in finals]
    assert finals and all((types == RIGHT_PADDLE).any(-1).all() for types in shown)


def test_a_mix_of_environments_with_and_without_earlier_frames_is_refused(pong_model):
    with pytest.raises(ValueError, match="all environments in LastTwoFrames or none, got some"):
        wrapped(DummyVecEnv([partial(two_frames, 0), frame_envs()[0]]), pong_model)


def test_an_environment_in_a_spawned_process_gives_the_same(pong_model):
    """One is enough: each of them imports all anew."""
    venv = SubprocVecEnv(frame_envs()[:1], start_method="spawn")
    each = play_sb3(DummyVecEnv(sprite_envs(pong_model)[:1]))
    assert_equal(each, play_sb3(wrapped(venv, pong_model)))


def test_a_vector_environment_of_gymnasium_gives_the_same(each, pong_model):
    envs = SyncVectorEnv(frame_envs(), autoreset_mode=AutoresetMode.SAME_STEP)
    venv = VectorAsVecEnv(VectorSpriteObservation(envs, pong_model, max_sprites=8))
    assert_equal(each, play_sb3(venv))


class Threads(gymnasium.Wrapper):
    """Says how many threads PyTorch would use where the environment plays."""

    def num_threads(self) -> int:
        return torch.get_num_threads()


def counting(model) -> gymnasium.Env:
    torch.set_num_threads(4)
    return Threads(SpriteObservation(make_env("ALE/Pong-v5"), model))


def test_a_worker_uses_one_thread(pong_model):
    venv = SubprocVecEnv([partial(counting, pong_model)], start_method="fork")
    venv.reset()
    assert venv.env_method("num_threads") == [1]
    venv.close()


def test_the_users_own_process_keeps_its_threads(pong_model):
    before = torch.get_num_threads()
    try:
        assert counting(pong_model).num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_the_adapter_refuses_what_concerns_single_environments(pong_model):
    mode = AutoresetMode.SAME_STEP
    venv = VectorAsVecEnv(make_sprite_vec_env("ALE/Pong-v5", pong_model, 2, autoreset_mode=mode))
    with pytest.raises(AttributeError, match="cannot set 'speed' in single"):
        venv.set_attr("speed", 2)
    with pytest.raises(AttributeError, match="cannot call 'fly' of single"):
        venv.env_method("fly")
    assert venv.get_images() == [None, None], "they do not render"
    assert venv.env_is_wrapped(gymnasium.Wrapper) == [False, False]
    venv._options = [{"one": 1}, {}]
    with pytest.raises(ValueError, match="same options for all environments"):
        venv.reset()
    venv.close()


def test_render_can_draw_the_sprites(pong_model):
    build = partial(make_env, "ALE/Pong-v5", render_mode="rgb_array")
    venv = VecSpriteObservation(DummyVecEnv([build]), pong_model, render_sprites=True)
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\) before render\(\)"):
        venv.get_images()
    venv.reset()
    assert venv.render("rgb_array").shape == (630, 480, 3)
    plain = VecSpriteObservation(DummyVecEnv([build]), pong_model)
    plain.reset()
    assert plain.render("rgb_array").shape == (210, 160, 3)


def test_wrong_environments_are_refused(pong_model):
    with pytest.raises(TypeError, match=r"VecSpriteObservation expects a VecEnv .*, got TimeLimit"):
        VecSpriteObservation(make_env("ALE/Pong-v5", max_episode_steps=9), pong_model)
    breakout = DummyVecEnv([partial(make_env, "ALE/Breakout-v5")])
    with pytest.raises(ValueError, match=r"VecSpriteObservation .* got .* on ALE/Pong-v5"):
        VecSpriteObservation(breakout, pong_model)
    lake = DummyVecEnv([partial(gymnasium.make, "FrozenLake-v1")])
    with pytest.raises(TypeError, match=r"got Discrete\(16\); wrap each"):
        VecSpriteObservation(lake, pong_model)


def test_the_adapter_expects_resets_in_the_same_step():
    with pytest.raises(ValueError, match=r"mode SAME_STEP, .* got AutoresetMode\.NEXT_STEP"):
        VectorAsVecEnv(SyncVectorEnv(frame_envs()))


def test_atari_games_are_played_in_a_batch(pong_model):
    frames = 4 * SHORT
    settings = {"max_sprites": 8, "max_num_frames_per_episode": frames}
    envs = make_sprite_vec_env("ALE/Pong-v5", pong_model, NUM_ENVS, **settings)
    assert type(envs.unwrapped).__name__ == "AtariVectorEnv"
    results = play(envs)
    assert all(observation in envs.observation_space for observation, *_ in results)
    assert sum(step[3].sum() for step in results[1:]) >= 2 * NUM_ENVS
    assert_equal(
        results, play(make_sprite_vec_env("ALE/Pong-v5", pong_model, NUM_ENVS, **settings))
    )


def test_what_a_batch_cannot_do_is_done_one_by_one(pong_model):
    for settings in ({"mode": 1}, {"max_episode_steps": 9}, {"frameskip": (2, 5)}):
        envs = make_sprite_vec_env("ALE/Pong-v5", pong_model, 1, **settings)
        assert isinstance(envs.unwrapped, SyncVectorEnv)
    envs = make_sprite_vec_env(
        "ALE/Pong-v5", pong_model, 1, autoreset_mode=AutoresetMode.DISABLED, frameskip=2
    )
    assert isinstance(envs.unwrapped, SyncVectorEnv)


def test_what_is_rendered_becomes_the_observation(pong_model):
    envs = make_sprite_vec_env("ALE/Pong-v5", pong_model, 1, obs_type="ram")
    frames = make_sprite_vec_env("ALE/Pong-v5", pong_model, 1, mode=0)
    assert_equal(envs.reset(seed=0)[0], frames.reset(seed=0)[0])


def test_ppo_learns_from_the_fastest_environments(pong_model):
    venv = make_sb3_sprite_vec_env(
        "ALE/Pong-v5", pong_model, 2, 8, seed=0, max_num_frames_per_episode=4 * SHORT
    )
    policy = {"features_extractor_class": SpriteExtractor}
    few = {"n_steps": 2 * SHORT, "batch_size": SHORT, "n_epochs": 1, "policy_kwargs": policy}
    agent = PPO("MultiInputPolicy", VecMonitor(venv), device="cpu", **few)
    agent.learn(4 * SHORT)
    assert [episode["l"] for episode in agent.ep_info_buffer] == [SHORT] * 4
    assert np.isfinite([episode["r"] for episode in agent.ep_info_buffer]).all()


def test_environments_that_do_not_exist_are_refused(pong_model):
    with pytest.raises(ValueError, match="num_envs of at least 1, got 0"):
        make_sprite_vec_env("ALE/Pong-v5", pong_model, 0)
    with pytest.raises(SpriteObsError, match=r"registered environment .* 'ALE/Ping-v5'"):
        make_sprite_vec_env("ALE/Ping-v5", pong_model, 1)
    with pytest.raises(ValueError, match=r"ALE/Breakout-v5, got .* learned on ALE/Pong-v5"):
        make_sb3_sprite_vec_env("ALE/Breakout-v5", pong_model, 1)
