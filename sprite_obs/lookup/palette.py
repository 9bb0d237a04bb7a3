"""Frames as palette indices: games draw few colours, and one byte per pixel compares exactly."""

import numba
import numpy as np

from sprite_obs.lookup.blur import settle, usual_colors

MAX_COLORS = 255
"""Colours a palette holds; index 255 means a colour that the palette lacks."""
UNKNOWN = np.uint8(255)
SAMPLED_FRAMES = 100
"""Frames from which colours are chosen where there are more than a palette holds."""
MIN_DISTANCE = 40
"""RGB levels between two chosen colours; compression blurs less than that."""
NO_COLORS = np.zeros((0, 3), np.uint8)
RARE = 2e-6
"""Share of the pixels below which a colour is noise."""


@numba.njit(cache=True)
def _scan(pixels: np.ndarray, table: np.ndarray, colors: np.ndarray, count: int) -> int:
    """Adds the colours of `(N, 3)` pixels to the table; -1 when there are too many."""
    for i in range(len(pixels)):
        code = (np.int64(pixels[i, 0]) << 16) | (np.int64(pixels[i, 1]) << 8) | pixels[i, 2]
        if table[code] == 255:
            if count == 255:
                return -1
            table[code] = count
            colors[count] = pixels[i]
            count += 1
    return count


@numba.njit(cache=True)
def _index(pixels: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(pixels)):
        code = (np.int64(pixels[i, 0]) << 16) | (np.int64(pixels[i, 1]) << 8) | pixels[i, 2]
        out[i] = table[code]


@numba.njit(cache=True)
def _nearest(pixels: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Returns `(N,)` uint8, the colour nearest to each of `(N, 3)` pixels, the first of equals.

    Compiled here, since importing scikit-learn for it takes longer than loading a model.
    """
    nearest = np.empty(len(pixels), np.uint8)
    for i in range(len(pixels)):
        least = np.inf
        for color in range(len(colors)):
            red = pixels[i, 0] - colors[color, 0]
            green = pixels[i, 1] - colors[color, 1]
            blue = pixels[i, 2] - colors[color, 2]
            distance = red * red + green * green + blue * blue
            if distance < least:
                least, nearest[i] = distance, color
    return nearest


class Palette:
    """The colours of a game and the way from RGB to their indices.

    Args:
        colors: `(P, 3)` uint8 RGB, P at most 255.
        exact: whether other colours are unknown (emulator frames) or take the index of the
            nearest one (compressed video, photographs), to within 8 levels per channel.
        usual: `(H, W, 3)` uint8, colours that frames usually show, for inexact palettes: pixels
            that differ from them by noise and blur only take their index; None for frames whose
            background moves.

    Attributes:
        table: `(2**24,)` uint8, the index of each RGB value, red in the highest byte.
    """

    def __init__(
        self, colors: np.ndarray, exact: bool = True, usual: np.ndarray | None = None
    ) -> None:
        self.colors = np.ascontiguousarray(colors, dtype=np.uint8)
        self.exact = exact
        self.table = _exact_table(self.colors) if exact else _nearest_table(self.colors)
        self.usual = None if exact else usual
        if self.usual is not None:
            self._usual_index = self._of_pixels(self.usual)

    def __reduce__(self) -> tuple[type["Palette"], tuple[np.ndarray, bool, np.ndarray | None]]:
        """Pickles the colours alone; the table is 16 MiB and quickly made."""
        return Palette, (self.colors, self.exact, self.usual)

    @classmethod
    def of_frames(cls, frames: np.ndarray, seed: int = 0, still: bool = False) -> "Palette":
        """Collects the colours of `(N, H, W, 3)` uint8 frames.

        Of more than 255, frequent ones that are far apart are kept: such frames were scaled or
        compressed. Where their background is still, its noise is told from things, too.
        """
        table = np.full(1 << 24, UNKNOWN)
        colors = np.zeros((MAX_COLORS, 3), np.uint8)
        count = 0
        for frame in frames:
            count = _scan(frame.reshape(-1, 3), table, colors, count)
            if count < 0:
                usual = usual_colors(frames) if still else None
                return cls(_frequent_colors(frames, seed), exact=False, usual=usual)
        return cls(colors[:count])

    def extended(self, frames: np.ndarray, seed: int = 0) -> "Palette":
        """Adds the colours of `(N, H, W, 3)` uint8 frames after those that there are.

        A palette of frequent colours gets those that are far from all of its own.

        Raises:
            OverflowError: when an exact palette has no room for all of them.
        """
        if not self.exact:
            return Palette(_frequent_colors(frames, seed, self.colors), False, self.usual)
        table, colors = self.table.copy(), np.zeros((MAX_COLORS, 3), np.uint8)
        count = len(self.colors)
        colors[:count] = self.colors
        for frame in frames:
            count = _scan(frame.reshape(-1, 3), table, colors, count)
            if count < 0:
                raise OverflowError(f"more than {MAX_COLORS} colours")
        return Palette(colors[:count])

    def index(self, frames: np.ndarray) -> np.ndarray:
        """Turns `(..., 3)` uint8 RGB into `(...)` uint8 indices; 255 for unknown colours."""
        out = self._of_pixels(frames)
        if self.usual is not None and frames.shape[-3:] == self.usual.shape:
            height, width, _ = self.usual.shape
            whole = frames.reshape(-1, height, width, 3)
            for frame, index in zip(whole, out.reshape(-1, height, width), strict=True):
                settle(frame, self.usual, self._usual_index, index)
        return out

    def _of_pixels(self, frames: np.ndarray) -> np.ndarray:
        pixels = np.ascontiguousarray(frames).reshape(-1, 3)
        out = np.empty(len(pixels), np.uint8)
        _index(pixels, self.table, out)
        return out.reshape(frames.shape[:-1])

    def rgb(self, indices: np.ndarray) -> np.ndarray:
        """Turns `(...)` uint8 indices into `(..., 3)` uint8 RGB; unknown colours become black."""
        table = np.zeros((256, 3), np.uint8)
        table[: len(self.colors)] = self.colors
        return table[indices]

    def nearest(self, colors: np.ndarray) -> np.ndarray:
        """Returns `(N,)` uint8, the index of the nearest palette colour of `(N, 3)` RGB values."""
        return _nearest(colors.astype(float), self.colors.astype(float))


def _exact_table(colors: np.ndarray) -> np.ndarray:
    table = np.full(1 << 24, UNKNOWN)
    table[colors.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])] = np.arange(len(colors))
    return table


def _nearest_table(colors: np.ndarray) -> np.ndarray:
    """Maps each cube of 8 x 8 x 8 RGB values to the colour nearest to its centre."""
    levels = np.arange(4, 256, 8, dtype=float)
    cubes = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    nearest = _nearest(cubes, colors.astype(float))
    table = np.empty((32, 8, 32, 8, 32, 8), np.uint8)
    table[:] = nearest.reshape(32, 1, 32, 1, 32, 1)
    return table.ravel()


def _frequent_colors(frames: np.ndarray, seed: int, chosen: np.ndarray = NO_COLORS) -> np.ndarray:
    """Picks frequent colours that are far apart; noise around a colour is nearest to it then.

    Clustering would spend its centres on the shades of the largest areas.
    """
    rng = np.random.default_rng(seed)
    pixels = frames[rng.integers(len(frames), size=SAMPLED_FRAMES)].reshape(-1, 3).astype(np.int64)
    cube = (pixels // 8) @ np.array([1 << 10, 1 << 5, 1])  # 8 x 8 x 8 levels each
    _, number, counts = np.unique(cube, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(number, channel) / counts for channel in pixels.T], 1)
    chosen = chosen.astype(float)
    for i in np.argsort(-counts, kind="stable"):
        if counts[i] < RARE * len(pixels) or len(chosen) == MAX_COLORS:
            break
        if (np.square(chosen - means[i]).sum(1) >= MIN_DISTANCE**2).all():
            chosen = np.concatenate([chosen, means[i : i + 1]])
    return chosen.round().astype(np.uint8)
