"""Where the objects of frames really are, as a file says that a game's memory was read into."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sprite_obs.errors import RecordingError
from sprite_obs.frames.store import load_arrays

BOX = ("gt_x", "gt_y", "gt_w", "gt_h")
FLAGS = ("gt_hud", "gt_moving", "gt_visible")
COLUMNS = {"gt_frame": "iu", "gt_cat": "iu"} | dict.fromkeys(BOX, "iu") | dict.fromkeys(FLAGS, "b")
"""Arrays with one row per object and frame, and their kinds of dtype."""
TRACK = "gt_track"
"""A column that need not be there."""
OTHERS = ("hud_rects", "frame_hw", "category_names")


class GroundTruth(NamedTuple):
    """The objects of recorded frames; M rows, one per object and frame.

    Attributes:
        frame: `(M,)` integers, index of the frame.
        category: `(M,)` integers, index into `category_names`.
        box: `(M, 4)` integers, left, top, width, height in pixels; may reach beyond the frame.
        hud: `(M,)` bool, whether it belongs to the display of score, lives and time.
        moving: `(M,)` bool, whether the object moves at some time.
        visible: `(M,)` bool, whether the frame shows it.
        hud_rects: `(R, 4)` integers, areas of the display as left, top, width, height.
        frame_size: (H, W) of the frames.
        category_names: what the objects are.
        track: `(M,)` integers, which rows of an episode are one object; None where the file does
            not say.
    """

    frame: np.ndarray
    category: np.ndarray
    box: np.ndarray
    hud: np.ndarray
    moving: np.ndarray
    visible: np.ndarray
    hud_rects: np.ndarray
    frame_size: tuple[int, int]
    category_names: tuple[str, ...]
    track: np.ndarray | None = None

    def check_fits(self, images: np.ndarray) -> None:
        """Refuses frames that this cannot be the truth of.

        Args:
            images: `(N, H, W, 3)` frames.

        Raises:
            RecordingError: when they are too few or of another size.
        """
        num_frames, *size = images.shape[:3]
        if tuple(size) != self.frame_size:
            raise RecordingError(
                f"expected ground truth of frames of {tuple(size)} pixels (H, W), got one of "
                f"{self.frame_size}; use the ground truth of these frames"
            )
        if self.frame.max(initial=-1) >= num_frames:
            raise RecordingError(
                f"expected ground truth of {num_frames} frames, got one with objects in frame "
                f"{self.frame.max()}; use the ground truth of these frames"
            )


def read_ground_truth(path: str | Path) -> GroundTruth:
    """Reads an npz file with ground truth; `docs/detection.md` says what it holds.

    Raises:
        RecordingError: when the file is missing or damaged, or its arrays are not what they must
            be.
    """
    path = Path(path)
    arrays = load_arrays(path, required=(*COLUMNS, *OTHERS), optional=(TRACK,))
    _check_columns(path, arrays)
    _check_others(path, arrays)
    height, width = arrays["frame_hw"].tolist()
    names = tuple(str(name) for name in arrays["category_names"])
    _check_range(path, "gt_frame", arrays["gt_frame"], None)
    _check_range(path, "gt_cat", arrays["gt_cat"], len(names))
    return GroundTruth(
        frame=arrays["gt_frame"],
        category=arrays["gt_cat"],
        box=np.stack([arrays[name] for name in BOX], axis=1),
        hud=arrays["gt_hud"],
        moving=arrays["gt_moving"],
        visible=arrays["gt_visible"],
        hud_rects=arrays["hud_rects"],
        frame_size=(height, width),
        category_names=names,
        track=arrays.get(TRACK),
    )


def _check_columns(path: Path, arrays: dict[str, np.ndarray]) -> None:
    rows = arrays["gt_frame"].size
    columns = COLUMNS | ({TRACK: "iu"} if TRACK in arrays else {})
    for name, kinds in columns.items():
        array = arrays[name]
        if array.shape != (rows,) or array.dtype.kind not in kinds:
            what = "truth values" if kinds == "b" else "integers"
            raise _error(path, name, f"{rows} {what}, one per object and frame", array)


def _check_others(path: Path, arrays: dict[str, np.ndarray]) -> None:
    rects, size, names = (arrays[name] for name in OTHERS)
    if rects.ndim != 2 or rects.shape[1] != 4 or rects.dtype.kind not in "iu":
        raise _error(path, "hud_rects", "integers of shape (R, 4)", rects)
    if size.shape != (2,) or size.dtype.kind not in "iu":
        raise _error(path, "frame_hw", "two integers, height and width", size)
    if names.ndim != 1 or names.dtype.kind != "U":
        raise _error(path, "category_names", "one-dimensional text", names)


def _error(path: Path, name: str, expected: str, came: np.ndarray) -> RecordingError:
    return RecordingError(
        f"{path}: expected `{name}` as {expected}, got {came.dtype} {came.shape}; mend the file"
    )


def _check_range(path: Path, name: str, values: np.ndarray, limit: int | None) -> None:
    wrong = values[(values < 0) | (False if limit is None else values >= limit)]
    if len(wrong):
        most = "" if limit is None else f" and below {limit}"
        raise RecordingError(
            f"{path}: expected `{name}` of at least 0{most}, got {wrong[0]}; mend the file"
        )
