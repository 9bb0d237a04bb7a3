"""SpriteObservation: an agent sees which sprites are where instead of the frame's pixels."""

import os
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sprite_obs.detections import Detections
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.games import game_name
from sprite_obs.objects.slots import SlotTable
from sprite_obs.view.overlay import draw_detections

MAX_LAYER = 255


class SpriteObservation(
    gymnasium.ObservationWrapper[dict[str, np.ndarray], Any, Any],
    gymnasium.utils.RecordConstructorArgs,
):
    """Replaces frames by the sprites in them: id, type, layer, position and velocity per slot.

    A frozen encoder, learned with ``sprite-obs pretrain``, finds the sprites. The frame is the
    environment's observation where that is an RGB image of the model's size, else what ``render()``
    returns with ``render_mode="rgb_array"``. Rewards, flags and infos pass through untouched.

    The observation is a ``Dict`` of arrays over M = ``max_sprites`` slots, all 0 in empty ones:

    * ``sprite`` ``(M,)`` int32, sprite id 1..K; 0 marks an empty slot
    * ``type`` ``(M,)`` int32, type id 1..T; a thing that changes its look keeps its type
    * ``layer`` ``(M,)`` int32, depth 0..255, 0 at the back
    * ``position`` ``(M, 2)`` float32, centre (x, y) of the sprite in frame pixels, x to the right,
      y down, no further out than the frame's border
    * ``velocity`` ``(M, 2)`` float32, change of ``position`` since the previous step in pixels, 0
      on first sight and after a jump
    * ``presence`` ``(M,)`` int8, 1 where the slot holds a sprite

    An instance stays in its slot as long as it is seen, and a type always has the same range of
    slots; see `sprite_obs.objects.slots.SlotTable`.

    No vector version of the wrapper exists.

    Example:
        >>> import ale_py, gymnasium
        >>> from sprite_obs.wrapper import SpriteObservation
        >>> env = gymnasium.make("ALE/Pong-v5")
        >>> env.observation_space.shape
        (210, 160, 3)
        >>> env = SpriteObservation(env, "models/pong", max_sprites=16)
        >>> observation, info = env.reset(seed=0)
        >>> {key: array.shape for key, array in observation.items()}["position"]
        (16, 2)

    Change logs:
     * v0.1.0 - Initially added
    """

    def __init__(
        self,
        env: gymnasium.Env,
        model: str | os.PathLike[str],
        max_sprites: int = 32,
        any_game: bool = False,
        render_sprites: bool = False,
    ):
        """Loads the model and declares the observation space.

        Args:
            env: an environment that shows RGB frames of the size that the model was learned on.
            model: folder of the model's checkpoint.
            max_sprites: M, number of slots.
            any_game: allow a model that was learned on another game.
            render_sprites: let ``render()`` draw boxes, ids and layers over the frame, three times
                enlarged.

        Raises:
            TypeError: when `env` is no environment or shows no frames, or an argument is of the
                wrong type.
            ValueError: when the frames have another size, the model belongs to another game, there
                is no slot, or sprites cannot be rendered.
            CheckpointError: when `model` holds no usable checkpoint.
        """
        _check_arguments(env, max_sprites, render_sprites)
        encoder = FrozenEncoder.load(os.fspath(model))
        if not any_game:
            _check_game(env, encoder.env_id, model)
        self._renders_frame = _needs_render(env, encoder.frame_shape, model)

        gymnasium.utils.RecordConstructorArgs.__init__(
            self,
            model=os.fspath(model),
            max_sprites=int(max_sprites),  # NumPy's integers do not become JSON
            any_game=any_game,
            render_sprites=render_sprites,
        )
        gymnasium.ObservationWrapper.__init__(self, env)
        self.observation_space = _observation_space(encoder, max_sprites)
        self._encoder = encoder
        self._slots = SlotTable(encoder.type_capacity, max_sprites)
        self._corner = _corner(encoder)
        self._max_sprites = max_sprites
        self._render_sprites = render_sprites
        self._seen: tuple[np.ndarray, Detections] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Resets the environment and empties the slots."""
        self._slots.reset()
        return super().reset(seed=seed, options=options)

    def observation(self, observation: Any) -> dict[str, np.ndarray]:
        """Returns the slots after the next frame; it moves the slots on, so call it once a frame.

        Args:
            observation: the environment's observation, `(H, W, 3)` uint8 where frames come from it.

        Returns:
            The arrays described in the class, new ones at each call.
        """
        frame = self._frame(observation)
        found = self._encoder.encode(frame)
        self._seen = frame, found
        # A sprite that is mostly outside has its centre there, but the space ends at the border.
        slots = self._slots.update(found.type, np.clip(found.centre, 0, self._corner))
        kept = slots >= 0
        return {
            "sprite": self._column(slots[kept], found.sprite[kept]),
            "type": self._column(slots[kept], found.type[kept]),
            "layer": self._column(slots[kept], found.layer[kept]),
            "position": self._slots.position.copy(),  # users may scale it in place
            "velocity": self._slots.velocity.copy(),
            "presence": self._slots.presence.astype(np.int8),
        }

    def render(self) -> Any:
        """Returns the environment's rendering, or the last frame with its sprites drawn over it."""
        if not self._render_sprites:
            return self.env.render()
        if self._seen is None:
            raise gymnasium.error.ResetNeeded("SpriteObservation: call reset() before render()")
        return draw_detections(*self._seen)

    def _frame(self, observation: Any) -> np.ndarray:
        if not self._renders_frame:
            return observation
        frame: Any = self.env.render()
        shape = self._encoder.frame_shape
        if not isinstance(frame, np.ndarray) or frame.shape != shape or frame.dtype != np.uint8:
            raise ValueError(
                f"SpriteObservation expects render() to return a uint8 array of shape {shape}, the "
                f"size the model was learned on, got {_described(frame)}; use a model of this "
                "environment"
            )
        return frame

    def _column(self, slots: np.ndarray, values: np.ndarray) -> np.ndarray:
        column = np.zeros(self._max_sprites, np.int32)
        column[slots] = values
        return column


def _check_arguments(env: gymnasium.Env, max_sprites: int, render_sprites: bool) -> None:
    if not isinstance(env, gymnasium.Env):
        raise TypeError(
            f"SpriteObservation expects a gymnasium.Env, got {type(env).__name__}; make one with "
            "gymnasium.make()"
        )
    if isinstance(max_sprites, bool) or not isinstance(max_sprites, int | np.integer):
        raise TypeError(
            f"SpriteObservation expects max_sprites to be an int, got {_described(max_sprites)}"
        )
    if max_sprites < 1:
        raise ValueError(f"SpriteObservation expects max_sprites of at least 1, got {max_sprites}")
    if render_sprites and env.render_mode != "rgb_array":
        raise ValueError(
            "SpriteObservation renders sprites over an environment of render_mode='rgb_array', got "
            f"render_mode={env.render_mode!r}; pass it to gymnasium.make()"
        )


def _check_game(env: gymnasium.Env, learned_on: str | None, model: Any) -> None:
    if env.spec is None or learned_on is None:
        return
    if game_name(env.spec.id) != game_name(learned_on):
        raise ValueError(
            f"SpriteObservation expects a model of the environment's game {env.spec.id}, got "
            f"{model}, which was learned on {learned_on}; use a model of this game, or pass "
            "any_game=True to use this one all the same"
        )


def _needs_render(env: gymnasium.Env, shape: tuple[int, ...], model: Any) -> bool:
    """Returns whether frames come from ``render()`` because the observation shows none."""
    space = env.observation_space
    if isinstance(space, spaces.Box) and space.shape == shape and space.dtype == np.uint8:
        return False
    if env.render_mode == "rgb_array":
        return True
    kind = ValueError if isinstance(space, spaces.Box) else TypeError
    raise kind(
        f"SpriteObservation expects RGB frames as a uint8 Box of shape {shape}, the size that "
        f"{model} was learned on, got {space} and render_mode={env.render_mode!r}; make the "
        "environment with render_mode='rgb_array' or use a model of this environment"
    )


def _observation_space(encoder: FrozenEncoder, max_sprites: int) -> spaces.Space[Any]:
    corner = np.tile(_corner(encoder), (max_sprites, 1))  # (M, 2)

    def column(high: int, dtype: Any = np.int32) -> spaces.Box:
        return spaces.Box(0, high, (max_sprites,), dtype)

    return spaces.Dict(
        {
            "sprite": column(encoder.num_sprites),
            "type": column(encoder.num_types),
            "layer": column(MAX_LAYER),
            "position": spaces.Box(np.zeros_like(corner), corner, dtype=np.float32),
            "velocity": spaces.Box(-corner, corner, dtype=np.float32),
            "presence": column(1, np.int8),
        }
    )


def _corner(encoder: FrozenEncoder) -> np.ndarray:
    """Returns the largest position, `(2,)` float32 (width, height) of a frame."""
    height, width, _ = encoder.frame_shape
    return np.array([width, height], np.float32)


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return f"{value!r} ({type(value).__name__})"
