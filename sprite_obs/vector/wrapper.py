"""VectorSpriteObservation: the sprites of all environments of a Gymnasium vector environment."""

import os
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from sprite_obs.decoders import DecoderName
from sprite_obs.devices import DeviceName
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.observations import (
    ObservationBuilder,
    Observations,
    copied,
    replace_rows,
    rows_of,
)
from sprite_obs.vector.batch import BatchObserver, Observed
from sprite_obs.wrapper_checks import Level, check_content, check_game, check_max_sprites

NAME = "VectorSpriteObservation"


class VectorSpriteObservation(VectorWrapper):
    """`SpriteObservation` for vector environments: one pass finds the sprites of all frames.

    Observations are those of `SpriteObservation` over each environment, stacked to `(B, M, ...)`;
    tracks, velocities and slots begin anew where an episode does. The model is loaded once, in this
    process; the environments need neither the model nor PyTorch.

    Frames are the observations of the vector environment: `(H, W, 3)` uint8 each, or the last of a
    stack `(S, H, W, 3)`, as `ale_py.AtariVectorEnv` gives them. Where environments are wrapped in
    `LastTwoFrames`, the sprites of the last two frames are joined.

    All autoreset modes of Gymnasium are supported:

    * ``NEXT_STEP``: the step after the end of an episode shows the first frame of the next one.
    * ``SAME_STEP``: ``infos["final_obs"]`` holds the last observations as sprites, in an object
      array, and ``infos["final_info"]["sprite_error"]`` their errors.
    * ``DISABLED``: ``reset(options={"reset_mask": mask})`` begins new episodes where the mask says.

    ``infos["sprite_error"]`` is `(B,)` float64 beside its mask ``infos["_sprite_error"]``; where
    scenery scrolls, ``infos["camera"]`` is `(B, 2)` int32, likewise.

    Example:
        >>> import gymnasium
        >>> from sprite_obs.vector.wrapper import VectorSpriteObservation
        >>> envs = gymnasium.make_vec("ALE/Pong-v5", num_envs=4, vectorization_mode="sync")
        >>> envs = VectorSpriteObservation(envs, "models/pong", max_sprites=16)
        >>> observations, infos = envs.reset(seed=0)
        >>> observations["position"].shape
        (4, 16, 2)
    """

    def __init__(
        self,
        env: VectorEnv,
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
        """Loads the model and declares the observation spaces.

        Args:
            env: a vector environment that observes RGB frames of the model's size.
            model: folder of the model's checkpoint, or the name of a model of the zoo.
            max_sprites: M, number of slots of each environment.
            any_game: allow a model that was learned on another game.
            render_sprites: let ``render()`` draw boxes, ids and layers over the frames.
            level: as for `SpriteObservation`.
            display: as for `SpriteObservation`.
            flatten: as for `SpriteObservation`.
            decoder: as for `SpriteObservation`.
            device: as for `SpriteObservation`.

        Raises:
            TypeError: when `env` is no vector environment or an argument is of the wrong type.
            ValueError: when the frames have another size, the model belongs to another game, there
                is no slot or no such level, or the mode of resetting is unknown.
            CheckpointError: when `model` holds no usable checkpoint, or none for the decoder.
            DeviceError: when the device does not exist.
        """
        if not isinstance(env, VectorEnv):
            raise TypeError(
                f"{NAME} expects a gymnasium.vector.VectorEnv, got {type(env).__name__}; make one "
                "with gymnasium.make_vec(), or use SpriteObservation for a single environment"
            )
        check_max_sprites(max_sprites, NAME)
        check_content(level, display, flatten, NAME)
        super().__init__(env)
        self._mode = _autoreset_mode(env)
        self._joins_frames = _has_earlier_frames(env)
        encoder = FrozenEncoder.load(os.fspath(model), device, decoder)
        if not any_game:
            check_game(env.spec, encoder.env_id, model, NAME)
        self._stacks = _is_stack(env.single_observation_space, encoder.frame_shape, model)
        builder = ObservationBuilder(
            encoder, env.num_envs, max_sprites, level, display, flatten, self._joins_frames
        )
        self.single_observation_space = builder.space
        self.observation_space = batch_space(builder.space, env.num_envs)
        self._observer = BatchObserver(encoder, builder, render_sprites)
        self._render_sprites = render_sprites
        self._begins = np.ones(env.num_envs, bool)  # with the next frame of the environment
        self._shown: Observations | None = None

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environments, or those of ``options["reset_mask"]``, and empties the slots."""
        mask = (options or {}).get("reset_mask")
        if mask is not None and not np.all(mask) and self._shown is None:
            raise gymnasium.error.ResetNeeded(f"{NAME}: reset all environments before some of them")
        observations, infos = self.env.reset(seed=seed, options=options)
        envs = np.arange(self.num_envs) if mask is None else np.flatnonzero(mask)
        all_earlier = self._earlier("earlier_frame")
        earlier = [all_earlier[env] for env in envs.tolist()] if all_earlier else ()
        seen = self._observer.first(self._frames(observations)[envs], envs.tolist(), earlier)
        self._begins[envs] = False
        self._shown = _merged(self._shown, seen, envs, self.num_envs)
        return copied(self._shown), infos | _infos(seen, envs, self.num_envs)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Steps the environments and moves the slots on."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        frames, ended = self._frames(observations), terminations | truncations
        if self._mode == AutoresetMode.SAME_STEP and ended.any():
            seen, infos = self._with_final(frames, infos, np.flatnonzero(ended))
        else:
            seen = self._next(frames)
        if self._mode == AutoresetMode.NEXT_STEP:
            self._begins = ended
        self._shown = seen.observations
        infos = infos | _infos(seen, np.arange(self.num_envs), self.num_envs)
        return copied(seen.observations), rewards, terminations, truncations, infos

    def render(self) -> Any:
        """Returns the environments' renderings, or their frames with the sprites drawn over them.

        Raises:
            ResetNeeded: when sprites are to be drawn before the first reset.
        """
        if not self._render_sprites:
            return self.env.render()
        if self._shown is None:
            raise gymnasium.error.ResetNeeded(f"{NAME}: call reset() before render()")
        return tuple(self._observer.pictures())

    def _next(self, frames: np.ndarray) -> Observed:
        self._observer.begin(np.flatnonzero(self._begins).tolist())
        return self._observer.next(frames, range(self.num_envs), self._earlier("earlier_frame"))

    def _earlier(self, name: str) -> Sequence[np.ndarray | None]:
        return self.env.unwrapped.get_attr(name) if self._joins_frames else ()  # type: ignore[attr-defined]

    def _with_final(
        self, frames: np.ndarray, infos: dict[str, Any], ended: np.ndarray
    ) -> tuple[Observed, dict[str, Any]]:
        """Observes a step in which episodes ended; their last frames are in the infos."""
        last = self._frames(np.stack([infos["final_obs"][env] for env in ended]))
        before = self._earlier("final_earlier_frame")
        final_earlier = [before[env] for env in ended] if before else ()
        earlier = self._earlier("earlier_frame")
        seen, final = self._observer.ends(frames, last, ended.tolist(), earlier, final_earlier)
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row, env in enumerate(ended):
            final_obs[env] = rows_of(final.observations, row)
        own = _infos(final, ended, self.num_envs)
        mask = own["_sprite_error"]
        final_info = infos.get("final_info", {}) | own
        return seen, infos | {
            "final_obs": final_obs,
            "_final_obs": mask.copy(),
            "final_info": final_info,
            "_final_info": mask.copy(),
        }

    def _frames(self, observations: np.ndarray) -> np.ndarray:
        """Returns `(B, H, W, 3)`, the newest frame of each environment."""
        return observations[:, -1] if self._stacks else observations


def _autoreset_mode(env: VectorEnv) -> AutoresetMode:
    mode = env.metadata.get("autoreset_mode")
    if not isinstance(mode, AutoresetMode):
        raise ValueError(
            f"{NAME} expects a gymnasium.vector.AutoresetMode as env.metadata['autoreset_mode'], "
            f"so that tracks can begin anew with each episode, got {mode!r}; set it"
        )
    return mode


def _has_earlier_frames(env: VectorEnv) -> bool:
    """Tells whether the environments keep the frame before the last, as `LastTwoFrames` does."""
    call = getattr(env.unwrapped, "call", None)
    keeps = call("has_wrapper_attr", "earlier_frame") if call else ()
    if any(keeps) and not all(keeps):
        raise ValueError(
            f"{NAME} expects either all environments in LastTwoFrames or none, got "
            f"{sum(keeps)} of {len(keeps)}; wrap the others too"
        )
    return any(keeps)


def _is_stack(space: spaces.Space, shape: tuple[int, ...], model: Any) -> bool:
    """Returns whether observations are stacks of frames; refuses what shows no frames."""
    if isinstance(space, spaces.Box) and space.dtype == np.uint8:
        if space.shape == shape:
            return False
        if len(space.shape) == 4 and space.shape[1:] == shape:
            return True
    kind = ValueError if isinstance(space, spaces.Box) else TypeError
    raise kind(
        f"{NAME} expects RGB frames as a uint8 Box of shape {shape}, the size that {model} was "
        f"learned on, or stacks of them, got {space}; wrap each environment in gymnasium's "
        "AddRenderObservation, or use a model of this environment"
    )


def _infos(seen: Observed, envs: np.ndarray, num_envs: int) -> dict[str, np.ndarray]:
    """Returns what infos of vector environments say of some of them, each key with its mask."""
    mask = np.zeros(num_envs, bool)
    mask[envs] = True
    infos: dict[str, np.ndarray] = {}
    for key, rows in (("sprite_error", seen.error), ("camera", seen.camera)):
        if rows is not None:
            values = np.zeros((num_envs, *rows.shape[1:]), rows.dtype)
            values[envs] = rows
            infos |= {key: values, f"_{key}": mask.copy()}
    return infos


def _merged(
    before: Observations | None, seen: Observed, envs: np.ndarray, num_envs: int
) -> Observations:
    """Returns the observations of all environments after some of them were reset."""
    if before is None or len(envs) == num_envs:
        return seen.observations
    merged = copied(before)
    replace_rows(merged, envs, seen.observations)
    return merged
