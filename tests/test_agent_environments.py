"""What the environments of agents show."""

import environments
import film
import numpy as np
import pytest
from stable_baselines3 import PPO

from sprite_obs.errors import SpriteObsError
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.frozen import FrozenEncoder

BLACK = np.zeros((8, 8, 3), np.uint8)
TINY = {"n_steps": 8, "policy_kwargs": {"features_extractor_class": SpriteExtractor}}
BOMB = 2
"""Type of shots and bombs in the zoo's model of SpaceInvaders, which are drawn alike."""


def test_the_display_has_slots_only_if_asked_for():
    seen = []
    for display in (False, True):
        envs = environments.build_vec_env(
            "ALE/Pong-v5", "objects", "pong", 64, 1, 0, display=display
        )
        seen.append(envs.reset()["display"].any())
        envs.close()
    assert seen == [False, True]


def test_sprites_have_slots_of_their_own():
    counts = []
    for obs in ("objects", "sprites"):
        envs = environments.build_vec_env("ALE/Breakout-v5", obs, "breakout", 200, 1, 0)
        counts.append(envs.reset()["presence"].sum())
        envs.close()
    assert 0 < counts[0] < counts[1], "rows of bricks are objects"


def test_sprites_are_found_on_the_cpu_also_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    devices, load = [], FrozenEncoder.load

    def noted(path, device="cpu", decoder=None):
        devices.append(device)
        return load(path, device, decoder)

    monkeypatch.setattr(FrozenEncoder, "load", noted)
    environments.build_vec_env("ALE/Pong-v5", "objects", "pong", 8, 1, 0).close()
    assert devices == ["cpu"]


def bombs_seen(obs: str, join_frames: bool) -> np.ndarray:
    """Returns what an agent sees of SpaceInvaders when no shot of its own flies."""
    envs = environments.build_vec_env(
        "ALE/SpaceInvaders-v5", obs, "spaceinvaders", 64, 1, 0, join_frames=join_frames
    )
    envs.reset()
    seen = [envs.step([0])[0] for _ in range(100)]
    envs.close()
    if obs == "pixels":
        return np.stack([frames[0, -1, 63:73] for frames in seen])  # above the shields' feet
    return np.array([np.sum((each["type"] == BOMB) & (each["presence"] == 1)) for each in seen])


def test_what_is_drawn_in_every_other_frame_is_seen_where_frames_are_joined():
    alone, joined = (bombs_seen("objects", join_frames) for join_frames in (False, True))
    assert alone.max() == 0 and (joined > 0).mean() > 0.5


def test_a_film_shows_what_the_last_frame_lacks(tmp_path, monkeypatch):
    envs = environments.build_vec_env(
        "ALE/SpaceInvaders-v5", "objects", "spaceinvaders", 64, 1, 0, True, join_frames=True
    )
    agent, drawn = PPO("MultiInputPolicy", envs, **TINY), []
    monkeypatch.setattr(film, "attention_picture", lambda *given: drawn.append(given[2]) or BLACK)
    shown = film.Film(tmp_path / "film.mp4", agent, envs, "spaceinvaders")
    seen = envs.reset()
    for _ in range(60):
        shown.add(seen, np.array([0]))
        assert len(drawn[-1]) == seen["presence"].sum()
        seen, *_ = envs.step([0])
    shown.close()
    assert any(thing.type == BOMB for things in drawn for thing in things)
    envs.close()


def test_pixels_of_two_frames_show_it_too():
    alone, joined = (bombs_seen("pixels", join_frames) for join_frames in (False, True))
    assert joined.max(axis=(1, 2)).sum() > alone.max(axis=(1, 2)).sum()
    assert (joined >= alone).all()


def test_an_unknown_observation_is_refused():
    with pytest.raises(SpriteObsError, match=r"'objects', 'sprites', 'pixels'.* got 'smells'"):
        environments.build_vec_env("ALE/Pong-v5", "smells", None, 8, 1, 0)
