"""What `import sprite_obs` offers."""

import subprocess
import sys
import tomllib
from pathlib import Path

import gymnasium
import pytest

import sprite_obs
from sprite_obs.detections import Detections
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.wrapper import SpriteObservation

ROOT = Path(__file__).parent.parent


def test_public_names():
    assert sprite_obs.SpriteObservation is SpriteObservation
    assert sprite_obs.SpriteExtractor is SpriteExtractor
    assert sprite_obs.FrozenEncoder is FrozenEncoder
    assert sprite_obs.Detections is Detections
    assert all(hasattr(sprite_obs, name) for name in sprite_obs.__all__)
    with pytest.raises(AttributeError, match="no attribute 'SpriteObservatoin'"):
        _ = sprite_obs.SpriteObservatoin


def test_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sprite_obs.__version__ == project["version"]


def test_import_registers_the_games_without_loading_pytorch():
    code = """
import sys, gymnasium, sprite_obs
assert "SpriteObs/Pong-v5" in gymnasium.registry
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert "SpriteObs/Breakout-v5" in gymnasium.registry


def test_the_wrapper_does_without_the_slow_imports():
    code = """
import sys, sprite_obs.wrapper
assert not {"sklearn", "scipy.stats", "lightning", "tensorboard"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
