"""A video made by code: a tennis player runs on a court that stands still (paper, section 4.4)."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from sprite_obs.errors import RecordingError, StorageError

HEIGHT, WIDTH = 128, 160
FPS = 25
FINE = 4
"""The player is drawn so many times larger and then scaled down, which gives soft edges."""
NOISE = 2.0
"""Standard deviation of each frame's noise, in 8-bit levels."""
GRASS, CLAY, LINE, NET = (70, 112, 74), (176, 104, 72), (226, 220, 208), (52, 56, 60)
SKIN, HAIR, SHIRT, SHORTS, SHOE = (
    (222, 164, 128),
    (62, 42, 34),
    (44, 84, 176),
    (236, 214, 92),
    (40, 38, 48),
)
RACKET = (190, 36, 60)
LEGS = ((-3, 3), (-8, 7), (1, 1), (7, -8))
"""How far to the right the two feet are in each phase of a run."""
HANDS = ((-8, 10), (7, 9), (12, -2), (10, -13), (-2, -16))
"""Where the racket hand is from its shoulder: at rest, ready, and through a stroke."""
STROKE_EVERY = 45
"""Frames from one stroke to the next."""
STROKE_POSES = (1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 2)


class Clip(NamedTuple):
    """A video with the truth about its player.

    Attributes:
        images: `(N, H, W, 3)` uint8 RGB.
        masks: `(N, H, W)` bool, pixels that the player covers at least by half.
    """

    images: np.ndarray
    masks: np.ndarray


Part = tuple[tuple[int, int, int], float, list[tuple[float, float]]]
"""A part of the body: RGB, thickness and corners (x, y) in pixels from the feet's middle."""


def tennis_clip(num_frames: int, seed: int) -> Clip:
    """Films a player who runs back and forth and strikes now and then.

    Args:
        num_frames: N, frames of 128 x 160 pixels (H, W).
        seed: of the court, the way that the player takes, and the noise.
    """
    rng = np.random.default_rng(seed)
    court = _court(rng)
    images, masks = [], []
    for parts, place in _script(num_frames, rng):
        color, alpha = _player(parts, place)
        image = court * (1 - alpha[..., None]) + color + rng.normal(0, NOISE, court.shape)
        images.append(image.round().clip(0, 255).astype(np.uint8))
        masks.append(alpha >= 0.5)
    return Clip(np.stack(images), np.stack(masks))


def write_video(path: Path, images: np.ndarray) -> None:
    """Writes `(N, H, W, 3)` uint8 RGB frames as a video of 25 frames per second.

    Raises:
        StorageError: when OpenCV cannot write it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _, height, width, _ = images.shape
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
    if not video.isOpened():
        raise StorageError(f"could not write the video {path}; choose another folder or format")
    for image in images:
        video.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    video.release()


def read_video(path: Path, max_frames: int) -> np.ndarray:
    """Reads a video of any size, scaled down to at most 128 rows as it is read.

    Args:
        path: any file that OpenCV reads.
        max_frames: read only so many, from the beginning.

    Returns:
        `(N, H, W, 3)` uint8 RGB.

    Raises:
        RecordingError: when OpenCV reads no frame.
    """
    video = cv2.VideoCapture(str(path))
    images: list[np.ndarray] = []
    while len(images) < max_frames:
        more, image = video.read()  # (H, W, 3) BGR
        if not more:
            break
        images.append(cv2.cvtColor(_shrink(image), cv2.COLOR_BGR2RGB))
    video.release()
    if not images:
        raise RecordingError(f"expected a video that OpenCV reads, got {path}; convert it to mp4")
    return np.stack(images)


def _shrink(image: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    if height <= HEIGHT:
        return image
    size = round(width * HEIGHT / height), HEIGHT
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _court(rng: np.random.Generator) -> np.ndarray:
    """Draws a court in perspective, of uneven ground: `(H, W, 3)` float."""
    court = np.full((HEIGHT, WIDTH, 3), GRASS, np.uint8)
    corners = np.array([(34, 26), (WIDTH - 34, 26), (WIDTH + 6, HEIGHT - 8), (-6, HEIGHT - 8)])
    cv2.fillPoly(court, [corners], CLAY)
    cv2.polylines(court, [corners], True, LINE, 2, cv2.LINE_AA)
    cv2.line(court, (20, 62), (WIDTH - 20, 62), LINE, 1, cv2.LINE_AA)
    cv2.line(court, (WIDTH // 2, 26), (WIDTH // 2, 62), LINE, 1, cv2.LINE_AA)
    cv2.rectangle(court, (0, 8), (WIDTH, 19), NET, -1)
    cv2.line(court, (0, 7), (WIDTH, 7), LINE, 2)
    uneven = _smooth(rng, 2) + _smooth(rng, 6) + _smooth(rng, 20)
    return court + uneven[..., None] * [1.0, 0.9, 0.8]


def _smooth(rng: np.random.Generator, size: float) -> np.ndarray:
    """Returns smooth noise of a standard deviation of 4 levels: `(H, W)` float."""
    noise = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)), (0, 0), size)
    return 4 * noise / noise.std()


def _script(
    num_frames: int, rng: np.random.Generator
) -> list[tuple[list[Part], tuple[float, float]]]:
    """Returns the player's parts and the place of his feet for each frame."""
    place, aim, script, run = np.array([80.0, 96.0]), np.array([80.0, 96.0]), [], 0.0
    for frame in range(num_frames):
        if np.hypot(*(aim - place)) < 3:
            aim = rng.uniform((24, 72), (WIDTH - 24, HEIGHT - 10))
        in_stroke = frame % STROKE_EVERY < len(STROKE_POSES)
        speed = 0.4 if in_stroke else 1.9
        place = place + speed * (aim - place) / max(np.hypot(*(aim - place)), 1e-6)
        run += speed
        hand = STROKE_POSES[frame % STROKE_EVERY] if in_stroke else 0
        facing = 1 if aim[0] >= place[0] else -1
        script.append((_body(int(run / 6) % len(LEGS), hand, facing), (place[0], place[1])))
    return script


def _body(phase: int, hand: int, facing: int) -> list[Part]:
    """Returns the parts of the body, back to front."""
    first, second = LEGS[phase]
    reach, rise = HANDS[hand]
    grip = 4 + reach, -27 + rise
    tip = grip[0] + reach * 0.7, grip[1] + (rise - 4) * 0.6
    parts: list[Part] = [
        (SKIN, 3.5, [(-4, -27), (-7, -20), (-4, -15)]),
        (SKIN, 4, [(-2, -14), (second / 2 - 1, -8), (second, -2)]),
        (SHOE, 4, [(second, -1), (second + 3, -1)]),
        (SKIN, 4, [(2, -14), (first / 2 + 1, -8), (first, -2)]),
        (SHOE, 4, [(first, -1), (first + 3, -1)]),
        (SHORTS, 8, [(0, -16), (0, -14)]),
        (SHIRT, 11, [(0, -27), (0, -21)]),
        (RACKET, 1.5, [grip, tip]),
        (RACKET, 7, [tip, tip]),
        (SKIN, 3.5, [(4, -27), grip]),
        (HAIR, 10, [(-1, -38), (-1, -38)]),
        (SKIN, 7.5, [(1, -37), (1, -36.5)]),
    ]
    return [(color, width, [(facing * x, y) for x, y in way]) for color, width, way in parts]


def _player(parts: list[Part], place: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Draws the player: `(H, W, 3)` float colours, premultiplied, and `(H, W)` alpha."""
    color = np.zeros((HEIGHT * FINE, WIDTH * FINE, 3), np.uint8)
    alpha = np.zeros(color.shape[:2], np.uint8)
    for rgb, thickness, way in parts:
        points = ((np.array(way) + place) * FINE).round().astype(np.int32)[:, None]
        width = round(thickness * FINE)
        cv2.polylines(color, [points], False, rgb, width)
        cv2.polylines(alpha, [points], False, 255, width)
    size = WIDTH, HEIGHT
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA).astype(float)
    return small, cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) / 255
