"""What lies behind layer 0: a solid colour or a learned image (paper, section 3.5)."""

import numpy as np
import torch
from torch import Tensor, nn

# The paper clusters the pixels of 100 random frames into 5 colours.
KMEANS_FRAMES = 100
KMEANS_CLUSTERS = 5

MID_GREY = 0.5


class ColorBackground(nn.Module):
    """One fixed colour, found before training.

    Args:
        frame_size: (H, W) in pixels.
        color: `(3,)` RGB in [0, 1]; None for grey, when a checkpoint will be loaded.

    Raises:
        ValueError: when `color` has another shape.
    """

    color: Tensor

    def __init__(self, frame_size: tuple[int, int], color: Tensor | None = None) -> None:
        super().__init__()
        self.frame_size = frame_size
        self.register_buffer("color", _checked(color, (3,)))

    def forward(self) -> Tensor:
        """Returns the `(3, H, W)` image in [0, 1]."""
        return self.color[:, None, None].expand(3, *self.frame_size)


class ImageBackground(nn.Module):
    """A learned image of the frame's size.

    Args:
        frame_size: (H, W) in pixels.
        image: `(3, H, W)` in [0, 1] to start from, reproduced exactly; None for grey.

    Raises:
        ValueError: when `image` has another shape.
    """

    def __init__(self, frame_size: tuple[int, int], image: Tensor | None = None) -> None:
        super().__init__()
        self.image = nn.Parameter(_checked(image, (3, *frame_size)))

    def forward(self) -> Tensor:
        """Returns the `(3, H, W)` image in [0, 1]."""
        # Clamped values show black and white exactly, which a sigmoid cannot. The gradient passes
        # the clamp, or pixels that stepped outside of [0, 1] would never return.
        return self.image + (self.image.clamp(0, 1) - self.image).detach()


BACKGROUNDS: dict[str, type[ColorBackground] | type[ImageBackground]] = {
    "color": ColorBackground,
    "image": ImageBackground,
}


def _checked(values: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    if values is None:
        return torch.full(shape, MID_GREY)
    if tuple(values.shape) != shape:
        raise ValueError(f"expected a background of shape {shape}, got {tuple(values.shape)}")
    return values.detach().clone().float()


def kmeans_color(frames: np.ndarray, seed: int = 0) -> Tensor:
    """Finds the background's colour: the centre of the largest cluster of pixels.

    Args:
        frames: `(N, H, W, 3)` uint8; 100 of them are drawn at random.
        seed: of the drawing and the clustering.

    Returns:
        `(3,)` float32 RGB in [0, 1].
    """
    # Imported here because it takes a second, and only pretraining on a solid colour needs it.
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(frames), min(KMEANS_FRAMES, len(frames)), replace=False)
    # Counted colours instead of pixels: the same clusters, from a few rows.
    packed = frames[drawn].reshape(-1, 3) @ np.array([1 << 16, 1 << 8, 1])
    values, counts = np.unique(packed, return_counts=True)
    colors = np.stack([values >> 16, values >> 8 & 255, values & 255], -1)  # (colours, 3)
    kmeans = KMeans(min(KMEANS_CLUSTERS, len(colors)), n_init=1, random_state=seed)
    labels = kmeans.fit_predict(colors / 255, sample_weight=counts)
    largest = np.bincount(labels, weights=counts).argmax()
    return torch.from_numpy(kmeans.cluster_centers_[largest]).float()
