"""Films of an agent that plays: what it sees, what it attends to, and what is rebuilt from that."""

import os
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from attention import slot_attention
from sight import taken_by
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv, unwrap_vec_wrapper

from sprite_obs.detections import Detections, merge_objects
from sprite_obs.errors import SpriteObsError
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.objects.flicker import join_frames
from sprite_obs.vector.sb3 import VecSpriteObservation
from sprite_obs.view.attention import WIDTH, Watched, attention_picture
from sprite_obs.view.picture import enlarged

FRAMES_PER_SECOND = 15.0  # what a player of an Atari game sees with a frame skip of 4
NEAR = 0.01  # pixels between a slot's position and the centre of its box: rounding


class Video:
    """Writes pictures to an MP4 file, which appears under its name when it is complete."""

    def __init__(self, path: Path):
        self._path = path
        self._partial = path.with_name(f".{path.stem}.partial.mp4")
        self._writer: cv2.VideoWriter | None = None

    def add(self, picture: np.ndarray) -> None:
        """Appends an `(H, W, 3)` uint8 RGB picture; the first one sets the size.

        Raises:
            SpriteObsError: when the file cannot be written.
        """
        if self._writer is None:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            height, width, _ = picture.shape
            self._writer = cv2.VideoWriter(
                str(self._partial), code, FRAMES_PER_SECOND, (width, height)
            )
            if not self._writer.isOpened():
                raise SpriteObsError(
                    f"cannot write a video to {self._path}; choose another --video"
                )
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Completes the file."""
        if self._writer is not None:
            self._writer.release()
            os.replace(self._partial, self._path)


class Film:
    """Films what an agent sees in the first of its environments.

    Of an agent of sprites, what it sees and attends to is shown, of others what is rendered.

    Args:
        path: the MP4 file.
        agent: the agent that plays.
        env: what it plays in, of `build_vec_env`.
        model: folder or name of the model that finds the sprites there; not used with pixels.
    """

    def __init__(self, path: Path, agent: BaseAlgorithm, env: VecEnv, model: str | None):
        self._video = Video(path)
        self._agent, self._env, self._take = agent, env, taken_by(agent, env)
        self._seeing = unwrap_vec_wrapper(env, VecSpriteObservation)
        self._encoder = FrozenEncoder.load(model) if model and self._seeing else None
        self._action_names = _action_names(env)
        self._step = 0

    def add(self, observation: Any, action: np.ndarray) -> None:
        """Appends what is there now.

        Args:
            observation: what the environments show: slots, also to agents of features of them.
            action: what it does there, `(N, ...)`.

        Raises:
            SpriteObsError: when the file cannot be written.
        """
        self._video.add(self._picture(observation, action))
        self._step += 1

    def close(self) -> None:
        """Completes the file."""
        self._video.close()

    def _picture(self, observation: Any, action: np.ndarray) -> np.ndarray:
        if self._encoder is None or self._seeing is None:
            picture = cast(np.ndarray, self._env.get_images()[0])
            return enlarged(picture, max(round(WIDTH / picture.shape[1]), 1))
        frame = cast(np.ndarray, self._seeing.venv.get_images()[0])  # (H, W, 3)
        found = _found_by(self._encoder, self._seeing.venv, frame)
        rebuilt = self._encoder.reconstruct(found, self._encoder.backgrounds(frame))[0]
        first = {key: array[:1] for key, array in observation.items()}
        attention = slot_attention(self._agent, first, action[:1], self._take)
        slots = {key: array[0] for key, array in first.items()}
        things = watched(self._encoder, found, slots, attention)
        caption = f"step {self._step}, {self._action_name(action[0])}; attention:"
        return attention_picture(frame, rebuilt, things, caption)

    def _action_name(self, action: Any) -> str:
        return self._action_names[int(action)] if self._action_names else f"action {action}"


def _action_names(env: VecEnv) -> list[str]:
    """Returns what Atari games call their actions, nothing for other environments."""
    try:
        return env.env_method("get_action_meanings", indices=[0])[0]
    except AttributeError:
        return []


def _found_by(encoder: FrozenEncoder, venv: VecEnv, frame: np.ndarray) -> Detections:
    """Returns the sprites of the first environment's frame, as its agent sees them."""
    earlier = venv.get_attr("earlier_frame", [0])[0] if venv.has_attr("earlier_frame") else None
    if earlier is None:
        return encoder.encode(frame)
    return join_frames(encoder.encode(np.stack([earlier, frame])))


def watched(
    encoder: FrozenEncoder,
    found: Detections,
    slots: dict[str, np.ndarray],
    attention: np.ndarray,
) -> list[Watched]:
    """Returns the things in the slots of an observation with the boxes in which they were found.

    Args:
        encoder: what found them.
        found: the sprites of the frame.
        slots: the observation, `(M, ...)` each.
        attention: `(M,)` float32.
    """
    height, width, _ = encoder.frame_shape
    # A slot holds an object or, in environments of that level, one of its sprites.
    boxes = np.concatenate([merge_objects(found).box, found.box])
    kinds = np.concatenate([merge_objects(found).type, found.type])
    centres = np.clip(boxes[:, :2] + boxes[:, 2:] / 2, 0, [width, height])
    things = []
    for slot in np.flatnonzero(slots["presence"]):
        distance = np.abs(centres - slots["position"][slot]).max(1)
        rows = np.flatnonzero((distance < NEAR) & (kinds == slots["type"][slot]))
        if len(rows):
            kind = int(slots["type"][slot])
            name = encoder.type_names.get(kind, f"t{kind}" if kind else "?")
            left, top, *size = boxes[rows[0]].tolist()
            track, share = int(slots["track"][slot]), float(attention[slot])
            things.append(Watched((left, top, size[0], size[1]), kind, name, track, share))
    return things
