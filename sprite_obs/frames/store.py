"""A recording on disk: a folder with `recording.json` and one compressed npz file per episode.

Files appear whole or not at all, and `recording.json` names an episode only after its file is
there; whatever interrupts a recording, the episodes that it names can be read.
"""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sprite_obs.errors import RecordingError
from sprite_obs.files import replacing

FORMAT_VERSION = 1
INFO_FILE = "recording.json"


class Episode(NamedTuple):
    """One episode, without loss; `actions[t]` leads from `frames[t]` to `frames[t + 1]`.

    Attributes:
        frames: `(T, H, W, 3)` uint8 RGB in the environment's own resolution.
        actions: `(T - 1, ...)`, in shape and dtype of the action space.
        rewards: `(T - 1,)` float32.
        terminated: whether the environment ended the episode.
        truncated: whether a time limit did, or the recorder at its requested number of frames.
    """

    frames: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool
    truncated: bool


class EpisodeEntry(NamedTuple):
    """What `recording.json` says about an episode: the file's name and T."""

    file: str
    num_frames: int


class RecordingInfo(NamedTuple):
    """What `recording.json` says besides its format version.

    Attributes:
        env_id: the environment's id, as `make_env` takes it.
        env_kwargs: settings of the environment's spec, such as the frameskip.
        policy: what chose the actions.
        seed: seed of the environment and of the policy.
        versions: version of each library that decides what is recorded; None if not installed.
        frame_shape: (H, W, 3) of every frame.
        episodes: the stored episodes in the order in which they were played.
    """

    env_id: str
    env_kwargs: dict[str, Any]
    policy: str
    seed: int
    versions: dict[str, str | None]
    frame_shape: tuple[int, int, int]
    episodes: tuple[EpisodeEntry, ...] = ()

    @property
    def num_frames(self) -> int:
        """Frames of all episodes."""
        return sum(entry.num_frames for entry in self.episodes)


class RecordingWriter:
    """Adds whole episodes to a new recording; after each, the folder is a readable recording."""

    def __init__(self, path: str | Path, info: RecordingInfo):
        """Makes the folder, which may exist as long as it holds no recording.

        Args:
            path: folder of the recording.
            info: what to store beside the episodes; its own `episodes` are empty.

        Raises:
            RecordingError: when the folder holds a recording already or cannot be made.
        """
        self.path = Path(path)
        self.info = info
        if (self.path / INFO_FILE).exists() or any(self.path.glob("episode_*.npz")):
            raise RecordingError(
                f"expected a new folder, but {path} holds a recording already; choose another "
                f"folder or delete this one"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f"cannot make the folder {path}: {error.strerror}") from error

    @property
    def num_bytes(self) -> int:
        """Size of the recording's files in bytes."""
        names = [entry.file for entry in self.info.episodes] + [INFO_FILE]
        return sum((self.path / name).stat().st_size for name in names)

    def add(self, episode: Episode) -> None:
        """Stores one episode.

        Raises:
            RecordingError: when its frames have another shape or the disk does not take it.
        """
        shape, expected = episode.frames.shape[1:], self.info.frame_shape
        if shape != expected:
            raise RecordingError(
                f"frames of one recording have one shape, {expected} here, but an episode came "
                f"with {shape}; choose an environment whose frames keep their size"
            )
        entry = EpisodeEntry(f"episode_{len(self.info.episodes):05d}.npz", len(episode.frames))
        with replacing(self.path / entry.file) as file:
            np.savez_compressed(file, **episode._asdict())
        self.info = self.info._replace(episodes=(*self.info.episodes, entry))
        with replacing(self.path / INFO_FILE) as file:
            file.write(_to_json(self.info).encode())


def _to_json(info: RecordingInfo) -> str:
    episodes = [entry._asdict() for entry in info.episodes]
    values = info._asdict() | {"num_frames": info.num_frames, "episodes": episodes}
    # Settings that JSON does not know (a callable, say) are kept as text, for the reader's eye.
    return json.dumps({"format_version": FORMAT_VERSION} | values, indent=2, default=str) + "\n"


def read_info(path: str | Path) -> RecordingInfo:
    """Reads what a recording says about itself.

    Raises:
        RecordingError: when the folder is no recording, or its `recording.json` is damaged or of
            another format version.
    """
    file = Path(path) / INFO_FILE
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        version = values["format_version"]
        info = _from_dict(values) if version == FORMAT_VERSION else None
    except FileNotFoundError:
        raise RecordingError(f"expected a recording in {path}, but there is no {file}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise RecordingError(f"{file} is damaged ({reason}); record again") from error
    if info is None:
        raise RecordingError(
            f"{file}: expected format version {FORMAT_VERSION}, got {version!r}; record again, or "
            f"use the version of sprite-obs that recorded it"
        )
    return info


def _from_dict(values: dict[str, Any]) -> RecordingInfo:
    height, width, channels = (int(size) for size in values["frame_shape"])
    entries = [EpisodeEntry(e["file"], int(e["num_frames"])) for e in values["episodes"]]
    known = {name: values[name] for name in RecordingInfo._fields}
    known |= {"frame_shape": (height, width, channels), "episodes": tuple(entries)}
    return RecordingInfo(**known)


def read_episode(path: str | Path, info: RecordingInfo, index: int) -> Episode:
    """Reads one episode of a recording.

    Args:
        path: folder of the recording.
        info: what `read_info` returned for it.
        index: the episode's place in `info.episodes`.

    Raises:
        RecordingError: when the file is missing, damaged, or not what `info` says.
    """
    entry = info.episodes[index]
    arrays = load_arrays(Path(path) / entry.file, required=Episode._fields)
    shape, expected = arrays["frames"].shape, (entry.num_frames, *info.frame_shape)
    if shape != expected or arrays["frames"].dtype != np.uint8:
        raise RecordingError(
            f"{Path(path) / entry.file}: expected uint8 frames {expected}, got "
            f"{arrays['frames'].dtype} {shape}; record again"
        )
    flags = {name: bool(arrays[name]) for name in ("terminated", "truncated")}
    return Episode(arrays["frames"], arrays["actions"], arrays["rewards"], **flags)


def load_arrays(
    path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """Reads named arrays of an npz file, never unpickling anything.

    Raises:
        RecordingError: when the file is missing or damaged, or lacks a required array.
    """
    try:
        with zipfile.ZipFile(path):  # np.load would take other kinds of files for pickles
            pass
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in required if name not in arrays.files]
            if missing:
                raise RecordingError(
                    f"{path}: expected an array {missing[0]!r}, got {', '.join(arrays.files)}; "
                    f"save the file with numpy.savez_compressed({missing[0]}=...)"
                )
            return {name: arrays[name] for name in (*required, *optional) if name in arrays.files}
    except FileNotFoundError:
        raise RecordingError(f"expected a file {path}, but there is none") from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordingError(f"{path} is damaged or not an npz file: {error}") from error
