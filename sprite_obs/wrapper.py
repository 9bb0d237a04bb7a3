"""SpriteObservation: an agent sees which sprites are where instead of the frame's pixels."""

import os
from typing import Any, SupportsFloat

import gymnasium
import numpy as np

from sprite_obs.decoders import DecoderName
from sprite_obs.detections import Detections, Sight
from sprite_obs.devices import DeviceName
from sprite_obs.envs.rendered import as_bytes
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.objects.flicker import join_frames
from sprite_obs.observations import ObservationBuilder, Observations, rows_of
from sprite_obs.view.overlay import draw_detections
from sprite_obs.workers import use_one_thread_in_workers
from sprite_obs.wrapper_checks import (
    Level,
    check_arguments,
    check_content,
    check_game,
    described,
    needs_render,
)


class SpriteObservation(
    gymnasium.ObservationWrapper[Observations, Any, Any],
    gymnasium.utils.RecordConstructorArgs,
):
    """Replaces frames by the sprites in them: id, type, track, position and velocity per slot.

    A frozen encoder, learned with ``sprite-obs pretrain``, finds the sprites. The frame is the
    environment's observation where that is an RGB image of the model's size, else what ``render()``
    returns with ``render_mode="rgb_array"``. Rewards and flags pass through untouched; infos get
    one more key, ``sprite_error``.

    Over `sprite_obs.envs.last_two_frames.LastTwoFrames`, the sprites of the last two frames of a
    step are joined: what a game draws in every other frame only is there in every observation.

    The observation is a ``Dict`` of arrays over M = ``max_sprites`` slots, all 0 in empty ones:

    * ``sprite`` ``(M,)`` int32, sprite id 1..K; 0 marks an empty slot; of an object its main sprite
    * ``type`` ``(M,)`` int32, type id 1..T; a thing that changes its look keeps its type
    * ``layer`` ``(M,)`` int32, depth 0..255, 0 at the back
    * ``track`` ``(M,)`` int32, number of the thing, from 1 in each episode, which it keeps also if
      it is not seen for a few steps
    * ``object`` ``(M,)`` int32, track of the object's main sprite; with ``level="object"`` the same
      as ``track``
    * ``display`` ``(M,)`` int8, 1 for what belongs to the display: score, lives, logos
    * ``position`` ``(M, 2)`` float32, centre (x, y) of the sprite in frame pixels, x to the right,
      y down, no further out than the frame's border
    * ``velocity`` ``(M, 2)`` float32, change of ``position`` in pixels per step since the thing was
      seen before, 0 on first sight
    * ``presence`` ``(M,)`` int8, 1 where the slot holds a sprite

    ``info["sprite_error"]``, of ``reset`` and ``step``, is the share of the frame's pixels that the
    sprites over the background do not explain, a float in [0, 1]: a model that does not know what
    the game shows now is seen by it. Where scenery scrolls, ``info["camera"]`` is the camera's
    place in it, ``(2,)`` int32 (x, y) in pixels, (-1, -1) where nothing known is shown.

    A thing stays in its slot, and a type always has the same range of slots; see
    `sprite_obs.objects.tracker.Tracker` and `sprite_obs.objects.slots.assign_slots`.

    Its vector versions, which find the sprites of all environments at once, are
    `sprite_obs.vector.VectorSpriteObservation` for Gymnasium and
    `sprite_obs.vector.sb3.VecSpriteObservation` for Stable-Baselines3.

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
        level: Level = "object",
        display: bool = True,
        flatten: bool = False,
        decoder: DecoderName | None = None,
        device: DeviceName = "auto",
    ):
        """Loads the model and declares the observation space.

        Args:
            env: an environment that shows RGB frames of the size that the model was learned on.
            model: folder of the model's checkpoint, or the name of a model of the zoo.
            max_sprites: M, number of slots.
            any_game: allow a model that was learned on another game.
            render_sprites: let ``render()`` draw boxes, ids and layers over the frame, three times
                enlarged.
            level: ``"object"``: one slot for all sprites that are fragments of one thing;
                ``"sprite"``: a slot for each of them.
            display: whether score, lives and logos get slots.
            flatten: one vector of features instead of the dictionary, for networks that take
                nothing else; see `sprite_obs.flat.FlatView`.
            decoder: how sprites are found, see `FrozenEncoder`; None for the model's choice.
            device: where the network runs, if the decoder uses it: ``"cpu"``, ``"cuda"`` or
                ``"auto"``, a GPU if there is one and this is no worker process, else the CPU.

        Raises:
            TypeError: when `env` is no environment or shows no frames, or an argument is of the
                wrong type.
            ValueError: when the frames have another size, the model belongs to another game, there
                is no slot, sprites cannot be rendered, or there is no such level.
            CheckpointError: when `model` holds no usable checkpoint, or none for the decoder.
            DeviceError: when the device does not exist.
        """
        check_arguments(env, max_sprites, render_sprites)
        check_content(level, display, flatten)
        use_one_thread_in_workers()
        encoder = FrozenEncoder.load(os.fspath(model), device, decoder)
        if not any_game:
            check_game(env.spec, encoder.env_id, model)
        self._renders_frame = needs_render(env, encoder.frame_shape, model)

        gymnasium.utils.RecordConstructorArgs.__init__(
            self,
            model=os.fspath(model),
            max_sprites=int(max_sprites),  # NumPy's integers do not become JSON
            any_game=any_game,
            render_sprites=render_sprites,
            level=level,
            display=display,
            flatten=flatten,
            decoder=decoder,
            device=device,
        )
        gymnasium.ObservationWrapper.__init__(self, env)
        self._encoder = encoder
        self._joins_frames = env.has_wrapper_attr("earlier_frame")  # of `LastTwoFrames`
        self._builder = ObservationBuilder(
            encoder, 1, max_sprites, level, display, flatten, self._joins_frames
        )
        self.observation_space = self._builder.space
        self._render_sprites = render_sprites
        self._seen: tuple[np.ndarray, Detections] | None = None
        self._error = 0.0
        self._camera: np.ndarray | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Resets the environment and empties the slots."""
        self._builder.reset(0)
        observation, info = self.env.reset(seed=seed, options=options)
        return self.observation(observation), self._with_error(info)

    def step(self, action: Any) -> tuple[Observations, SupportsFloat, bool, bool, dict[str, Any]]:
        """Steps the environment and moves the slots on."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        seen = self.observation(observation)
        return seen, reward, terminated, truncated, self._with_error(info)

    def observation(self, observation: Any) -> Observations:
        """Returns the slots after the next frame; it moves the slots on, so call it once a frame.

        Args:
            observation: the environment's observation, `(H, W, 3)` uint8 where frames come from it.

        Returns:
            The arrays described in the class, or one `(F,)` float32; new ones at each call.
        """
        frame = self._frame(observation)
        earlier = self.env.get_wrapper_attr("earlier_frame") if self._joins_frames else None
        found: Detections | Sight
        if earlier is not None:
            both, error = self._encoder.explain(np.stack([earlier, frame]))
            found = join_frames(both)
        elif self._render_sprites:
            found, error = self._encoder.explain(frame)
        else:
            found = self._encoder.look(frame)
            error = found.error
        if self._encoder.has_camera:
            self._camera = self._encoder.cameras(frame)[0]
        if self._render_sprites and isinstance(found, Detections):
            self._seen = frame, self._builder.things(found)
        self._error = float(error[-1])
        return rows_of(self._builder.build(found, [0]), 0)

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
        frame = as_bytes(self.env.render())
        shape = self._encoder.frame_shape
        if not isinstance(frame, np.ndarray) or frame.shape != shape or frame.dtype != np.uint8:
            raise ValueError(
                f"SpriteObservation expects render() to return a uint8 array of shape {shape}, the "
                f"size the model was learned on, got {described(frame)}; use a model of this "
                "environment"
            )
        return frame

    def _with_error(self, info: dict[str, Any]) -> dict[str, Any]:
        camera = {} if self._camera is None else {"camera": self._camera}
        return info | {"sprite_error": self._error} | camera
