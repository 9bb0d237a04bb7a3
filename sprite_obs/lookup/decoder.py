"""Exact recognition: what a frame shows beyond its background, said in known sprites."""

from collections import OrderedDict
from typing import Any

import numpy as np

from sprite_obs.detections import Row
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.components import Components, find_components
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
        self._known = {key: [self._whole(i)] for i, key in enumerate(bank.keys().tolist())}
        self._remembered: OrderedDict[int, list[Part]] = OrderedDict()

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

    def explain(self, colors: np.ndarray, opaque: np.ndarray) -> list[Part]:
        """Explains one component that is no known sprite.

        Args:
            colors: `(h, w)` uint8 palette indices.
            opaque: `(h, w)` bool, pixels of the component.

        Returns:
            Its sprites; one row of sprite 0 if it is unknown, nothing if it is scenery.
        """
        height, width = opaque.shape
        if (np.array(opaque.shape) >= SCENERY_SPAN * np.array(self.background.shape)).any():
            return []
        area = int(opaque.sum())
        if area >= MIN_PEELED:
            placed, left = peel(
                colors, opaque, self.bank, self._order, self.min_visible, MAX_CONTINUED
            )
            if placed and 1 - left.sum() / area >= self.min_explained:
                return self._placed(placed)
        return [(0, 0, 0, 0, width, height, 0.0)]

    def shown_background(self, index: np.ndarray) -> np.ndarray:
        """Returns the background in the colours in which a `(H, W)` frame shows it."""
        return shown_background(index, self.background, self.max_foreground)

    def decode(self, frames: np.ndarray) -> list[Row]:
        """Finds the sprites of `(B, H, W)` uint8 palette frames, in frame coordinates."""
        rows: list[Row] = []
        for n, index in enumerate(frames):
            found = find_components(index, index != self.shown_background(index))
            for i, key in enumerate(found.keys.tolist()):
                x, y = found.boxes[i, :2].tolist()
                for sprite, layer, left, top, width, height, score in self._parts(
                    index, found, i, key
                ):
                    rows.append((n, sprite, layer, x + left, y + top, width, height, score))
        return rows

    def _parts(self, index: np.ndarray, found: Components, i: int, key: int) -> list[Part]:
        parts = self._known.get(key)
        if parts is None:
            parts = self._remembered.get(key)
        if parts is None:
            x, y, width, height = found.boxes[i]
            window = np.s_[y : y + height, x : x + width]
            parts = self.explain(index[window], found.labels[window] == i + 1)
            self._remembered[key] = parts
            if len(self._remembered) > MEMORY:
                self._remembered.popitem(last=False)
        return parts
