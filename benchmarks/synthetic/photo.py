"""One large photograph by its crops (paper, section 4.4)."""

from importlib.resources import files

import cv2
import numpy as np

SIDE = 128
NAME = "china.jpg"
"""A temple whose roofs, columns and stairs repeat; scikit-learn brings it along."""


def photograph() -> np.ndarray:
    """Returns scikit-learn's sample image of 427 x 640 pixels (H, W): `(H, W, 3)` uint8 RGB."""
    # `sklearn.datasets.load_sample_image` would need Pillow.
    data = files("sklearn.datasets.images").joinpath(NAME).read_bytes()
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None  # the file is scikit-learn's own
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def random_crops(images: list[np.ndarray], num_crops: int, seed: int) -> np.ndarray:
    """Cuts squares at random places out of random images.

    Args:
        images: `(H, W, 3)` uint8 each, not smaller than a crop.
        num_crops: N; thousands of them are as good as drawing new ones in each step.
        seed: of all random numbers.

    Returns:
        `(N, 128, 128, 3)` uint8.
    """
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(num_crops):
        image = images[rng.integers(len(images))]
        top, left = (int(rng.integers(size - SIDE + 1)) for size in image.shape[:2])
        crops.append(image[top : top + SIDE, left : left + SIDE])
    return np.stack(crops)


def grid_crops(image: np.ndarray) -> np.ndarray:
    """Cuts an image into squares side by side, without what is left over at right and bottom.

    Returns:
        `(rows * columns, 128, 128, 3)` uint8, row by row; `join_crops` puts them together.
    """
    rows, columns = (size // SIDE for size in image.shape[:2])
    grid = image[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE, 3)
    return np.ascontiguousarray(grid.swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3))


def join_crops(crops: np.ndarray, columns: int) -> np.ndarray:
    """Puts the squares of `grid_crops` together: `(H, W, 3)` uint8."""
    grid = crops.reshape(-1, columns, SIDE, SIDE, 3).swapaxes(1, 2)  # (rows, SIDE, columns, ...)
    return grid.reshape(-1, columns * SIDE, 3)
