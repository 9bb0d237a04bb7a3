import copy
import itertools
import json
import pickle
import warnings

import fake_frame_env
import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from pong_model import (
    BACKGROUND,
    BALL,
    GREEN,
    LEFT_PADDLE,
    ORANGE,
    RIGHT_PADDLE,
    WHITE,
    save_pong_model,
)
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from sprite_obs.checkpoint import load_checkpoint, save_checkpoint
from sprite_obs.detections import Detections
from sprite_obs.envs.make import make_env
from sprite_obs.errors import CheckpointError
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.games import game_name
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
    def explain(frame: np.ndarray) -> tuple[Detections, np.ndarray]:
        ids = np.array([1, 2, 3], np.int32)
        box = np.array([(-5, 20, 4, 4), (158, 207, 8, 8), (2, -1, 4, 16)], np.int32)
        found = Detections.separate(ids * 0, ids, ids, ids * 0, box, ids.astype(np.float32))
        return found, np.zeros(1, np.float32)

    monkeypatch.setattr(pong._encoder, "explain", explain)
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


@pytest.mark.parametrize(
    ("env_id", "game"),
    [
        ("ALE/Pong-v5", "pong"),
        ("SpriteObs/Pong-v5", "pong"),
        ("PongNoFrameskip-v4", "pong"),
        ("Pong-ramDeterministic-v0", "pong"),
        ("Pong", "pong"),
        ("ALE/MsPacman-v5", "mspacman"),
        ("my.games/Ping-Pong-v0", "ping-pong"),
    ],
)
def test_game_name(env_id, game):
    assert game_name(env_id) == game


@pytest.mark.parametrize("env_id", ["PongNoFrameskip-v4", "Pong-v0"])
def test_a_model_fits_every_version_of_its_game(env_id, pong_model):
    SpriteObservation(make_env(env_id), pong_model)


def test_a_model_of_another_game_is_refused_unless_asked_for(pong_model):
    breakout = make_env("ALE/Breakout-v5")
    message = r"game ALE/Breakout-v5, got .*, which was learned on ALE/Pong-v5; .*any_game=True"
    with pytest.raises(ValueError, match=message):
        SpriteObservation(breakout, pong_model)
    observation, _ = SpriteObservation(breakout, pong_model, any_game=True).reset()
    assert observation["presence"].shape == (32,)


def test_a_model_of_unknown_origin_fits_every_game(tmp_path):
    SpriteObservation(make_env("ALE/Breakout-v5"), save_pong_model(tmp_path, env_id=None))


def test_an_environment_is_expected(pong_model):
    with pytest.raises(TypeError, match=r"SpriteObservation expects a gymnasium\.Env, got str"):
        SpriteObservation("ALE/Pong-v5", pong_model)


def test_frames_of_the_models_size_are_expected(pong_model):
    gray = gymnasium.make("ALE/Pong-v5", obs_type="grayscale")
    with pytest.raises(ValueError, match=r"uint8 Box of shape \(210, 160, 3\).*got Box\(0, 255"):
        SpriteObservation(gray, pong_model)


def test_a_space_without_frames_is_refused(pong_model):
    with pytest.raises(TypeError, match=r"got Discrete\(16\) and render_mode=None; make the env"):
        SpriteObservation(gymnasium.make("FrozenLake-v1"), pong_model, any_game=True)


def test_a_rendered_frame_of_another_size_is_refused(pong_model):
    small = gymnasium.make("FakeRenders-v0", render_mode="rgb_array")
    env = SpriteObservation(small, pong_model, any_game=True)
    with pytest.raises(ValueError, match=r"shape \(210, 160, 3\).*got uint8 \(8, 6, 3\)"):
        env.reset()


class Balancing(fake_frame_env.FakeFrameEnv):
    """The right paddle carries the ball on its tip for 20 steps; the left one stands in the score.

    It moves down one pixel a step; then the ball is 30 pixels ahead of it.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self):
        super().__init__(observes=True, size=BACKGROUND.shape)

    def _observation(self) -> np.ndarray:
        self.frame[:] = BACKGROUND
        top, ball = 60 + self.num_steps, (54 if self.num_steps < 20 else 90) + self.num_steps
        self.frame[top : top + 16, 140:144] = GREEN
        self.frame[ball : ball + 4, 141:143] = WHITE
        self.frame[5:21, 16:20] = ORANGE
        return self.frame


@pytest.fixture(scope="module")
def balancing_model(tmp_path_factory):
    """Returns a model that knows the ball on the tip as part of the paddle, and the score."""
    folder = save_pong_model(tmp_path_factory.mktemp("balancing"), env_id=None)
    checkpoint = load_checkpoint(folder)
    tables = checkpoint.tables._replace(
        links=np.array([[BALL, RIGHT_PADDLE, -1, 6]], np.int32),
        playfield=np.array([0, 34, 160, 194], np.int32),
    )
    save_checkpoint(folder, checkpoint._replace(tables=tables))
    return folder


def watch(model, steps: int, **settings) -> list[dict[str, np.ndarray]]:
    """Returns the observations of `Balancing`, from reset on."""
    env = SpriteObservation(Balancing(), model, max_sprites=4, **settings)
    observations = [env.reset(seed=0)[0], *(env.step(0)[0] for _ in range(steps))]
    assert all(observation in env.observation_space for observation in observations)
    return observations


def sprites(observation: dict[str, np.ndarray]) -> list[int]:
    return observation["sprite"][observation["presence"] == 1].tolist()


def test_fragments_of_one_object_share_a_slot(balancing_model):
    observations = watch(balancing_model, 19)
    for n, observation in enumerate(observations):
        assert sprites(observation) == [RIGHT_PADDLE, LEFT_PADDLE]
        row = observation["sprite"].tolist().index(RIGHT_PADDLE)
        assert observation["position"][row].tolist() == [142, 54 + n + 11], "ball and paddle"
        assert observation["type"][row] == RIGHT_PADDLE
        np.testing.assert_array_equal(observation["object"], observation["track"])


def test_an_object_that_comes_apart_is_two(balancing_model):
    observation = watch(balancing_model, 21)[-1]
    assert sprites(observation) == [BALL, RIGHT_PADDLE, LEFT_PADDLE]
    np.testing.assert_array_equal(observation["object"], observation["track"])


def test_at_the_level_of_sprites_each_has_a_slot_and_knows_its_object(balancing_model):
    observations = watch(balancing_model, 21, level="sprite")
    for n, observation in enumerate(observations):
        assert sprites(observation) == [BALL, RIGHT_PADDLE, LEFT_PADDLE]
        ball, paddle, other = range(3)
        assert observation["position"][paddle].tolist() == [142, 68 + n]
        number, track = observation["object"], observation["track"]
        together = n < 20
        assert (number[ball] == number[paddle]) == together
        assert number[paddle] == track[paddle] and number[other] == track[other]
        assert len(set(track[:3].tolist())) == 3
    np.testing.assert_array_equal(observations[0]["track"], observations[-1]["track"])


@pytest.mark.parametrize("level", ["object", "sprite"])
def test_what_belongs_to_the_display_is_marked(balancing_model, level):
    for observation in watch(balancing_model, 5, level=level):
        marked = observation["sprite"][observation["display"] == 1]
        assert marked.tolist() == [LEFT_PADDLE]


@pytest.mark.parametrize("level", ["object", "sprite"])
def test_the_display_can_be_left_out(balancing_model, level):
    for n, observation in enumerate(watch(balancing_model, 21, level=level, display=False)):
        apart = level == "sprite" or n >= 20
        assert sprites(observation) == ([BALL] if apart else []) + [RIGHT_PADDLE]
        assert not observation["display"].any()


def test_an_unknown_level_is_refused(pong_model):
    with pytest.raises(ValueError, match="expects level 'object' or 'sprite', got 'frame'"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, level="frame")


@pytest.mark.parametrize("value", ["8", 8.0, True])
def test_max_sprites_must_be_an_int(value, pong_model):
    with pytest.raises(TypeError, match="max_sprites to be an int, got"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=value)


def test_a_slot_is_needed(pong_model):
    with pytest.raises(ValueError, match="max_sprites of at least 1, got 0"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, max_sprites=0)


def test_drawing_sprites_needs_rgb_arrays(pong_model):
    with pytest.raises(ValueError, match="render_mode='rgb_array', got render_mode=None"):
        SpriteObservation(make_env("ALE/Pong-v5"), pong_model, render_sprites=True)


def test_a_missing_model_is_named():
    with pytest.raises(CheckpointError, match="models/missing"):
        SpriteObservation(make_env("ALE/Pong-v5"), "models/missing")
