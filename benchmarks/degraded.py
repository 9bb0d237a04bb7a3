"""Learns games from frames that were compressed or scaled, and measures what is still found.

python benchmarks/degraded.py --data DIR --games Pong,Freeway --out degraded.md

DIR holds <Game>_train.npz and <Game>_test.npz, as for benchmarks/detection.py. The frames of both
are degraded in the same way, as those of a user's video are, and the ground truth is scaled along.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import detection
import numpy as np
import tyro
from measure import ROOT, markdown_table, number, percent, run_benchmark

from sprite_obs.errors import ConfigError, RecordingError, SpriteObsError
from sprite_obs.frames.sources import read_frames

BOX = ("gt_x", "gt_y", "gt_w", "gt_h")
VIDEO_RATE = 15
HEADER = (
    "game",
    "frames",
    "F1 moving",
    "MOC F1 moving",
    "hard PSNR, dB",
    "exact pixels, %",
    "sprites",
    "palette",
    "decoder",
    "pretraining, s",
)


@dataclass(frozen=True)
class Args:
    """Learns games from frames that were compressed or scaled, and measures what is found."""

    data: Path
    """Folder with <Game>_train.npz and <Game>_test.npz."""
    games: str | None = None
    """Games to measure, with commas between them; all of the folder if not given."""
    degradations: str = "none,jpeg90,jpeg50,half,double,video"
    """What is done to the frames, with commas: jpeg90 and jpeg50 (quality of each frame), half
    (means of 2 x 2 pixels), double (linear), video (MPEG-4)."""
    config: Path = ROOT / "configs" / "pretrain" / "atari.yaml"
    """Settings, the same for all."""
    models: Path = ROOT / "models" / "degraded"
    """Folder for the models. One learned from the same frames and settings is not learned again."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


def jpeg(quality: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns what compresses `(N, H, W, 3)` uint8 RGB frames one by one."""

    def degrade(images: np.ndarray) -> np.ndarray:
        degraded = np.empty_like(images)
        for index, image in enumerate(images):
            bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
            _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
            degraded[index] = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        return degraded

    return degrade


def scale(factor: float, interpolation: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns what scales `(N, H, W, 3)` uint8 frames."""

    def degrade(images: np.ndarray) -> np.ndarray:
        height, width = (round(size * factor) for size in images.shape[1:3])
        scaled = np.empty((len(images), height, width, 3), np.uint8)
        for index, image in enumerate(images):
            scaled[index] = cv2.resize(image, (width, height), interpolation=interpolation)
        return scaled

    return degrade


def video(images: np.ndarray) -> np.ndarray:
    """Writes `(N, H, W, 3)` uint8 RGB frames to an MPEG-4 video and reads them back.

    Raises:
        RecordingError: when OpenCV cannot write such a video.
    """
    height, width = images.shape[1:3]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.mp4"
        writer = cv2.VideoWriter(
            str(file), cv2.VideoWriter.fourcc(*"mp4v"), VIDEO_RATE, (width, height)
        )
        for image in images:
            writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        writer.release()
        try:
            read = read_frames(file).images
        except RecordingError:
            read = images[:0]
    if read.shape != images.shape:
        raise RecordingError(
            f"expected to read back a video of {images.shape[:3]}, got {read.shape[:3]}; this "
            "OpenCV does not write MPEG-4, leave out `video`"
        )
    return read


DEGRADATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda images: images,
    "jpeg90": jpeg(90),
    "jpeg50": jpeg(50),
    "half": scale(0.5, cv2.INTER_AREA),
    "double": scale(2, cv2.INTER_LINEAR),
    "video": video,
}


def measure(args: Args) -> str:
    """Degrades, learns and measures all games; returns the table.

    Raises:
        SpriteObsError: when files are missing or of the wrong kind.
    """
    wanted = args.degradations.split(",")
    unknown = [name for name in wanted if name not in DEGRADATIONS]
    if unknown:
        known = ", ".join(DEGRADATIONS)
        raise ConfigError(f"degradations: expected some of {known}, got {unknown[0]!r}")
    lines = []
    for game in detection.games(detection.Args(args.data, args.games)):
        for name in wanted:
            lines.append([game, name, *row(args, game, name)])
    return markdown_table(HEADER, lines)


def row(args: Args, game: str, name: str) -> list[str]:
    """Learns and measures a game from frames degraded in one way; dashes where learning failed."""
    model = args.models / f"{game}_{name}"
    with tempfile.TemporaryDirectory() as folder:  # frames take hundreds of megabytes
        train, test = (
            write_degraded(args.data / f"{game}_{part}.npz", Path(folder), name)
            for part in ("train", "test")
        )
        try:
            usage = detection.pretrain(train, args.config, model)
        except SpriteObsError:  # it has said why on stderr; the other rows are worth having
            return ["-"] * (len(HEADER) - 2)
        about = json.loads((model / "model.json").read_text())
        figures = detection.evaluate(test, model, about["decoder"], usage)
    return [
        number(figures.moving_f1, 3),
        number(figures.centre_f1, 3),
        number(figures.psnr, 1),
        percent(figures.exact_pixels, 3),
        number(figures.num_sprites, 0),
        "exact" if about["exact_palette"] else "clustered",
        about["decoder"],
        number(figures.seconds, 0),
    ]


def write_degraded(file: Path, folder: Path, name: str) -> Path:
    """Writes a file of frames and ground truth anew with degraded frames, and returns its path."""
    with np.load(file) as stored:
        arrays = {key: stored[key] for key in stored.files}
    before = arrays["frames"].shape[1:3]
    arrays["frames"] = DEGRADATIONS[name](arrays["frames"])
    after = arrays["frames"].shape[1:3]
    if after != before and "gt_x" in arrays:
        arrays |= scaled_truth(arrays, after[0] / before[0])
        arrays["frame_hw"] = np.array(after)
    out = folder / file.name
    np.savez(out, **arrays)
    return out


def scaled_truth(arrays: dict[str, np.ndarray], factor: float) -> dict[str, np.ndarray]:
    """Returns boxes and areas of the display in scaled frames: all pixels they reach into."""
    boxes = scaled_boxes(np.stack([arrays[key] for key in BOX], axis=1), factor)
    scaled = dict(zip(BOX, boxes.T, strict=True))
    return scaled | {"hud_rects": scaled_boxes(arrays["hud_rects"], factor)}


def scaled_boxes(boxes: np.ndarray, factor: float) -> np.ndarray:
    """Scales `(N, 4)` integers left, top, width, height to whole pixels."""
    start = np.floor(boxes[:, :2] * factor)
    end = np.ceil((boxes[:, :2] + boxes[:, 2:]) * factor)
    return np.concatenate([start, end - start], axis=1).astype(int)


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: measure(args), args.out)
