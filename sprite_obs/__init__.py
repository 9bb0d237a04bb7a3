"""Sprite observations for reinforcement learning; the import registers `SpriteObs/<Game>-v5`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sprite_obs.registration import register_envs

if TYPE_CHECKING:
    from sprite_obs.detections import Detections
    from sprite_obs.extractors.attention import AttentionExtractor
    from sprite_obs.extractors.deep_set import DeepSetExtractor
    from sprite_obs.extractors.normed_relu import NormedReLU
    from sprite_obs.extractors.pairs import SpriteExtractor
    from sprite_obs.frozen import FrozenEncoder
    from sprite_obs.vector.make import make_sb3_sprite_vec_env, make_sprite_vec_env
    from sprite_obs.vector.sb3 import VecSpriteObservation
    from sprite_obs.vector.visit_bonus import VecVisitBonus
    from sprite_obs.vector.wrapper import VectorSpriteObservation
    from sprite_obs.wrapper import SpriteObservation

__all__ = [
    "AttentionExtractor",
    "DeepSetExtractor",
    "Detections",
    "FrozenEncoder",
    "NormedReLU",
    "SpriteExtractor",
    "SpriteObservation",
    "VecSpriteObservation",
    "VecVisitBonus",
    "VectorSpriteObservation",
    "__version__",
    "make_sb3_sprite_vec_env",
    "make_sprite_vec_env",
]
__version__ = "0.1.0"

# Loaded when used: most of them need PyTorch, which takes seconds.
_MODULES = {
    "AttentionExtractor": "sprite_obs.extractors.attention",
    "DeepSetExtractor": "sprite_obs.extractors.deep_set",
    "Detections": "sprite_obs.detections",
    "FrozenEncoder": "sprite_obs.frozen",
    "NormedReLU": "sprite_obs.extractors.normed_relu",
    "SpriteExtractor": "sprite_obs.extractors.pairs",
    "SpriteObservation": "sprite_obs.wrapper",
    "VecSpriteObservation": "sprite_obs.vector.sb3",
    "VecVisitBonus": "sprite_obs.vector.visit_bonus",
    "VectorSpriteObservation": "sprite_obs.vector.wrapper",
    "make_sb3_sprite_vec_env": "sprite_obs.vector.make",
    "make_sprite_vec_env": "sprite_obs.vector.make",
}

register_envs()


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
