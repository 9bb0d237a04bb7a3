"""The sprites of many frames, as a table of flat arrays."""

from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from sprite_obs.detections import Detections
from sprite_obs.errors import CheckpointError
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.games import game_name
from sprite_obs.objects.tracker import track_ids

CHUNK = 64
"""Frames encoded at once, so that memory does not grow with their number."""


def chunks(
    images: np.ndarray, description: str, size: int = CHUNK
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields pieces of frames and the index of their first one, with a progress bar on stderr."""
    with tqdm(total=len(images), desc=description, unit="frame") as bar:
        for start in range(0, len(images), size):
            chunk = images[start : start + size]
            yield start, chunk
            bar.update(len(chunk))


def detect(encoder: FrozenEncoder, frames: Frames) -> dict[str, np.ndarray]:
    """Finds the sprites of all frames, with a progress bar on stderr.

    Returns:
        Arrays with one row per sprite, in the order of the frames: `frame` int32; `id` int32, the
        type id, 0 for things that the dictionary lacks; `sprite` int32, the sprite id, 0 likewise;
        `layer` int32; `object` int32, equal for fragments of one object; `display` bool, whether
        it is score, lives or a logo; `track` int32, the number of the thing, from 1 in each
        episode, kept from frame to frame (see `sprite_obs.objects.tracker`); `x`, `y`, `w`, `h`
        int32, left, top, width and height in pixels, cut at the border of the frame and where a
        wall hides the rest; `score` float32 in [0, 1].

    Raises:
        CheckpointError: when the frames are not those of this model.
    """
    check_game(encoder.env_id, frames.env_id)
    parts = []
    for start, images in chunks(frames.images, "detecting"):
        found = encoder.in_view(encoder.encode(images)).clipped(images.shape[1:3])
        parts.append((start, found))
    found = join(parts)
    x, y, w, h = np.ascontiguousarray(found.box.T)
    return {
        "frame": found.frame,
        "id": found.type,
        "sprite": found.sprite,
        "layer": found.layer,
        "object": found.object,
        "display": encoder.is_display(found),
        "track": track_ids(found, frames.episode),
        **{"x": x, "y": y, "w": w, "h": h},
        "score": found.score,
    }


def join(parts: list[tuple[int, Detections]]) -> Detections:
    """Joins the detections of pieces of frames, each with the index of its first frame."""
    shifted = []
    num_objects = 0
    for start, found in parts:
        frame, number = found.frame + np.int32(start), found.object + np.int32(num_objects)
        shifted.append(found._replace(frame=frame, object=number))
        num_objects = int(number.max(initial=num_objects - 1)) + 1
    return Detections(*(np.concatenate(arrays) for arrays in zip(*shifted, strict=True)))


def check_game(learned_on: str | None, recorded_from: str | None) -> None:
    """Refuses frames of another game than the model's, where both are known.

    Raises:
        CheckpointError: when the games differ.
    """
    if learned_on is None or recorded_from is None:
        return
    if game_name(learned_on) != game_name(recorded_from):
        raise CheckpointError(
            f"expected frames of {learned_on}, on which the model was learned, got frames of "
            f"{recorded_from}; use a model of this game"
        )
