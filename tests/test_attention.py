"""How much tiny agents attend to each slot, and the pictures of it."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import QRDQN
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from sprite_obs import SpriteExtractor
from sprite_obs.view.attention import Watched, attention_picture
from sprite_obs.view.overlay import type_colour

sys.path.insert(0, str(Path(__file__).parent.parent / "agents"))

from attention import slot_attention
from environments import build_vec_env
from evaluate import Args, fitting_env, load_agent, with_settings_of_training
from film import Film

ALGORITHMS = {"ppo": PPO, "a2c": A2C, "dqn": DQN, "qrdqn": QRDQN}
NUM_SLOTS = 6


class LooksAt(BaseFeaturesExtractor):
    """Sees nothing but where the thing in one slot is."""

    def __init__(self, space: spaces.Dict, slot: int):
        super().__init__(space, 2)
        self.slot = slot

    def forward(self, observations):
        return observations["position"][:, self.slot] / 100


class Attends(LooksAt):
    """Says itself what it attends to, also to slots that are empty."""

    def attention(self, observations):
        return torch.arange(NUM_SLOTS).repeat(len(observations["presence"]), 1) + 1.0


@pytest.fixture(scope="module")
def env(pong_model):
    """Returns one environment of Pong's sprites, in the middle of a rally."""
    return build_vec_env("ALE/Pong-v5", "sprites", str(pong_model), NUM_SLOTS, 1, seed=0)


@pytest.fixture(scope="module")
def observation(env):
    env.reset()
    for _ in range(30):
        observation = env.step([0])[0]
    assert 0 < observation["presence"].sum() < NUM_SLOTS
    return observation


def build(name, env, extractor, **kwargs):
    settings = {"features_extractor_class": extractor, "features_extractor_kwargs": kwargs}
    more = {"buffer_size": 10} if name in ("dqn", "qrdqn") else {}
    return ALGORITHMS[name](
        "MultiInputPolicy", env, policy_kwargs=settings, seed=0, device="cpu", **more
    )


def attention_of(agent, observation):
    action, _ = agent.predict(observation, deterministic=True)
    return slot_attention(agent, observation, action)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_shares_of_what_is_there(name, env, observation):
    before = {key: array.copy() for key, array in observation.items()}
    shares = attention_of(build(name, env, SpriteExtractor), observation)
    assert shares.shape == (NUM_SLOTS,) and shares.dtype == np.float32
    assert shares.sum() == pytest.approx(1)
    empty = observation["presence"][0] == 0
    assert (shares[empty] == 0).all() and (shares[~empty] > 0).all()
    for key, array in before.items():
        np.testing.assert_array_equal(array, observation[key])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_all_is_on_the_only_slot_that_counts(name, env, observation):
    for slot in np.flatnonzero(observation["presence"][0]).tolist():
        shares = attention_of(build(name, env, LooksAt, slot=slot), observation)
        np.testing.assert_allclose(shares, np.eye(NUM_SLOTS)[slot], atol=1e-4)


def test_nothing_counts_where_the_only_slot_is_empty(env, observation):
    slot = int(np.flatnonzero(observation["presence"][0] == 0)[0])
    assert (
        attention_of(build("ppo", env, LooksAt, slot=slot), observation).tolist() == [0] * NUM_SLOTS
    )


@pytest.mark.parametrize("name", ["ppo", "dqn", "qrdqn"])
def test_an_extractor_that_attends_says_to_what(name, env, observation):
    shares = attention_of(build(name, env, Attends, slot=0), observation)
    expected = np.arange(1, NUM_SLOTS + 1) * (observation["presence"][0] > 0)
    np.testing.assert_allclose(shares, expected / expected.sum(), rtol=1e-6)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_saved_agent_is_filmed(name, env, pong_model, tmp_path):
    file, video = tmp_path / "agent.zip", tmp_path / "film.mp4"
    build(name, env, SpriteExtractor).save(file)
    agent = load_agent(str(file))
    assert type(agent) is ALGORITHMS[name]
    args = Args(str(file), "ALE/Pong-v5", str(pong_model), video=str(video))
    args = with_settings_of_training(args)
    playing = fitting_env(agent, args)
    film = Film(video, agent, playing, args.model)
    observation = playing.reset()
    for _ in range(20):
        action, _ = agent.predict(observation)
        film.add(observation, action)
        observation, *_ = playing.step(action)
    film.close()
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 20
    picture = capture.read()[1]
    left, right = picture[26:656, 12:492], picture[26:656, 504:984]
    assert np.abs(left.astype(int) - right).mean() < 12, "the same scene twice"


def thing(left, attention, type=1, track=7):
    return Watched((left, 100, 8, 16), type, f"t{type}", track, attention)


def picture(*things, frame=None):
    frame = np.full((210, 160, 3), 90, np.uint8) if frame is None else frame
    return attention_picture(frame, frame, things, "a caption")


def test_the_more_attention_the_thicker_the_box():
    counts = []
    for attention in (0, 0.3, 0.6, 1):
        frame = picture(thing(70, attention))[26:656, 12:492]
        middle = frame[324]  # a row of pixels through the box
        counts.append(int((middle == type_colour(1)).all(1).sum()))
    assert counts == [2, 4, 8, 12]


def test_pixels_of_things_stay_visible():
    things = thing(40, 1.0), thing(100, 0.0, 2)
    frame = picture(*things)[26:656, 12:492]
    for left in (40, 100):
        assert (frame[300:348, 3 * left : 3 * left + 24] == 90).all()


def test_the_list_begins_with_what_gets_most():
    page = picture(thing(40, 0.2, 1), thing(80, 0.7, 2), thing(120, 0.1, 3))
    left = 2 * 480 + 3 * 12
    lengths = [
        int((page[26 + line * 30 + 20, left:] == type_colour(type_id)).all(1).sum())
        for line, type_id in enumerate((2, 1, 3))
    ]
    assert lengths == sorted(lengths, reverse=True) and lengths[0] == round(218 * 0.7)


def test_all_pictures_of_a_film_have_one_size():
    crowd = [thing(4 * number, 0.02, number, number) for number in range(1, 39)]
    assert picture().shape == picture(*crowd).shape == picture(thing(155, 1.0)).shape
    odd = picture(frame=np.zeros((63, 61, 3), np.uint8))
    assert odd.shape[0] % 2 == odd.shape[1] % 2 == 0
