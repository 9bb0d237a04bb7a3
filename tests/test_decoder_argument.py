"""`decoder` and `device`, in all that builds sprite environments."""

from functools import partial

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv

import sprite_obs
from sprite_obs.envs.make import make_env
from sprite_obs.errors import CheckpointError, DeviceError
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.registration import register_envs
from sprite_obs.vector.make import make_sb3_sprite_vec_env, make_sprite_vec_env
from sprite_obs.vector.sb3 import VecSpriteObservation
from sprite_obs.vector.wrapper import VectorSpriteObservation
from sprite_obs.wrapper import SpriteObservation

register_envs()
PONG = "ALE/Pong-v5"
GAMES = [partial(make_env, PONG)] * 2


def over_vector_env(model, **settings):
    return VectorSpriteObservation(SyncVectorEnv(GAMES), model, **settings)


def over_vec_env(model, **settings):
    return VecSpriteObservation(DummyVecEnv(GAMES), model, **settings)


MAKERS = {
    "SpriteObservation": lambda model, **more: SpriteObservation(GAMES[0](), model, **more),
    "VectorSpriteObservation": over_vector_env,
    "VecSpriteObservation": over_vec_env,
    "make_sprite_vec_env": lambda model, **more: make_sprite_vec_env(PONG, model, 2, **more),
    "make_sb3_sprite_vec_env": lambda model, **more: make_sb3_sprite_vec_env(
        PONG, model, 2, **more
    ),
    "SpriteObs/Pong-v5": lambda model, **more: gymnasium.make(
        "SpriteObs/Pong-v5", model=str(model), **more
    ),
}


@pytest.fixture(params=MAKERS, scope="module")
def make(request):
    return MAKERS[request.param]


@pytest.fixture
def loaded(monkeypatch) -> list[FrozenEncoder]:
    """Returns the encoders that were loaded so far."""
    encoders: list[FrozenEncoder] = []
    load = FrozenEncoder.load

    def keep(*args, **kwargs):
        encoders.append(load(*args, **kwargs))
        return encoders[-1]

    monkeypatch.setattr(FrozenEncoder, "load", keep)
    return encoders


@pytest.mark.parametrize("decoder", ["lookup", "network", "both"])
def test_the_decoder_that_was_asked_for_answers(make, decoder, pong_model, loaded):
    env = make(pong_model, decoder=decoder, device="cpu")
    env.reset()
    env.close()
    assert [encoder.decoder for encoder in loaded] == [decoder]
    assert decoder != "network" or loaded[0].network.device == torch.device("cpu")


def test_without_a_word_the_model_chooses(make, pong_model, loaded):
    make(pong_model).close()
    [encoder] = loaded
    assert encoder.decoder == "lookup"
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert encoder.network.device == torch.device(expected)


def test_unknown_ones_are_refused(make, pong_model):
    with pytest.raises(CheckpointError, match="unknown decoder 'best'; expected lookup, network"):
        make(pong_model, decoder="best")
    with pytest.raises(DeviceError, match="unknown device 'tpu'; expected cpu, cuda or auto"):
        make(pong_model, device="tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_gpu_that_is_not_there_is_refused(make, pong_model):
    with pytest.raises(DeviceError, match="this machine has none; use cpu or auto"):
        make(pong_model, device="cuda")


def test_the_spec_keeps_them(pong_model):
    settings = {"decoder": "network", "device": "cpu"}
    env = gymnasium.make("SpriteObs/Pong-v5", model=str(pong_model), **settings)
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.get_wrapper_attr("_encoder").decoder == "network"
    wrapped = sprite_obs.SpriteObservation(GAMES[0](), pong_model, **settings)
    kwargs = wrapped.spec.additional_wrappers[-1].kwargs
    assert (kwargs["decoder"], kwargs["device"]) == ("network", "cpu")


def test_many_environments_see_by_the_network_what_single_ones_see(tiny_model):
    settings = {"decoder": "network", "device": "cpu", "level": "sprite"}
    envs = VectorSpriteObservation(SyncVectorEnv(GAMES), tiny_model, **settings)
    singles = [SpriteObservation(game(), tiny_model, **settings) for game in GAMES]
    observations, _ = envs.reset(seed=3)
    alone = [env.reset(seed=3 + n)[0] for n, env in enumerate(singles)]
    for action in [0, 2, 3, 2, 0, 3, 3, 1]:
        for key, array in observations.items():
            np.testing.assert_array_equal(array, np.stack([each[key] for each in alone]), key)
        observations = envs.step(np.array([action, action]))[0]
        alone = [env.step(action)[0] for env in singles]
    assert observations["presence"].any()
