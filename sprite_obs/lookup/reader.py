"""Reading frames on and on until one shows something unknown."""

from collections.abc import Callable

import numpy as np

from sprite_obs.lookup.background import Background
from sprite_obs.lookup.components import Canvas, ComponentCanvas
from sprite_obs.lookup.memory import Memory
from sprite_obs.lookup.rooms import Behind
from sprite_obs.lookup.shown import BackgroundTables
from sprite_obs.lookup.usual import (
    ALL,
    AS_IT_IS,
    FULL,
    Known,
    Reading,
    Unusual,
    image_alone,
    make_tables,
    read_usual,
)
from sprite_obs.packed import Packed, pack

NUM_ROWS = 256
"""Sprites for which there is room at first, in all frames that are read at once."""

Holes = dict[int, np.ndarray | None]
"""Which pixels show of sprites with holes, by their row in the tables."""


class FrameReader:
    """Reads frames for as long as all that they show is known.

    Args:
        known: what the decoder knows.
        background: what lies behind the sprites.
        max_foreground: as for `LookupDecoder`.

    Attributes:
        tables: what was found.
        num_rows: rows of the tables that are written.
        holes: of the sprites found, as far as `note_holes` was called.
        unusual: what is not known in `frame`; None if all frames are read.
    """

    def __init__(self, known: Known, background: Behind, max_foreground: float) -> None:
        self._known, self._background = known, background
        self._behind = background.tables if isinstance(background, Background) else None
        self._max_foreground = max_foreground
        self._canvas = ComponentCanvas(background.image.shape)
        self._painted = np.empty(background.image.shape, np.uint8)
        self.tables = make_tables(NUM_ROWS, 1)
        self._reading: Reading | None = None
        self._pack: Packed | None = None
        self._nothing = np.zeros((0, *background.image.shape), np.uint8)
        self.begin(self._nothing)

    def __getstate__(self) -> dict[str, object]:
        """Leaves behind what is packed again."""
        return self.__dict__ | {"_reading": None, "_pack": None}

    @property
    def canvas(self) -> Canvas:
        """Where the components of the last frame were found."""
        return self._canvas.arrays

    @property
    def frame(self) -> np.ndarray:
        """The `unusual` frame, `(H, W)` uint8."""
        return self._frames[self._number]

    def begin(self, frames: np.ndarray) -> None:
        """Begins with `(B, H, W)` uint8 palette frames; what was found before is overwritten."""
        assert frames.shape[1:] == self._nothing.shape[1:], "compiled loops trust the shape"
        self._frames, self._number, self.num_rows = frames, 0, 0
        self._num_noted = 0
        self.holes: Holes = {}
        self.unusual: Unusual | None = None
        self._make_room(num_frames=len(frames))

    def read_on(self, memory: Memory, clusters: Memory) -> None:
        """Reads on until all frames are read or one is `unusual`.

        Args:
            memory: explanations of components.
            clusters: explanations of clusters.
        """
        ended = FULL
        while ended == FULL:
            self._number, self.num_rows, ended, unusual = self._read_usual(memory, clusters)
            if ended == FULL:
                self._make_room(num_rows=2 * len(self.tables.table))
        self.unusual = None if ended == ALL else unusual
        if ended == ALL:
            self._frames = self._nothing  # or the last batch stays in memory

    def note_holes(self, shown: Callable[[int], np.ndarray | None]) -> None:
        """Notes which sprites have holes among those that were found since the last time.

        Args:
            shown: returns which pixels an explanation shows, by its entry in the memory.
        """
        begin, end = self._num_noted, self.num_rows
        rows = np.flatnonzero(self.tables.score[begin:end] < 1) + begin
        entries = self.tables.table[rows, -1].tolist()
        self.holes |= zip(rows.tolist(), map(shown, entries), strict=True)
        self._num_noted = end

    def _read_usual(self, memory: Memory, clusters: Memory) -> tuple[int, int, int, Unusual | None]:
        """Reads on until something is unknown, or the background must be asked for."""
        frames, number, row = self._frames, self._number, self.num_rows
        packed = self._packed(memory, clusters)
        if self._behind is not None:
            return read_usual(frames, number, row, self._behind, self._max_foreground, packed)
        ended, unusual = ALL, None
        while number < len(frames) and ended == ALL:
            shown, one = self._shown(frames[number]), frames[: number + 1]
            number, row, ended, unusual = read_usual(one, number, row, shown, AS_IT_IS, packed)
        return number, row, ended, unusual

    def _shown(self, frame: np.ndarray) -> BackgroundTables:
        return image_alone(self._background.shown(frame, self._max_foreground))

    def _packed(self, memory: Memory, clusters: Memory) -> Packed:
        """Returns what frames are read with, packed again where arrays were replaced."""
        last, tables = self._reading, self.tables
        if (
            self._pack is None
            or last is None
            or not (memory is last.memory and clusters is last.clusters and tables is last.tables)
        ):
            canvas, painted = self._canvas.arrays, self._painted
            self._reading = Reading(self._known, memory, clusters, canvas, painted, tables)
            self._pack = pack(self._reading)
        return self._pack

    def _make_room(self, num_frames: int = 0, num_rows: int = 0) -> None:
        """Makes room for so many sprites in so many frames; what was found stays."""
        old = self.tables
        if num_frames <= len(old.error) and num_rows <= len(old.table):
            return
        new = make_tables(max(num_rows, len(old.table)), max(num_frames, len(old.error)))
        for before, array in zip(old, new, strict=True):
            array[: len(before)] = before
        self.tables = new
