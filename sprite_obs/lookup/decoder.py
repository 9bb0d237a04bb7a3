"""Exact recognition: what a frame shows beyond its background, said in known sprites."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sprite_obs.detections import Found, Row, Sight, nothing_shown
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.cut import cut_out
from sprite_obs.lookup.explain import Explanation
from sprite_obs.lookup.grown import make_explainer
from sprite_obs.lookup.memory import ExplanationMemory
from sprite_obs.lookup.read import look_up_alone
from sprite_obs.lookup.reader import FrameReader
from sprite_obs.lookup.rooms import Behind
from sprite_obs.lookup.tiles import NO_TILES
from sprite_obs.lookup.usual import Known, Unusual

NOTHING = Explanation([], 0)


class MemoryUse(NamedTuple):
    """How often a decoder could look up what a component or a cluster of them consists of.

    Attributes:
        hits: components and clusters that were known; clusters that show nothing do not count.
        misses: those that had to be explained.
        remembered: explanations that are kept now, those of the dictionary not counted, but also
            that clusters show nothing.
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
        self._known = Known(
            np.array(background.window, np.int32),
            np.array(tiles, np.int32, order="C"),
            self._is_piece,
        )
        self._reader = FrameReader(self._known, background, self.max_foreground)
        self._misses = 0

    @property
    def memory_use(self) -> MemoryUse:
        """How often the decoder could look something up so far."""
        hits = int(self._reader.tables.hits[0])
        remembered = len(self._memory) + len(self._clusters)
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
        count = self._read(frames, notes_holes=True)
        tables, shown = self._reader.tables, nothing_shown(count)
        for row, mask in self._reader.holes.items():
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
        tables = self._reader.tables
        return Sight(tables.frame[:count], tables.table[:count], tables.error[: len(frames)])

    def _read(self, frames: np.ndarray, notes_holes: bool = False) -> int:
        """Lets the reader read frames, explains what it does not know, and returns its rows."""
        reader = self._reader
        reader.begin(np.require(frames, requirements=["C", "W"]))  # else Numba compiles anew
        while True:
            reader.read_on(self._memory.arrays, self._clusters.arrays)
            if notes_holes:
                reader.note_holes(self._memory.shown)  # before what explains them may be forgotten
            if reader.unusual is None:
                return reader.num_rows
            self._explain_all(reader.unusual)

    def _explain_all(self, unusual: Unusual) -> None:
        """Explains what is not known in the reader's frame."""
        boxes, keys, clusters, missing = unusual
        while len(clusters) or len(missing):
            for key, count, *members in clusters.tolist():
                self._explain_cluster(key, np.array(members[:count]), boxes)
            for i in missing.tolist():
                self._explain(i, int(keys[i]), boxes)
            _, _, clusters, missing = look_up_alone(
                self._reader.frame,
                self._reader.canvas,
                boxes,
                keys,
                self._known.window,
                self._memory.arrays,
                self._clusters.arrays,
                self._is_piece,
            )

    def _explain(self, i: int, key: int, boxes: np.ndarray) -> None:
        colors, member, sides = self._cut_out(np.array([i]), boxes)
        key ^= sides
        if self._memory.find(key) is None:  # equal ones may be missing
            self._misses += 1  # then they count as looked up
            self._memory.put(key, self._explainer.explain(colors, member.view(bool), sides))

    def _explain_cluster(self, key: int, members: np.ndarray, boxes: np.ndarray) -> None:
        if self._clusters.find(key) is None:
            covered = self._explainer.covered(*self._cut_out(members, boxes))
            self._misses += covered is not None  # others are not looked up for what they are
            self._clusters.put(key, *(covered or (NOTHING, 0)))

    def _cut_out(
        self, members: np.ndarray, boxes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Returns the colours of the box around components, their numbers, and touched sides."""
        window = self._known.window
        numbers, left, top, sides = cut_out(self._reader.canvas, members, boxes, window)
        height, width = numbers.shape
        return self._reader.frame[top : top + height, left : left + width], numbers, sides
