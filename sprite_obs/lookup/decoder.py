"""Exact recognition: what a frame shows beyond its background, said in known sprites."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sprite_obs.detections import Found, Row, Sight, nothing_shown
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.components import ComponentCanvas
from sprite_obs.lookup.cut import cut_out
from sprite_obs.lookup.explain import Explanation
from sprite_obs.lookup.grown import make_explainer
from sprite_obs.lookup.memory import ExplanationMemory
from sprite_obs.lookup.read import look_up_alone
from sprite_obs.lookup.rooms import Behind
from sprite_obs.lookup.shown import BackgroundTables
from sprite_obs.lookup.tiles import NO_TILES
from sprite_obs.lookup.usual import (
    ALL,
    AS_IT_IS,
    FULL,
    UNUSUAL,
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
NOTHING = Explanation([], 0)


class MemoryUse(NamedTuple):
    """How often a decoder could look up what a component or a cluster of them consists of.

    Attributes:
        hits: components and clusters that were known.
        misses: those that had to be explained.
        remembered: explanations that are kept now, those of the dictionary not counted.
    """

    hits: int
    misses: int
    remembered: int


class LookupDecoder:
    """Turns palette frames into sprites by looking up the exact pixels of their components.

    What a component consists of depends on its pixels only, and on which borders of the playing
    field it touches; so it is worked out once and remembered.

    Args:
        bank: the dictionary.
        counts: `(K,)` how often each sprite was seen in the recording.
        background: what lies behind the sprites.
        tiles: `(n, 6)` int32, left, top, width, height, palette index and sprite id of each tile
            of a wall.
        min_visible: share of a covered sprite that must show.
        min_explained: share of an unknown component that its sprites must explain.
        max_foreground: frames that differ from the background in a larger share of pixels show it
            in other colours.
        former_sizes: how many sprites the dictionary had each time before it grew, rising.
    """

    def __init__(
        self,
        bank: SpriteBank,
        counts: np.ndarray,
        background: Behind,
        tiles: np.ndarray = NO_TILES,
        min_visible: float = 0.5,
        min_explained: float = 0.6,
        max_foreground: float = 1.0,
        former_sizes: Sequence[int] = (),
    ) -> None:
        self.background = background
        self.tiles = tiles
        self.max_foreground = float(max_foreground)
        shape = background.image.shape
        self._explainer = make_explainer(
            bank, counts, shape, min_visible, min_explained, former_sizes
        )
        keys = bank.keys()[: self._explainer.num_known].tolist()
        known = {key: self._explainer.whole(i) for i, key in enumerate(keys)}
        # Of drawings that are alike, the last one counts.
        sprites = [explanation.parts[0][0] - 1 for explanation in known.values()]
        self._is_piece = self._explainer.is_piece[sprites]
        self._memory, self._clusters = ExplanationMemory(known), ExplanationMemory({})
        self._canvas, self._painted = ComponentCanvas(shape), np.empty(shape, np.uint8)
        self._known = Known(
            np.array(background.window, np.int32),
            np.array(tiles, np.int32, order="C"),
            self._is_piece,
        )
        self._behind = background.tables if isinstance(background, Background) else None
        self._tables = make_tables(NUM_ROWS, 1)
        self._reading: Reading | None = None
        self._misses = 0

    @property
    def memory_use(self) -> MemoryUse:
        """How often the decoder could look something up so far."""
        hits, remembered = int(self._tables.hits[0]), len(self._memory) + len(self._clusters)
        return MemoryUse(hits - self._misses, self._misses, remembered)

    def forget(self) -> None:
        """Forgets all explanations but those of the dictionary; they are found again."""
        self._memory.forget()
        self._clusters.forget()

    def shown_background(self, index: np.ndarray) -> np.ndarray:
        """Returns the background in the colours in which a `(H, W)` frame shows it."""
        return self.background.shown(index, self.max_foreground)

    def decode(self, frames: np.ndarray) -> list[Row]:
        """Finds the sprites of `(B, H, W)` uint8 palette frames, in frame coordinates."""
        return self.decode_and_count(frames)[0]

    def decode_and_count(self, frames: np.ndarray) -> tuple[list[Row], np.ndarray]:
        """Finds the sprites of frames, and how many pixels they and the background do not explain.

        Args:
            frames: `(B, H, W)` uint8 palette indices.

        Returns:
            The sprites, in frame coordinates, and `(B,)` int64 numbers of pixels.
        """
        found = self.read(frames)
        return found.rows(), found.unexplained

    def read(self, frames: np.ndarray) -> Found:
        """Finds the sprites of `(B, H, W)` uint8 palette frames."""
        holes: dict[int, np.ndarray | None] = {}
        count = self._read(frames, holes)
        tables, shown = self._tables, nothing_shown(count)
        for row, mask in holes.items():
            shown[row] = mask
        table, score = tables.table[:count, :-1].copy(), tables.score[:count].copy()
        unexplained = tables.unexplained[: len(frames)].copy()
        return Found(tables.frame[:count].copy(), table, score, shown, unexplained)

    def look(self, frames: np.ndarray) -> Sight:
        """Finds the same, but does not say which pixels of sprites with holes show.

        Args:
            frames: as for `read`.

        Returns:
            The sprites, overwritten by the next call.
        """
        count = self._read(frames)
        tables = self._tables
        return Sight(tables.frame[:count], tables.table[:count], tables.error[: len(frames)])

    def _read(self, frames: np.ndarray, holes: dict[int, np.ndarray | None] | None = None) -> int:
        """Writes the tables, and which pixels show of sprites with holes, by their row.

        Returns:
            The number of rows.
        """
        frames = np.ascontiguousarray(frames)
        self._make_room(num_frames=len(frames))
        number = row = 0
        while True:
            begin, before = row, int(self._tables.holes[0])
            number, row, ended, unusual = self._read_usual(frames, number, row)
            if holes is not None and self._tables.holes[0] > before:
                holes |= self._holes(begin, row)  # before what explains them may be forgotten
            if ended == FULL:
                self._make_room(num_rows=2 * len(self._tables.table))
            elif ended == UNUSUAL and unusual is not None:
                self._explain_all(frames[number], unusual)
            else:
                return row

    def _read_usual(
        self, frames: np.ndarray, number: int, row: int
    ) -> tuple[int, int, int, Unusual | None]:
        """Reads on until something is unknown, or the background must be asked for."""
        if self._behind is not None:
            return self._read_before(self._behind, self.max_foreground, frames, number, row)
        ended, unusual = ALL, None
        while number < len(frames) and ended == ALL:
            shown, one = image_alone(self.shown_background(frames[number])), frames[: number + 1]
            number, row, ended, unusual = self._read_before(shown, AS_IT_IS, one, number, row)
        return number, row, ended, unusual

    def _read_before(
        self,
        behind: BackgroundTables,
        max_foreground: float,
        frames: np.ndarray,
        number: int,
        row: int,
    ) -> tuple[int, int, int, Unusual]:
        return read_usual(frames, number, row, behind, max_foreground, self._packed())

    def _packed(self) -> Packed:
        """Returns what frames are read with, packed again where arrays were replaced."""
        memory, clusters, tables = self._memory.arrays, self._clusters.arrays, self._tables
        last = self._reading
        if last is None or not (
            memory is last.memory and clusters is last.clusters and tables is last.tables
        ):
            arrays = memory, clusters, self._canvas.arrays, self._painted, tables
            self._reading = Reading(self._known, *arrays)
            self._pack = pack(self._reading)
        return self._pack

    def __getstate__(self) -> dict[str, object]:
        """Leaves behind what is packed again."""
        return self.__dict__ | {"_reading": None, "_pack": None}

    def _make_room(self, num_frames: int = 0, num_rows: int = 0) -> None:
        """Makes room for so many sprites in so many frames; what was found stays."""
        old = self._tables
        if num_frames <= len(old.error) and num_rows <= len(old.table):
            return
        new = make_tables(max(num_rows, len(old.table)), max(num_frames, len(old.error)))
        for before, array in zip(old, new, strict=True):
            array[: len(before)] = before
        self._tables = new

    def _holes(self, start: int, end: int) -> dict[int, np.ndarray | None]:
        """Returns which pixels show of the sprites with holes, by their row in the tables."""
        rows = np.flatnonzero(self._tables.score[start:end] < 1) + start
        entries = self._tables.table[rows, -1].tolist()
        return dict(zip(rows.tolist(), map(self._memory.shown, entries), strict=True))

    def _explain_all(self, index: np.ndarray, unusual: Unusual) -> None:
        """Explains what is not known in the frame whose components the canvas holds."""
        boxes, keys, clusters, missing = unusual
        while len(clusters) or len(missing):
            for key, count, *members in clusters.tolist():
                self._explain_cluster(key, np.array(members[:count]), index, boxes)
            for i in missing.tolist():
                self._explain(i, int(keys[i]), index, boxes)
            self._misses += len(clusters) + len(missing)  # then they count as looked up
            _, _, clusters, missing = look_up_alone(
                index,
                self._canvas.arrays,
                boxes,
                keys,
                self._known.window,
                self._memory.arrays,
                self._clusters.arrays,
                self._is_piece,
            )

    def _explain(self, i: int, key: int, index: np.ndarray, boxes: np.ndarray) -> None:
        colors, member, sides = self._cut_out(np.array([i]), index, boxes)
        key ^= sides
        if self._memory.find(key) is None:  # equal ones may be missing in one frame
            self._memory.put(key, self._explainer.explain(colors, member.view(bool), sides))

    def _explain_cluster(
        self, key: int, members: np.ndarray, index: np.ndarray, boxes: np.ndarray
    ) -> None:
        if self._clusters.find(key) is None:
            covered = self._explainer.covered(*self._cut_out(members, index, boxes))
            self._clusters.put(key, *(covered or (NOTHING, 0)))

    def _cut_out(
        self, members: np.ndarray, index: np.ndarray, boxes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Returns the colours of the box around components, their numbers, and touched sides."""
        window = self._known.window
        numbers, left, top, sides = cut_out(self._canvas.arrays, members, boxes, window)
        height, width = numbers.shape
        return index[top : top + height, left : left + width], numbers, sides
