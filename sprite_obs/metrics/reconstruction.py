"""How close reconstructions come to the frames."""

import math
from dataclasses import dataclass

import numpy as np

PEAK = 255


@dataclass
class ReconstructionScore:
    """Sums over any number of batches of frames; empty at first.

    Attributes:
        squared_error: sum over all values of all pixels, in 8-bit levels.
        num_values: R, G and B values compared.
        num_pixels: pixels compared.
        num_frames: frames compared.
        num_exact_pixels: pixels equal in R, G and B.
        num_exact_frames: frames equal in all pixels.
    """

    squared_error: float = 0.0
    num_values: int = 0
    num_pixels: int = 0
    num_frames: int = 0
    num_exact_pixels: int = 0
    num_exact_frames: int = 0

    def add(self, frames: np.ndarray, reconstructions: np.ndarray) -> None:
        """Counts a batch.

        Args:
            frames: `(B, H, W, 3)` uint8.
            reconstructions: the same, or float values on the scale 0..255.
        """
        difference = frames.astype(np.float32) - reconstructions
        exact = (difference == 0).all(-1)  # (B, H, W)
        self.squared_error += float(np.square(difference).sum(dtype=np.float64))
        self.num_values += difference.size
        self.num_pixels += exact.size
        self.num_frames += len(frames)
        self.num_exact_pixels += int(exact.sum())
        self.num_exact_frames += int(exact.all((1, 2)).sum())

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio in dB of the mean over all values; infinite when exact."""
        if self.squared_error == 0:
            return math.inf
        return 10 * math.log10(PEAK**2 * self.num_values / self.squared_error)

    @property
    def exact_pixels(self) -> float:
        """Share of pixels that are exact."""
        return self.num_exact_pixels / self.num_pixels

    @property
    def exact_frames(self) -> float:
        """Share of frames that are exact in every pixel."""
        return self.num_exact_frames / self.num_frames


def psnr(frames: np.ndarray, reconstructions: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over all values of a batch; infinite when exact."""
    error = ReconstructionScore()
    error.add(frames, reconstructions)
    return error.psnr


def json_number(value: float) -> float | str | None:
    """Returns the text "Infinity" where JSON has no number, and None for what is no number."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else "Infinity"
