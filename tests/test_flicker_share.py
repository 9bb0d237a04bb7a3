"""Whether a game draws things in every other frame is found out by playing it."""

import fake_frame_env  # noqa: F401  registers environments
import gymnasium
import joined_frames
import ppo_settings
import pytest

from sprite_obs.envs.last_two_frames import LastTwoFrames, make_last_two_frames
from sprite_obs.errors import SpriteObsError
from sprite_obs.flicker_share import flicker_share
from sprite_obs.frozen import FrozenEncoder

EVERY_OTHER = (False, True)
EVERY_EIGHTH_STEP = (*[False] * 3, True, *[False] * 28)
"""In the last frame but one of every eighth step of four frames."""


@pytest.mark.parametrize(
    ("shown", "share"),
    [
        (EVERY_OTHER, 0.9),  # not in the first of the ten steps of an episode
        ((True,), 0),
        (EVERY_EIGHTH_STEP, 0),  # it comes and goes
        ((False, True, True, True, False, False, False, False), 0),  # likewise
        ((True, False), 0),  # the last frame shows it
    ],
)
def test_what_is_missing_again_and_again_flickers(shown, share, pong_model):
    env = LastTwoFrames(gymnasium.make("FakeFlickers-v0", shown=shown), frames_per_step=4)
    assert flicker_share(env, FrozenEncoder.load(pong_model), num_steps=20) == share


@pytest.mark.parametrize(
    ("game", "least", "most"), [("SpaceInvaders", 0.3, 0.8), ("MsPacman", 0.1, 0.6), ("Pong", 0, 0)]
)
def test_games_that_flicker_are_told_from_others(game, least, most):
    encoder = FrozenEncoder.load(game.lower())
    first, second = (
        flicker_share(make_last_two_frames(f"ALE/{game}-v5"), encoder, num_steps=200, seed=1)
        for _ in range(2)
    )
    assert least <= first <= most
    assert first == second, "the same seed plays the same"


@pytest.mark.parametrize(
    ("env", "obs", "model", "joins"),
    [
        ("ALE/SpaceInvaders-v5", "objects", "spaceinvaders", True),
        ("ALE/SpaceInvaders-v5", "sprites", "spaceinvaders", True),
        ("ALE/SpaceInvaders-v5", "ram", None, False),
        ("ALE/Pong-v5", "objects", "pong", False),
        ("ALE/Pong-v5", "pixels", None, True),
        ("PongNoFrameskip-v4", "pixels", None, False),
        ("PongNoFrameskip-v4", "objects", "pong", False),
    ],
)
def test_frames_are_joined_where_that_shows_more(env, obs, model, joins, capsys):
    args = ppo_settings.Args(env, obs, model)
    settled = joined_frames.settle_join_frames(args)
    assert settled.join_frames is joins
    told = capsys.readouterr().err
    assert ("--join-frames False" in told) == (joins and obs != "pixels")


@pytest.mark.parametrize(("share", "joins"), [(0.05, True), (0.0499, False)])
def test_what_hardly_ever_flickers_does_not_count(share, joins, monkeypatch):
    monkeypatch.setattr(joined_frames, "flicker_share", lambda env, encoder: share)
    assert joined_frames.needs_joined_frames("ALE/Pong-v5", "objects", "pong") is joins


def test_what_the_user_says_is_settled(monkeypatch):
    monkeypatch.setattr(joined_frames, "needs_joined_frames", None)
    for asked in (True, False):
        args = ppo_settings.Args("ALE/SpaceInvaders-v5", model="spaceinvaders", join_frames=asked)
        assert joined_frames.settle_join_frames(args) is args


def test_a_model_of_frames_of_another_size_is_refused(pong_model):
    env = LastTwoFrames(gymnasium.make("FakeLarge-v0"), frames_per_step=4)
    with pytest.raises(SpriteObsError, match="expected uint8 RGB frames of shape"):
        flicker_share(env, FrozenEncoder.load(pong_model), num_steps=2)
