"""Exact recognition: what a frame shows beyond its background, said in known sprites."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from sprite_obs.detections import Found, Row, join_found, nothing_shown
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.components import MAX_COMPONENTS, ComponentCanvas, Components
from sprite_obs.lookup.explain import Explanation
from sprite_obs.lookup.grown import make_explainer
from sprite_obs.lookup.memory import ExplanationMemory
from sprite_obs.lookup.read import cluster_box, cluster_members, look_up, tabulate, touched_sides
from sprite_obs.lookup.rooms import Behind
from sprite_obs.lookup.tiles import NO_TILES, claim_tiles

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
        self.max_foreground = max_foreground
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
        self._canvas = ComponentCanvas(shape)
        self._hits = self._misses = 0

    @property
    def memory_use(self) -> MemoryUse:
        """How often the decoder could look something up so far."""
        return MemoryUse(self._hits, self._misses, len(self._memory) + len(self._clusters))

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

    def read(self, frames: Iterable[np.ndarray]) -> Found:
        """Finds the sprites of `(B, H, W)` uint8 palette frames."""
        return join_found([self._read(index) for index in frames])

    def _read(self, index: np.ndarray) -> Found:
        mask = self._canvas.mask
        np.not_equal(index, self.shown_background(index), out=mask)
        there = self.tiles[claim_tiles(index, mask, self.tiles)] if len(self.tiles) else NO_TILES
        found = self._canvas.find(index)
        entries, explained = self._looked_up(index, found)
        table, score, unexplained = tabulate(
            found.boxes, entries, explained, self._memory.arrays, self._clusters.arrays, there
        )
        if len(found.keys) == MAX_COMPONENTS:  # there may be more, and nobody looks at them
            unexplained += int(np.count_nonzero(mask)) - int(found.areas.sum())
        return self._found(table, score, unexplained)

    def _found(self, table: np.ndarray, score: np.ndarray, unexplained: int) -> Found:
        shown = nothing_shown(len(table))
        for row in np.flatnonzero(score < 1).tolist():
            shown[row] = self._memory.shown(int(table[row, -1]))
        frame = np.zeros(len(table), np.int32)
        return Found(frame, table[:, :-1], score, shown, np.array([unexplained], np.int64))

    def _looked_up(self, index: np.ndarray, found: Components) -> tuple[np.ndarray, np.ndarray]:
        """Looks everything up, and explains what is not known until everything is.

        Returns:
            Entries of components and clusters that are explained, see `look_up`.
        """
        missed = 0
        while True:
            entries, explained, clusters, missing = look_up(
                index,
                found.labels,
                found.boxes,
                found.keys,
                self.background.window,
                self._memory.arrays,
                self._clusters.arrays,
                self._is_piece,
            )
            if not len(clusters) and not len(missing):
                self._misses += missed
                self._hits += len(found.keys) + len(explained) - missed
                return entries, explained
            for key, count, *members in clusters.tolist():
                self._explain_cluster(key, np.array(members[:count]), index, found)
            for i in missing.tolist():
                self._explain(i, index, found)
            missed += len(clusters) + len(missing)

    def _explain(self, i: int, index: np.ndarray, found: Components) -> None:
        left, top, width, height = found.boxes[i].tolist()
        window = np.s_[top : top + height, left : left + width]
        sides = self._sides(left, top, left + width, top + height)
        opaque = found.labels[window] == i + 1
        key = int(found.keys[i]) ^ sides
        # Equal ones may be missing in one frame.
        if self._memory.find(key) is None:
            self._memory.put(key, self._explainer.explain(index[window], opaque, _flags(sides)))

    def _explain_cluster(
        self, key: int, members: np.ndarray, index: np.ndarray, found: Components
    ) -> None:
        box = left, top, right, bottom = cluster_box(members, found.boxes)
        numbers = cluster_members(members, found.labels, box)
        sides = _flags(self._sides(left, top, right, bottom))
        if self._clusters.find(key) is None:
            covered = self._explainer.covered(index[top:bottom, left:right], numbers, sides)
            explanation, explained = covered or (NOTHING, [])
            self._clusters.put(key, explanation, sum(1 << int(n) - 1 for n in explained))

    def _sides(self, left: int, top: int, right: int, bottom: int) -> int:
        return int(touched_sides(left, top, right, bottom, self.background.window))


def _flags(sides: int) -> np.ndarray:
    """Returns `(4,)` bool for the bits of `touched_sides`."""
    return np.array([sides >> side & 1 for side in range(4)], bool)
