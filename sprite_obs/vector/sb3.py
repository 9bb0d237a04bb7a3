"""VecSpriteObservation: the sprites of all environments of a Stable-Baselines3 `VecEnv`."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from sprite_obs.decoders import DecoderName
from sprite_obs.devices import DeviceName
from sprite_obs.envs.last_two_frames import LastTwoFrames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.observations import ObservationBuilder, rows_of
from sprite_obs.vector.batch import BatchObserver, Observed
from sprite_obs.wrapper_checks import Level, check_content, check_game, check_max_sprites

NAME = "VecSpriteObservation"


class VecSpriteObservation(VecEnvWrapper):
    """`SpriteObservation` for the vector environments of SB3: one pass for all frames.

    Over `DummyVecEnv`, `SubprocVecEnv` or any other ``VecEnv`` that observes RGB frames, with the
    observations that `SpriteObservation` would give in each environment. The model is loaded once,
    in this process; the environments need neither the model nor PyTorch.

    ``terminal_observation`` in the infos holds sprites, too. ``sprite_error`` is there for each
    step, and in ``reset_infos`` for the first frame of each episode.

    Example:
        >>> from functools import partial
        >>> from stable_baselines3.common.vec_env import DummyVecEnv
        >>> from sprite_obs.envs.make import make_env
        >>> from sprite_obs.vector.sb3 import VecSpriteObservation
        >>> venv = DummyVecEnv([partial(make_env, "ALE/Pong-v5")] * 8)
        >>> venv = VecSpriteObservation(venv, "models/pong", max_sprites=16)
        >>> venv.reset()["position"].shape
        (8, 16, 2)
    """

    def __init__(
        self,
        venv: VecEnv,
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
            venv: a vector environment that observes RGB frames of the model's size.
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
            TypeError: when `venv` is no ``VecEnv`` or shows no frames, or an argument is of the
                wrong type.
            ValueError: when the frames have another size or only some are to be joined, the model
                belongs to another game, or there is no slot or no such level.
            CheckpointError: when `model` holds no usable checkpoint, or none for the decoder.
            DeviceError: when the device does not exist.
        """
        if not isinstance(venv, VecEnv):
            raise TypeError(
                f"{NAME} expects a VecEnv of Stable-Baselines3, got {type(venv).__name__}; use "
                "VectorSpriteObservation for Gymnasium's vector environments"
            )
        check_max_sprites(max_sprites, NAME)
        check_content(level, display, flatten, NAME)
        encoder = FrozenEncoder.load(os.fspath(model), device, decoder)
        _check_frames(venv.observation_space, encoder.frame_shape, model)
        self._joins_frames = _has_earlier_frames(venv)
        if not any_game:
            for spec in _specs(venv):
                check_game(spec, encoder.env_id, model, NAME)
        builder = ObservationBuilder(
            encoder, venv.num_envs, max_sprites, level, display, flatten, self._joins_frames
        )
        super().__init__(venv, observation_space=builder.space)
        self._observer = BatchObserver(encoder, builder, render_sprites)
        self._render_sprites = render_sprites

    def reset(self) -> Any:
        """Resets all environments and empties the slots."""
        frames: Any = self.venv.reset()
        envs = range(self.num_envs)
        seen = self._observer.first(frames, envs, self._earlier("earlier_frame", envs))
        self._keep_reset_infos(seen, range(self.num_envs))
        return seen.observations

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Waits for the step's frames and moves the slots on."""
        frames, rewards, dones, infos = self.venv.step_wait()
        infos = [dict(info) for info in infos]
        ended = np.flatnonzero(dones).tolist()
        seen, final = self._observed(frames, infos, ended)
        errors, cameras = seen.error.copy(), None if seen.camera is None else seen.camera.copy()
        if final is not None:
            self._keep_reset_infos(seen, ended)
            errors[ended] = final.error  # of the last frame, as all else in these infos
            if cameras is not None:
                cameras[ended] = final.camera
            for row, env in enumerate(ended):
                infos[env]["terminal_observation"] = rows_of(final.observations, row)
        for env, info in enumerate(infos):
            info |= _info(errors, cameras, env)
        return seen.observations, rewards, dones, infos

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Returns the environments' pictures, or their frames with the sprites drawn over them."""
        return self._observer.pictures() if self._render_sprites else self.venv.get_images()

    def render(self, mode: str | None = None) -> np.ndarray | None:
        """Renders all environments as one picture, with the sprites if they are to be drawn."""
        return VecEnv.render(self, mode) if self._render_sprites else self.venv.render(mode)

    def _observed(
        self, frames: Any, infos: list[dict[str, Any]], ended: list[int]
    ) -> tuple[Observed, Observed | None]:
        earlier = self._earlier("earlier_frame", range(self.num_envs))
        if not ended:
            return self._observer.next(frames, range(self.num_envs), earlier), None
        last = np.stack([infos[env]["terminal_observation"] for env in ended])
        final_earlier = self._earlier("final_earlier_frame", ended)
        return self._observer.ends(frames, last, ended, earlier, final_earlier)

    def _earlier(self, name: str, envs: Sequence[int]) -> Sequence[np.ndarray | None]:
        return self.venv.get_attr(name, envs) if self._joins_frames else ()

    def _keep_reset_infos(self, seen: Observed, envs: Sequence[int]) -> None:
        for env in envs:
            own = _info(seen.error, seen.camera, env)
            self.reset_infos[env] = self.venv.reset_infos[env] | own


def _info(errors: np.ndarray, cameras: np.ndarray | None, env: int) -> dict[str, Any]:
    camera = {} if cameras is None else {"camera": cameras[env]}
    return {"sprite_error": float(errors[env])} | camera


def _specs(venv: VecEnv) -> list[Any]:
    return venv.get_attr("spec") if venv.has_attr("spec") else []


def _has_earlier_frames(venv: VecEnv) -> bool:
    """Tells whether the environments keep the frame before the last, as `LastTwoFrames` does."""
    joins = venv.has_attr("earlier_frame")
    if not joins and any(venv.env_is_wrapped(LastTwoFrames)):
        raise ValueError(
            f"{NAME} expects either all environments in LastTwoFrames or none, got some; wrap the "
            "others too"
        )
    return joins


def _check_frames(space: spaces.Space, shape: tuple[int, ...], model: Any) -> None:
    if isinstance(space, spaces.Box) and space.shape == shape and space.dtype == np.uint8:
        return
    kind = ValueError if isinstance(space, spaces.Box) else TypeError
    raise kind(
        f"{NAME} expects RGB frames as a uint8 Box of shape {shape}, the size that {model} was "
        f"learned on, got {space}; wrap each environment in gymnasium's AddRenderObservation, or "
        "use a model of this environment"
    )
