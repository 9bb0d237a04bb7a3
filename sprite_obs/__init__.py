"""Sprite observations for reinforcement learning; the import registers `SpriteObs/<Game>-v5`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sprite_obs.registration import register_envs

if TYPE_CHECKING:
    from sprite_obs.detections import Detections
    from sprite_obs.extractor import SpriteExtractor
    from sprite_obs.frozen import FrozenEncoder
    from sprite_obs.wrapper import SpriteObservation

__all__ = ["Detections", "FrozenEncoder", "SpriteExtractor", "SpriteObservation", "__version__"]
__version__ = "0.1.0"

# Loaded when used: most of them need PyTorch, which takes seconds.
_MODULES = {
    "Detections": "sprite_obs.detections",
    "FrozenEncoder": "sprite_obs.frozen",
    "SpriteExtractor": "sprite_obs.extractor",
    "SpriteObservation": "sprite_obs.wrapper",
}

register_envs()


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
