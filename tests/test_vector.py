"""Vector environments of Gymnasium: what `SpriteObservation` gives in each, in one pass."""

import pickle
from functools import partial

import ale_py
import fake_frame_env  # noqa: F401, registers the environments
import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from pong_model import RIGHT_PADDLE
from vector_play import (
    NUM_ENVS,
    SHORT,
    assert_equal,
    frame_envs,
    play,
    sprite_env,
    sprite_envs,
    steps_in_reset,
)

from sprite_obs.envs.last_two_frames import LastTwoFrames
from sprite_obs.vector.wrapper import VectorSpriteObservation
from sprite_obs.wrapper import SpriteObservation

MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
ATARI = {"img_height": 210, "img_width": 160, "grayscale": False, "maxpool": False, "stack_num": 1}
PLAIN = {"noop_max": 0, "reward_clipping": False, "use_fire_reset": False}


def over_sync(model, mode=AutoresetMode.NEXT_STEP, **settings) -> VectorSpriteObservation:
    envs = SyncVectorEnv(frame_envs(), autoreset_mode=mode)
    return VectorSpriteObservation(envs, model, max_sprites=8, **settings)


def atari_envs(num_envs: int = NUM_ENVS, **settings) -> ale_py.AtariVectorEnv:
    return ale_py.AtariVectorEnv(
        "pong", num_envs, num_threads=1, max_num_frames_per_episode=4 * SHORT, **ATARI | settings
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("settings", [{}, {"level": "sprite", "display": False}])
def test_everything_is_equal_to_wrapping_each_environment(mode, settings, pong_model):
    each = play(SyncVectorEnv(sprite_envs(pong_model, **settings), autoreset_mode=mode))
    at_once = play(over_sync(pong_model, mode, **settings))
    assert_equal(each, at_once)
    ends = [terminated | truncated for _, _, terminated, truncated, _ in at_once[1:]]
    assert any(0 < end.sum() < NUM_ENVS for end in ends), "episodes end one by one"
    assert max(observation["track"].max() for observation, *_ in at_once) > 2
    assert any("final_obs" in infos for *_, infos in at_once) == (mode == AutoresetMode.SAME_STEP)


def test_environments_in_processes_give_the_same(pong_model):
    mode = AutoresetMode.SAME_STEP
    envs = AsyncVectorEnv(frame_envs(), autoreset_mode=mode)
    at_once = play(VectorSpriteObservation(envs, pong_model, max_sprites=8))
    assert_equal(play(over_sync(pong_model, mode)), at_once)


@pytest.mark.parametrize("mode", MODES)
def test_observations_lie_in_the_declared_spaces(mode, pong_model):
    envs = over_sync(pong_model, mode)
    assert envs.observation_space["position"].shape == (NUM_ENVS, 8, 2)
    for observation, *_, infos in play(envs):
        assert observation in envs.observation_space
        for final in infos.get("final_obs", []):
            assert final is None or final in envs.single_observation_space


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_of_atari_games_is_read_as_its_frames_are(mode, pong_model):
    """The frames of each game, one after the other, through a wrapper of its own."""
    frames, at_once = (
        play(envs)
        for envs in (
            atari_envs(autoreset_mode=mode),
            VectorSpriteObservation(atari_envs(autoreset_mode=mode), pong_model, max_sprites=8),
        )
    )
    for env in range(NUM_ENVS):
        single, begins = SpriteObservation(Film(), pong_model, max_sprites=8), True
        for (batch, *flags, infos), (observation, *_, seen) in zip(frames, at_once, strict=True):
            ended = bool(flags) and bool(flags[1][env] | flags[2][env])
            if ended and mode == AutoresetMode.SAME_STEP:
                final, info = shown(single, infos["final_obs"][env, 0], False)
                assert_equal(final, seen["final_obs"][env])
                assert info["sprite_error"] == seen["final_info"]["sprite_error"][env]
                begins = True
            expected, info = shown(single, batch[env, 0], begins)
            assert_equal(expected, {key: rows[env] for key, rows in observation.items()})
            assert info["sprite_error"] == seen["sprite_error"][env]
            begins = ended and mode == AutoresetMode.NEXT_STEP
    assert sum(flags[2].sum() for _, *flags, _ in at_once[1:]) >= 2 * NUM_ENVS


class Film(gymnasium.Env):
    """Shows the frames that it is given as actions."""

    observation_space = gymnasium.spaces.Box(0, 255, (210, 160, 3), np.uint8)
    action_space = observation_space

    def reset(self, *, seed=None, options=None):
        return options["frame"], {}

    def step(self, action):
        return action, 0.0, False, False, {}


def shown(env: gymnasium.Env, frame: np.ndarray, begins: bool) -> tuple[dict, dict]:
    results = env.reset(options={"frame": frame}) if begins else env.step(frame)
    return results[0], results[-1]


def test_the_first_episode_of_a_batch_is_that_of_the_registered_game(pong_model):
    """With ALE's own seeds, which `gymnasium.make` draws from those that it is given."""
    drawn = [int(np.random.SeedSequence(n).generate_state(2)[1].astype(np.int32)) for n in (1, 4)]
    assert min(drawn) > 0, "a negative one would stand for any seed"
    batch = atari_envs(2, repeat_action_probability=0.25, **PLAIN)
    envs = VectorSpriteObservation(batch, pong_model, max_sprites=8)
    singles = [
        SpriteObservation(gymnasium.make("ALE/Pong-v5"), pong_model, max_sprites=8)
        for _ in range(2)
    ]
    observation, _ = envs.reset(seed=np.array(drawn))
    rows = [env.reset(seed=n)[0] for env, n in zip(singles, (1, 4), strict=True)]
    for step in range(SHORT - 1):
        for env in range(2):
            assert_equal(rows[env], {key: column[env] for key, column in observation.items()})
        action = 2 + step % 2
        observation, *_ = envs.step(np.array([action, action]))
        rows = [env.step(action)[0] for env in singles]


def test_masks_reset_some_environments_only(pong_model):
    envs = over_sync(pong_model, AutoresetMode.DISABLED)
    first, _ = envs.reset(seed=0)
    for _ in range(SHORT - 1):
        before, *_ = envs.step(np.full(NUM_ENVS, 3))
    mask = np.array([False, True, False])
    after, infos = envs.reset(seed=0, options={"reset_mask": mask})
    assert infos["_sprite_error"].tolist() == mask.tolist()
    for key, rows in after.items():
        np.testing.assert_array_equal(rows[~mask], before[key][~mask])
        np.testing.assert_array_equal(rows[mask], first[key][mask])
    assert before["track"][1].any() and not after["track"][1].any()
    mask[:] = [True, False, True]  # of which the first one's episode has ended
    envs.reset(options={"reset_mask": mask})
    later, *_ = envs.step(np.full(NUM_ENVS, 3))
    assert later in envs.observation_space


def test_all_environments_are_reset_before_some(pong_model):
    mask = np.array([False, True, False])
    with pytest.raises(gymnasium.error.ResetNeeded, match="all environments before some"):
        over_sync(pong_model).reset(options={"reset_mask": mask})


def test_what_it_returned_is_not_written_into_again(pong_model):
    envs = over_sync(pong_model)
    results = [envs.reset(seed=0)[0]]
    kept = [pickle.dumps(results[0])]
    for _ in range(SHORT - 2):
        results.append(envs.step(np.full(NUM_ENVS, 3))[0])
        kept.append(pickle.dumps(results[-1]))
    assert [pickle.dumps(observation) for observation in results] == kept
    for array in results[-1].values():
        array[:] = 0  # nor is it read again
    assert envs.step(np.full(NUM_ENVS, 3))[0]["track"].any()


def test_pickling_keeps_the_observations(pong_model):
    envs = over_sync(pong_model)
    assert_equal(play(pickle.loads(pickle.dumps(envs))), play(envs))


def flickering() -> gymnasium.Env:
    return LastTwoFrames(gymnasium.make("FakeFlickers-v0"), 3)


def test_the_last_two_frames_are_joined(pong_model):
    each = [lambda: SpriteObservation(flickering(), pong_model, 8, any_game=True)] * NUM_ENVS
    envs = SyncVectorEnv([flickering] * NUM_ENVS)
    envs = VectorSpriteObservation(envs, pong_model, 8, any_game=True)
    assert_equal(play(SyncVectorEnv(each)), play(envs))


@pytest.mark.parametrize("mode", MODES)
def test_frames_are_joined_also_where_episodes_begin_and_end(mode, pong_model):
    each = [partial(sprite_env, steps_in_reset, pong_model, any_game=True)] * 2
    envs = SyncVectorEnv([steps_in_reset] * 2, autoreset_mode=mode)
    envs = VectorSpriteObservation(envs, pong_model, 8, any_game=True)
    at_once = play(envs)
    assert_equal(play(SyncVectorEnv(each, autoreset_mode=mode)), at_once)
    finals = [last for *_, infos in at_once for last in infos.get("final_obs", ())]
    assert bool(finals) == (mode == AutoresetMode.SAME_STEP)
    shown = [observation["type"] for observation, *_ in at_once] + [f["type"] for f in finals if f]
    assert all((types == RIGHT_PADDLE).any(-1).all() for types in shown)


def test_frames_are_joined_also_below_other_wrappers(pong_model):
    below = RecordEpisodeStatistics(SyncVectorEnv([flickering] * NUM_ENVS))
    above = SyncVectorEnv([flickering] * NUM_ENVS)
    one, other = (VectorSpriteObservation(e, pong_model, 8, any_game=True) for e in (below, above))
    for (arrays, *_), (expected, *_) in zip(play(one), play(other), strict=True):
        assert_equal(arrays, expected)


def test_a_mix_of_environments_with_and_without_earlier_frames_is_refused(pong_model):
    envs = SyncVectorEnv([flickering, lambda: gymnasium.make("FakeFlickers-v0")])
    with pytest.raises(
        ValueError, match=r"either all environments in LastTwoFrames or none, got 1"
    ):
        VectorSpriteObservation(envs, pong_model, any_game=True)


def test_render_can_draw_the_sprites(pong_model):
    envs = over_sync(pong_model, render_sprites=True)
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\) before render\(\)"):
        envs.render()
    envs.reset(seed=0)
    pictures = envs.render()
    assert len(pictures) == NUM_ENVS
    assert all(picture.shape == (630, 480, 3) for picture in pictures)


def test_a_vector_environment_is_expected(pong_model):
    with pytest.raises(TypeError, match=r"VectorSpriteObservation expects .*VectorEnv, got Time"):
        VectorSpriteObservation(gymnasium.make("ALE/Pong-v5", 9), pong_model)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"max_sprites": 0}, ValueError, "VectorSpriteObservation expects max_sprites of at least"),
        ({"max_sprites": 1.5}, TypeError, "VectorSpriteObservation expects max_sprites to be an"),
        ({"level": "frame"}, ValueError, "VectorSpriteObservation expects level 'object' or"),
        ({"display": 1}, TypeError, "VectorSpriteObservation expects display to be True or False"),
    ],
)
def test_wrong_arguments_are_refused(settings, error, message, pong_model):
    with pytest.raises(error, match=message):
        VectorSpriteObservation(atari_envs(), pong_model, **settings)


def test_frames_of_the_models_size_are_expected(pong_model):
    gray = atari_envs(grayscale=True)
    with pytest.raises(ValueError, match=r"uint8 Box of shape \(210, 160, 3\), .* got Box\(0, 255"):
        VectorSpriteObservation(gray, pong_model)
    lake = gymnasium.make_vec("FrozenLake-v1", 2, vectorization_mode="sync")
    with pytest.raises(TypeError, match=r"got Discrete\(16\); wrap each .* AddRenderObservation"):
        VectorSpriteObservation(lake, pong_model, any_game=True)


def test_a_model_of_another_game_is_refused_unless_asked_for(pong_model):
    breakout = gymnasium.make_vec("ALE/Breakout-v5", 2, vectorization_mode="sync")
    with pytest.raises(ValueError, match=r"VectorSpriteObservation .* got .* on ALE/Pong-v5"):
        VectorSpriteObservation(breakout, pong_model)
    assert VectorSpriteObservation(breakout, pong_model, any_game=True).num_envs == 2


def test_the_mode_of_resetting_must_be_known(pong_model):
    envs = atari_envs()
    envs.metadata = {}
    with pytest.raises(ValueError, match=r"metadata\['autoreset_mode'\], .* got None; set it"):
        VectorSpriteObservation(envs, pong_model)
