"""Scenes whose scenery is larger than the screen: a camera moves, a display stands still."""

from typing import NamedTuple

import numpy as np
from scenes import COLORS, drawings, paint

WIDTH, HEIGHT, DISPLAY = 96, 80, 12
"""The frame, and the rows at its top that stand still."""
WORLD_COLORS = np.concatenate([COLORS, [[90, 120, 30], [150, 90, 40], [20, 90, 90]]]).astype(
    np.uint8
)
SKY, SCENERY = 0, (6, 7, 8)


class ScrollingScene(NamedTuple):
    """Frames with their truth.

    Attributes:
        index: `(N, H, W)` uint8 palette indices.
        behind: `(N, H, W)` uint8, the same without the sprites.
        camera: `(N, 2)` int64, x and y of the camera in the world.
        boxes: `(N, 3, 4)` int64, left, top, width, height of each sprite.
    """

    index: np.ndarray
    behind: np.ndarray
    camera: np.ndarray
    boxes: np.ndarray


def make_world(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Returns `(h, w)` uint8: platforms on a sky, with spots as sprites have."""
    rng = np.random.default_rng(seed)
    world = np.full(size, SKY, np.uint8)
    for _ in range(size[0] * size[1] // 300):
        height, width = rng.integers(4, 10), rng.integers(10, 40)
        top, left = rng.integers(0, size[0] - 3), rng.integers(0, size[1] - 9)
        world[top : top + height, left : left + width] = rng.choice(SCENERY)
        world[top + 1 : top + 3, left + 2 : left + 6] = 1
    return world


def make_path(count: int, reach: tuple[int, int], seed: int) -> np.ndarray:
    """Returns `(count, 2)` int64, a walk of changing speed in [0, reach] along x and y."""
    rng = np.random.default_rng(seed)
    place = np.array([rng.integers(0, high + 1) for high in reach])
    speed, path = np.zeros(2, np.int64), []
    for n in range(count):
        if n % 12 == 0:
            speed = rng.integers(-5, 6, 2)
        speed = np.where((place + speed < 0) | (place + speed > reach), -speed, speed)
        place = np.clip(place + speed, 0, reach)
        path.append(place)
    return np.stack(path)


def make_scrolling(
    world: np.ndarray, count: int = 200, seed: int = 0, seen: np.ndarray | None = None
) -> ScrollingScene:
    """Lets three sprites walk on the screen while the camera moves over a world.

    Args:
        world: `(h, w)` uint8; as wide or as high as the part of the screen that scrolls, and it
            scrolls along the other axis alone.
        count: frames.
        seed: of the camera's path and of the sprites'.
        seen: `(n, 2)` places of the camera, of which each frame shows one; None for a path.
    """
    rng = np.random.default_rng(seed + 1)
    top, bottom = DISPLAY, HEIGHT
    reach = world.shape[1] - WIDTH, world.shape[0] - (bottom - top)
    camera = make_path(count, reach, seed) if seen is None else rng.choice(seen, count)
    behind = np.zeros((count, HEIGHT, WIDTH), np.uint8)
    behind[:, 3:8, 5:30] = 5
    behind[:, 3:8, 60:64] = 4
    for frame, (x, y) in zip(behind, camera, strict=True):
        frame[top:bottom] = world[y : y + bottom - top, x : x + WIDTH]
    index, boxes = behind.copy(), np.zeros((count, 3, 4), np.int64)
    for number, drawing in enumerate(drawings()):
        height, width = drawing.shape
        place = np.array([4 + 32 * number, 30])
        for n in range(count):
            low = np.array([2 + 32 * number, DISPLAY + 2])
            high = np.array([30 + 32 * number - width, HEIGHT - height - 2])
            place = np.clip(place + rng.integers(-3, 4, 2), low, high)
            paint(index[n], drawing, *place.tolist())
            boxes[n, number] = *place, width, height
    return ScrollingScene(index, behind, camera, boxes)


def add_parallax(scene: ScrollingScene, far: np.ndarray, height: int = 24) -> ScrollingScene:
    """Lets the uppermost rows that scroll show another world, which moves half as fast."""
    behind, index = scene.behind.copy(), scene.index.copy()
    rows = slice(DISPLAY, DISPLAY + height)
    for n, x in enumerate(scene.camera[:, 0] // 2):
        sprite = scene.index[n, rows] != scene.behind[n, rows]
        behind[n, rows] = far[:height, x : x + WIDTH]
        index[n, rows] = np.where(sprite, index[n, rows], behind[n, rows])
    return scene._replace(index=index, behind=behind)
