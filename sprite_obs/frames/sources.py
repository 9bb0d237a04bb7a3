"""Frames from wherever the user has them: a recording, an npz file, a PNG folder or a video."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from sprite_obs.errors import ConfigError, RecordingError
from sprite_obs.frames.store import INFO_FILE, load_arrays, read_episode, read_info

# FFmpeg shows texts and other files as videos too, so videos are known by name.
VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
KINDS = (
    f"a recording folder, an .npz file with `frames`, a folder of PNG files or a video "
    f"({', '.join(VIDEO_SUFFIXES)})"
)


class Frames(NamedTuple):
    """Frames in the order in which they were seen.

    Attributes:
        images: `(N, H, W, 3)` uint8 RGB, N >= 1.
        episode: `(N,)` int32, the episode of each frame; 0 where the source knows no episodes.
        env_id: the environment that they come from; None where the source does not know it.
    """

    images: np.ndarray
    episode: np.ndarray
    env_id: str | None


def read_frames(path: str | Path, max_frames: int | None = None) -> Frames:
    """Reads frames from a recording, an npz file, a folder of PNG files or a video.

    An npz file holds `frames`, `(N, H, W, 3)` uint8, and optionally `episode`, `(N,)` integers.
    PNG files are taken in the order of their names and brought to 8-bit RGB. Videos are read by
    OpenCV; most are compressed with loss, which blurs the sprites.

    Args:
        path: where the frames are.
        max_frames: read only so many, from the beginning; None for all.

    Raises:
        RecordingError: when frames are missing, damaged, or of wrong dtype, shape or mixed sizes.
        ConfigError: when `max_frames` is below 1.
    """
    path = Path(path)
    if max_frames is not None and max_frames < 1:
        raise ConfigError(f"max_frames: expected at least 1 or None, got {max_frames}")
    if not path.exists():
        raise RecordingError(f"expected {KINDS}, but {path} does not exist")
    if path.is_dir():
        read = _read_recording if (path / INFO_FILE).exists() else _read_png_folder
        return read(path, max_frames)
    if path.suffix.lower() == ".npz":
        return _read_npz(path, max_frames)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return _read_video(path, max_frames)
    raise RecordingError(f"expected {KINDS}, got {path}")


def _read_recording(path: Path, max_frames: int | None) -> Frames:
    info = read_info(path)
    total = min(info.num_frames, max_frames or info.num_frames)
    if total == 0:
        raise RecordingError(f"expected frames, but the recording {path} is empty; record again")
    images = np.empty((total, *info.frame_shape), np.uint8)  # (N, H, W, 3)
    episode = np.empty(total, np.int32)
    start = 0
    for index in range(len(info.episodes)):
        frames = read_episode(path, info, index).frames[: total - start]  # (T, H, W, 3)
        rows = slice(start, start + len(frames))
        images[rows], episode[rows] = frames, index
        start = rows.stop
        if start == total:
            break
    return Frames(images, episode, info.env_id)


def _read_npz(path: Path, max_frames: int | None) -> Frames:
    arrays = load_arrays(path, required=("frames",), optional=("episode",))
    images = arrays["frames"]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or images.size == 0:
        raise RecordingError(
            f"{path}: expected `frames` as uint8 (N, H, W, 3) with N >= 1, got {images.dtype} "
            f"{images.shape}; store RGB frames with values 0..255"
        )
    episode = arrays.get("episode", np.zeros(len(images), np.int32))
    if episode.shape != images.shape[:1] or episode.dtype.kind not in "iu":
        raise RecordingError(
            f"{path}: expected `episode` as {len(images)} integers, one per frame, got "
            f"{episode.dtype} {episode.shape}; mend it or leave it out"
        )
    return Frames(images[:max_frames], episode[:max_frames].astype(np.int32), None)


def _read_png_folder(path: Path, max_frames: int | None) -> Frames:
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".png")[:max_frames]
    if not files:
        raise RecordingError(
            f"expected {KINDS}, but {path} holds neither {INFO_FILE} nor PNG files"
        )
    first = _read_png(files[0])
    images = np.empty((len(files), *first.shape), np.uint8)  # (N, H, W, 3)
    for index, file in enumerate(files):
        image = _read_png(file)
        if image.shape != first.shape:
            raise RecordingError(
                f"expected frames of one size, but {file} is {image.shape[:2]} and "
                f"{files[0].name} is {first.shape[:2]} (H, W); keep one size per folder"
            )
        images[index] = image
    return Frames(images, np.zeros(len(files), np.int32), None)


def _read_png(file: Path) -> np.ndarray:
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)  # (H, W, 3) BGR
    if image is None:
        raise RecordingError(f"{file} is damaged or not a PNG file; mend or delete it")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _read_video(path: Path, max_frames: int | None) -> Frames:
    video = cv2.VideoCapture(str(path))
    images: list[np.ndarray] = []
    while max_frames is None or len(images) < max_frames:
        more, image = video.read()  # (H, W, 3) BGR
        if not more:
            break
        images.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    video.release()
    if not images:
        raise RecordingError(
            f"{path} is damaged or not a video: OpenCV reads no frame from it; convert it, or save "
            f"its frames as PNG files"
        )
    return Frames(np.stack(images), np.zeros(len(images), np.int32), None)
