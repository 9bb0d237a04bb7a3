"""Frames of a running game as palette indices: only rows that changed are looked at."""

import numba
import numpy as np

from sprite_obs.lookup.components import WORD
from sprite_obs.lookup.palette import Palette

MAX_GAMES = 64
"""Games that run side by side, for which the last frame is kept."""


class Screens:
    """Turns batches of frames into palette indices, faster where a frame is like the one before.

    The frames at one place of successive batches are taken to be of one game. What comes out is the
    same if they are not.

    Args:
        palette: the colours.
    """

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._frames = self._indices = np.zeros((0, 0, 0), np.uint8)

    def __reduce__(self) -> tuple[type["Screens"], tuple[Palette]]:
        """Pickles the palette alone."""
        return Screens, (self._palette,)

    def index(self, frames: np.ndarray) -> np.ndarray:
        """Turns `(B, H, W, 3)` uint8 frames into indices.

        Returns:
            `(B, H, W)` uint8, 255 for unknown colours; overwritten by the next call.
        """
        if self._palette.usual is not None:  # noise is everywhere, and told by whole frames
            return self._palette.index(frames)
        count = min(len(frames), MAX_GAMES)
        rows = frames.shape[1], 3 * frames.shape[2]
        if len(self._frames) < count or self._frames.shape[1:] != rows:
            self._frames = np.zeros((count, *rows), np.uint8)
            self._indices = self._palette.index(self._frames.reshape(count, *frames.shape[1:]))
        read = np.require(frames[:count], requirements=["C", "W"])  # else Numba compiles anew
        _index_changed(read, self._frames, self._indices, self._palette.table)
        kept = self._indices[:count]
        if count == len(frames):
            return kept
        return np.concatenate([kept, self._palette.index(frames[count:])])


@numba.njit(cache=True, nogil=True)
def _index_changed(frames, last, indices, table):
    """Writes what differs from the last frames, as it is and as indices.

    Args:
        frames: `(B, H, W, 3)` uint8.
        last: `(n, H, 3 * W)` uint8, the frames before, at least as many.
        indices: `(n, H, W)` uint8, theirs.
        table: as in `Palette`.
    """
    flat = frames.reshape(len(frames), frames.shape[1], 3 * frames.shape[2])
    if flat.shape[2] % WORD == 0:
        _index_words(flat, flat.view(np.uint64), last.view(np.uint64), indices, table)
    else:
        _index_words(flat, flat, last, indices, table)


@numba.njit(cache=True)
def _index_words(frames, words, last_words, indices, table):
    """Is `_index_changed` for frames of which `words` are the same memory, compared at once."""
    size = frames.shape[2] // words.shape[2]
    for n in range(len(frames)):
        for y in range(frames.shape[1]):
            row, last = words[n, y], last_words[n, y]
            if _differs(row, last):
                for word in range(len(row)):
                    if row[word] != last[word]:
                        last[word] = row[word]
                        first, end = word * size // 3, ((word + 1) * size - 1) // 3 + 1
                        _index_pixels(frames[n, y], first, end, indices[n, y], table)


@numba.njit(cache=True)
def _differs(row, last):
    """Returns whether two rows differ; without an early end, many words are compared at once."""
    differs = row[0] ^ last[0]
    for x in range(1, len(row)):
        differs |= row[x] ^ last[x]
    return differs != 0


@numba.njit(cache=True, inline="always")
def _index_pixels(row, first, end, index, table):
    for x in range(first, end):
        red, green, blue = row[3 * x], row[3 * x + 1], row[3 * x + 2]
        index[x] = table[(np.int64(red) << 16) | (np.int64(green) << 8) | blue]
