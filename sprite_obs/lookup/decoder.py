"""Exact recognition: what a frame shows beyond its background, said in known sprites."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from sprite_obs.detections import Row
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.clusters import find_clusters
from sprite_obs.lookup.components import (
    MAX_COMPONENTS,
    Components,
    find_components,
    pixel_key,
)
from sprite_obs.lookup.explain import Explanation
from sprite_obs.lookup.grown import make_explainer
from sprite_obs.lookup.rooms import Behind
from sprite_obs.lookup.tiles import NO_TILES, claim_tiles

MEMORY = 20_000
"""Components whose explanation is kept."""
MAX_MEMBERS = 16
"""Larger clusters are texture, not pieces of one thing."""
SIDE_BITS = np.array([1, 2, 4, 8])
"""Keys of equal components at different borders differ in these bits."""
NOTHING = Explanation([], 0)


class LookupDecoder:
    """Turns palette frames into sprites by looking up the exact pixels of their components.

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
        self._known = {key: self._explainer.whole(i) for i, key in enumerate(keys)}
        self._pieces = {
            key for key, piece in zip(keys, self._explainer.is_piece, strict=True) if piece
        }
        self._forget()

    def _forget(self) -> None:
        self._remembered: OrderedDict[int, Explanation] = OrderedDict()
        self._clusters: OrderedDict[int, tuple[Explanation, np.ndarray] | None] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """Leaves behind what is remembered; it can be found again."""
        return self.__dict__ | {"_remembered": OrderedDict(), "_clusters": OrderedDict()}

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
        rows: list[Row] = []
        unexplained = np.zeros(len(frames), np.int64)
        for n, index in enumerate(frames):
            mask = index != self.shown_background(index)
            there = self.tiles[claim_tiles(index, mask, self.tiles)]
            rows += [
                (n, sprite, 0, left, top, width, height, 1.0)
                for left, top, width, height, _, sprite in there.tolist()
            ]
            found = find_components(index, mask)
            if len(found.keys) == MAX_COMPONENTS:  # there may be more, and nobody looks at them
                unexplained[n] = np.count_nonzero(mask) - found.areas.sum()
            explanations = self._explanations(index, found)
            unexplained[n] += sum(num_left for _, num_left in explanations)
            for i, (parts, _) in enumerate(explanations):
                x, y = found.boxes[i, :2].tolist()
                front = int(_touches(found.boxes[i], there))
                for sprite, layer, left, top, width, height, score in parts:
                    place = x + left, y + top, width, height
                    rows.append((n, sprite, layer + front, *place, score))
        return rows, unexplained

    def _explanations(self, index: np.ndarray, found: Components) -> list[Explanation]:
        """Returns what each component of a frame consists of.

        Where several are explained together, the first has all parts and the others nothing.
        """
        keys = found.keys.tolist()
        certain = [key in self._known and key not in self._pieces for key in keys]
        together: dict[int, Explanation] = {}
        if not all(certain):
            together = self._together(index, found, ~np.array(certain))
        return [
            together.get(i) or self._known.get(key) or self._explanation(index, found, i, key)
            for i, key in enumerate(keys)
        ]

    def _together(
        self, index: np.ndarray, found: Components, doubtful: np.ndarray
    ) -> dict[int, Explanation]:
        """Explains clusters of components by sprites that are covered in part."""
        cluster = find_clusters(found.boxes, doubtful)
        explained: dict[int, Explanation] = {}
        for number in range(1, int(cluster.max(initial=0)) + 1):
            members = np.flatnonzero(cluster == number)
            if not 2 <= len(members) <= MAX_MEMBERS:
                continue
            explained |= self._cluster(index, found, members)
        return explained

    def _cluster(
        self, index: np.ndarray, found: Components, members: np.ndarray
    ) -> dict[int, Explanation]:
        boxes = found.boxes[members]
        left, top = boxes[:, :2].min(0)
        right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(0)
        window = np.s_[top:bottom, left:right]
        number = np.zeros(len(found.boxes) + 1, np.int32)
        number[members + 1] = np.arange(1, len(members) + 1)
        member = number[found.labels[window]]
        sides = self._touched(np.array([left, top, right - left, bottom - top]))
        key = int(pixel_key(index[window], np.minimum(member, 1), 1)) ^ int(sides @ SIDE_BITS)
        if key not in self._clusters:
            self._clusters[key] = self._explainer.covered(index[window], member, sides)
            _limit(self._clusters)
        covered = self._clusters[key]
        if covered is None:
            return {}
        explanation, numbers = covered
        first, *others = members[numbers - 1].tolist()
        dx, dy = (np.array([left, top]) - found.boxes[first, :2]).tolist()
        parts = [(s, z, x + dx, y + dy, w, h, c) for s, z, x, y, w, h, c in explanation.parts]
        return {first: Explanation(parts, 0), **dict.fromkeys(others, NOTHING)}

    def _explanation(self, index: np.ndarray, found: Components, i: int, key: int) -> Explanation:
        sides = self._touched(found.boxes[i])
        key ^= int(sides @ SIDE_BITS)
        if key not in self._remembered:
            x, y, width, height = found.boxes[i]
            window = np.s_[y : y + height, x : x + width]
            opaque = found.labels[window] == i + 1
            self._remembered[key] = self._explainer.explain(index[window], opaque, sides)
            _limit(self._remembered)
        return self._remembered[key]

    def _touched(self, box: np.ndarray) -> np.ndarray:
        """Returns `(4,)` bool, on which sides a box touches the border of the playing field."""
        low, high = self.background.window[:2], self.background.window[2:]
        return np.concatenate([box[:2] <= low, box[:2] + box[2:] >= high])


def _limit(remembered: OrderedDict[int, Any]) -> None:
    if len(remembered) > MEMORY:
        remembered.popitem(last=False)


@numba.njit(cache=True)
def _touches(box: np.ndarray, tiles: np.ndarray) -> bool:
    """Whether a component lies in front of one of the tiles that a frame shows."""
    for left, top, width, height in tiles[:, :4]:
        across = left < box[0] + box[2] and box[0] < left + width
        if across and top < box[1] + box[3] and box[1] < top + height:
            return True
    return False
