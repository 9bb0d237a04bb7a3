"""Renderings as frames, also where an environment draws in brightness from 0 to 1."""

from typing import Any

import gymnasium
import numpy as np

TOLERANCE = 1e-3
"""Of the range from 0 to 1, for what was computed."""


def as_bytes(rendering: Any) -> Any:
    """Returns an image of floats from 0 to 1, as MinAtar renders, as uint8; all else as it came."""
    if not isinstance(rendering, np.ndarray) or rendering.dtype.kind != "f":
        return rendering
    if not rendering.size:
        return rendering
    if rendering.min() < -TOLERANCE or rendering.max() > 1 + TOLERANCE:
        return rendering
    return (rendering * 255).round().clip(0, 255).astype(np.uint8)


class ByteRendering(gymnasium.Wrapper[Any, Any, Any, Any], gymnasium.utils.RecordConstructorArgs):
    """Renders uint8 where the environment renders floats from 0 to 1."""

    def __init__(self, env: gymnasium.Env):
        gymnasium.utils.RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)

    def render(self) -> Any:
        """Returns the environment's rendering, see `as_bytes`."""
        return as_bytes(self.env.render())
