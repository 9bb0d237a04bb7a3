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
        self._shape: tuple[int, ...] = ()
        self._frames: list[np.ndarray] = []
        self._indices: list[np.ndarray] = []

    def __reduce__(self) -> tuple[type["Screens"], tuple[Palette]]:
        """Pickles the palette alone."""
        return Screens, (self._palette,)

    def index(self, frames: np.ndarray) -> list[np.ndarray]:
        """Turns `(B, H, W, 3)` uint8 frames into indices.

        Returns:
            `(H, W)` uint8 each, 255 for unknown colours; overwritten by the next call.
        """
        if self._palette.usual is not None:  # noise is everywhere, and told by whole frames
            return list(self._palette.index(frames))
        if frames.shape[1:] != self._shape:
            self._shape, self._frames, self._indices = frames.shape[1:], [], []
        kept = min(len(frames), MAX_GAMES)
        while len(self._frames) < kept:
            self._frames.append(np.zeros(self._shape, np.uint8))
            self._indices.append(self._palette.index(self._frames[-1]))
        for place in range(kept):
            self._update(np.ascontiguousarray(frames[place]), place)
        return self._indices[:kept] + [self._palette.index(frame) for frame in frames[kept:]]

    def _update(self, frame: np.ndarray, place: int) -> None:
        rows = len(frame), -1
        new, last = frame.reshape(rows), self._frames[place].reshape(rows)
        words, last_words = new, last
        if new.shape[1] % WORD == 0:
            words, last_words = new.view(np.uint64), last.view(np.uint64)
        _index_changed(words, last_words, new, last, self._indices[place], self._palette.table)


@numba.njit(cache=True)
def _index_changed(words, last_words, frame, last, index, table):
    """Writes the rows of a frame that differ from the last one, as they are and as indices."""
    for y in range(len(frame)):
        changed = False
        for word in range(words.shape[1]):
            if words[y, word] != last_words[y, word]:
                changed = True
                break
        if not changed:
            continue
        for x in range(index.shape[1]):
            red, green, blue = frame[y, 3 * x], frame[y, 3 * x + 1], frame[y, 3 * x + 2]
            index[y, x] = table[(np.int64(red) << 16) | (np.int64(green) << 8) | blue]
        for x in range(frame.shape[1]):
            last[y, x] = frame[y, x]
