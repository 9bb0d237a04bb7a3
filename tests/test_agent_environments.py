"""What the environments of agents show."""

import environments
import pytest

from sprite_obs.errors import SpriteObsError
from sprite_obs.frozen import FrozenEncoder


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


def test_an_unknown_observation_is_refused():
    with pytest.raises(SpriteObsError, match=r"'objects', 'sprites', 'pixels'.* got 'smells'"):
        environments.build_vec_env("ALE/Pong-v5", "smells", None, 8, 1, 0)
