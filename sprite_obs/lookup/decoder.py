"""Exact recognition: what a frame shows beyond its background, said in known sprites."""

from collections import OrderedDict
from typing import Any

import numpy as np

from sprite_obs.detections import Row
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.components import MAX_COMPONENTS, Components, find_components
from sprite_obs.lookup.peel import Placement, peel
from sprite_obs.lookup.recolor import shown_background

MEMORY = 20_000
"""Components whose explanation is kept."""
MAX_CONTINUED = 0.08
"""Share of a placed sprite's border across which its colour may go on: more, and it was cut out of
something larger."""
SCENERY_SPAN = 0.94
"""Unknown things that span this share of the frame's width or height are scenery, no sprites."""
MIN_PEELED = 8
"""Components of fewer pixels are not taken apart."""
Part = tuple[int, int, int, int, int, int, float]
"""Sprite id, layer, left, top, width, height (relative to the component) and score."""
Explanation = tuple[list[Part], int]
"""What a component consists of, and how many of its pixels that leaves unexplained."""


class LookupDecoder:
    """Turns palette frames into sprites by looking up the exact pixels of their components.

    Args:
        bank: the dictionary.
        background: `(H, W)` uint8 palette indices.
        min_visible: share of a covered sprite that must show.
        min_explained: share of an unknown component that its sprites must explain.
        max_foreground: frames that differ from the background in a larger share of pixels show it
            in other colours.
    """

    def __init__(
        self,
        bank: SpriteBank,
        background: np.ndarray,
        min_visible: float,
        min_explained: float,
        max_foreground: float = 1.0,
    ) -> None:
        self.bank = bank
        self.background = background
        self.min_visible = min_visible
        self.min_explained = min_explained
        self.max_foreground = max_foreground
        self._order = np.argsort(-bank.areas, kind="stable").astype(np.int32)
        self._known = {key: ([self._whole(i)], 0) for i, key in enumerate(bank.keys().tolist())}
        self._remembered: OrderedDict[int, Explanation] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """Leaves behind what is remembered; it can be found again."""
        return self.__dict__ | {"_remembered": OrderedDict()}

    def _whole(self, sprite: int) -> Part:
        width, height = self.bank.sizes[sprite].tolist()
        return sprite + 1, 0, 0, 0, width, height, 1.0

    def _placed(self, placements: list[Placement]) -> list[Part]:
        """Whole sprites are in front of those that they cover."""
        whole = [place.visible == self.bank.areas[place.sprite] for place in placements]
        front = 0 if all(whole) else 1
        parts: list[Part] = []
        for (sprite, x, y, visible), is_whole in zip(placements, whole, strict=True):
            width, height = self.bank.sizes[sprite].tolist()
            score = visible / int(self.bank.areas[sprite])
            parts.append((sprite + 1, front * is_whole, x, y, width, height, score))
        return parts

    def explain(self, colors: np.ndarray, opaque: np.ndarray) -> Explanation:
        """Explains one component that is no known sprite.

        Args:
            colors: `(h, w)` uint8 palette indices.
            opaque: `(h, w)` bool, pixels of the component.

        Returns:
            Its sprites, one row of sprite 0 if it is unknown, nothing if it is scenery; and how
            many of its pixels they leave unexplained.
        """
        height, width = opaque.shape
        area = int(opaque.sum())
        if (np.array(opaque.shape) >= SCENERY_SPAN * np.array(self.background.shape)).any():
            return [], area
        if area >= MIN_PEELED:
            placed, left = peel(
                colors, opaque, self.bank, self._order, self.min_visible, MAX_CONTINUED
            )
            num_left = int(left.sum())
            if placed and 1 - num_left / area >= self.min_explained:
                return self._placed(placed), num_left
        return [(0, 0, 0, 0, width, height, 0.0)], area

    def shown_background(self, index: np.ndarray) -> np.ndarray:
        """Returns the background in the colours in which a `(H, W)` frame shows it."""
        return shown_background(index, self.background, self.max_foreground)

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
            found = find_components(index, mask)
            if len(found.keys) == MAX_COMPONENTS:  # there may be more, and nobody looks at them
                unexplained[n] = np.count_nonzero(mask) - found.areas.sum()
            for i, key in enumerate(found.keys.tolist()):
                x, y = found.boxes[i, :2].tolist()
                parts, num_left = self._explanation(index, found, i, key)
                unexplained[n] += num_left
                for sprite, layer, left, top, width, height, score in parts:
                    rows.append((n, sprite, layer, x + left, y + top, width, height, score))
        return rows, unexplained

    def _explanation(self, index: np.ndarray, found: Components, i: int, key: int) -> Explanation:
        explanation = self._known.get(key) or self._remembered.get(key)
        if explanation is None:
            x, y, width, height = found.boxes[i]
            window = np.s_[y : y + height, x : x + width]
            explanation = self.explain(index[window], found.labels[window] == i + 1)
            self._remembered[key] = explanation
            if len(self._remembered) > MEMORY:
                self._remembered.popitem(last=False)
        return explanation
