"""Which known sprites an unknown component shows: whole, covered, or cut off by the border."""

from typing import NamedTuple

import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank
from sprite_obs.lookup.peel import Placement, Rules, extend, peel, peel_covered
from sprite_obs.lookup.pieces import find_eroded, find_pieces

MAX_CONTINUED = 0.08
"""Share of a placed sprite's border across which its colour may go on: more, and it was cut out of
something larger."""
SCENERY_SPAN = 0.94
"""Unknown things that span this share of the frame's width or height are scenery, no sprites."""
MIN_PEELED = 8
"""Components of fewer pixels are not taken apart."""
MIN_CLIPPED = 3
"""Components of fewer pixels at the border are not recognised."""
MAX_PEELED = 160 * 100
"""Pixels of the largest box that is taken apart."""
MAX_COMPLETE = 80 * 80
"""Pixels of the largest box in which covered and clipped sprites are looked for with little of them
to be seen."""
MAX_CLIPPED = 48 * 48
"""The same for what the border cuts off."""
COVERED = Rules(0.2, MAX_CONTINUED, 0.0)
"""Little of a covered sprite may show, if everything is explained and the seam is clear."""
CLIPPED = Rules(0.1, MAX_CONTINUED)
"""Even less of a sprite may show at the border, if everything is explained."""

Box = tuple[int, int, int, int]
Part = tuple[int, int, int, int, int, int, float]
"""Sprite id, layer, left, top, width, height (relative to the component) and score."""


class Explanation(NamedTuple):
    """What a component consists of.

    Attributes:
        parts: its sprites, front to back.
        unexplained: pixels that they leave unexplained.
        shown: where it is a single sprite with holes, through which one sees the background:
            `(height, width)` bool, the pixels of the sprite's drawing that show; else None.
    """

    parts: list[Part]
    unexplained: int
    shown: np.ndarray | None = None

    @property
    def is_exact(self) -> bool:
        """Whether every pixel is explained by sprites without holes."""
        return self.unexplained == 0 and self.shown is None


class Explainer:
    """Takes components apart into sprites of a dictionary.

    Args:
        bank: the dictionary.
        counts: `(K,)` how often each sprite was seen in the recording.
        frame_shape: (H, W).
        min_visible: share of a covered sprite that must show.
        min_explained: share of an unknown component that its sprites must explain.

    Attributes:
        is_piece: `(K,)` bool, whether a sprite may be what is seen of a larger one.
        num_known: K; components that look exactly like these sprites need no explanation.
        keys: keys of components that look like sprites.
    """

    def __init__(
        self,
        bank: SpriteBank,
        counts: np.ndarray,
        frame_shape: tuple[int, ...],
        min_visible: float,
        min_explained: float,
    ) -> None:
        self.bank = bank
        self.is_piece = find_pieces(bank, counts)
        self.num_known, self.keys = len(bank), {*bank.keys().tolist()}
        self._usual = Rules(min_visible, MAX_CONTINUED)
        self._min_explained = min_explained
        self._scenery = SCENERY_SPAN * np.array(frame_shape)
        self._order = np.argsort(-bank.areas, kind="stable").astype(np.int32)
        self._orders = (
            self._order[~self.is_piece[self._order]],
            self._order[self.is_piece[self._order]],
        )
        self._reach = int(bank.sizes.max(initial=1))

    def whole(self, sprite: int) -> Explanation:
        """Returns the explanation of a component that is exactly a sprite, an index in the bank."""
        width, height = self.bank.sizes[sprite].tolist()
        return Explanation([(sprite + 1, 0, 0, 0, width, height, 1.0)], 0)

    def explain(self, colors: np.ndarray, opaque: np.ndarray, sides: np.ndarray) -> Explanation:
        """Explains a component that is no known sprite.

        Args:
            colors: `(h, w)` uint8 palette indices.
            opaque: `(h, w)` bool, pixels of the component.
            sides: `(4,)` bool, where it touches the border: left, top, right, bottom.

        Returns:
            Its sprites; one row of sprite 0 if it is unknown, nothing if it is scenery.
        """
        height, width = opaque.shape
        area = int(opaque.sum())
        sides = sides & (opaque.size <= MAX_CLIPPED)
        if (np.array(opaque.shape) >= self._scenery).any():
            return Explanation([], area)
        found = None
        if area >= MIN_PEELED and opaque.size <= MAX_COMPLETE:
            found = self._covered(colors, opaque, sides)
        if not found and area >= MIN_PEELED and opaque.size <= MAX_PEELED:
            found = self._peel(colors, opaque, sides, self._order, self._usual, self._min_explained)
        if not found and sides.any() and area >= MIN_CLIPPED:
            found = self._peel(colors, opaque, sides, self._order, CLIPPED, 1.0)
        if not found and area >= MIN_PEELED:
            found = self._eroded(colors, opaque)
        return found or Explanation([(0, 0, 0, 0, width, height, 0.0)], area)

    def _eroded(self, colors: np.ndarray, opaque: np.ndarray) -> Explanation | None:
        drawing = np.where(opaque, colors, TRANSPARENT).astype(np.uint8)
        placed = find_eroded(drawing, self.bank, self._usual.visible)
        if placed is None:
            return None
        width, height = self.bank.sizes[placed.sprite]
        shown = np.zeros((height, width), bool)
        shown[-placed.y :, -placed.x :][: opaque.shape[0], : opaque.shape[1]] = opaque
        return Explanation(self._parts([placed], 0, 0), 0, shown)

    def _covered(
        self, colors: np.ndarray, opaque: np.ndarray, sides: np.ndarray
    ) -> Explanation | None:
        colors, opaque, hidden, (dx, dy) = extend(colors, opaque, sides, self._reach)
        placed, left = peel_covered(colors, opaque, self.bank, self._orders, COVERED, hidden)
        return None if left.any() else Explanation(self._parts(placed, dx, dy), 0)

    def covered(
        self, colors: np.ndarray, members: np.ndarray, sides: np.ndarray
    ) -> tuple[Explanation, np.ndarray] | None:
        """Explains components that lie close together by sprites that cover each other.

        Args:
            colors: `(h, w)` uint8 palette indices.
            members: `(h, w)` int32, number of the component at each pixel from 1, 0 for none.
            sides: `(4,)` bool, where they touch the border.

        Returns:
            The sprites, and the numbers of the components that they explain to the last pixel; of
            the others they explain nothing. None if there are no such sprites.
        """
        if members.size > MAX_COMPLETE:
            return None
        sides = sides & (members.size <= MAX_CLIPPED)
        larger, opaque, hidden, (dx, dy) = extend(colors, members > 0, sides, self._reach)
        placed, left = peel(larger, opaque, self.bank, self._orders[0], COVERED, hidden)
        if not placed:
            return None
        height, width = members.shape
        left = left[dy : dy + height, dx : dx + width]
        areas, open_ = np.bincount(members.ravel()), np.bincount(members[left], minlength=1)
        open_ = np.append(open_, np.zeros(len(areas) - len(open_), np.int64))
        if ((open_ > 0) & (open_ < areas))[1:].any():
            return None
        explained = np.flatnonzero((areas > 0) & (open_ == 0))
        return Explanation(self._parts(placed, dx, dy), 0), explained[explained > 0]

    def _peel(
        self,
        colors: np.ndarray,
        opaque: np.ndarray,
        sides: np.ndarray,
        order: np.ndarray,
        rules: Rules,
        min_explained: float,
    ) -> Explanation | None:
        colors, opaque, hidden, (dx, dy) = extend(colors, opaque, sides, self._reach)
        placed, left = peel(colors, opaque, self.bank, order, rules, hidden)
        unexplained = int(left.sum())
        if not placed or 1 - unexplained / opaque.sum() < min_explained:
            return None
        return Explanation(self._parts(placed, dx, dy), unexplained)

    def _parts(self, placements: list[Placement], dx: int, dy: int) -> list[Part]:
        """Layers follow from what covers what; where sprites do, all whole ones are in front."""
        whole = [place.visible == self.bank.areas[place.sprite] for place in placements]
        front = 0 if all(whole) else 1
        parts: list[Part] = []
        for (sprite, x, y, visible), is_whole in zip(placements[::-1], whole[::-1], strict=True):
            width, height = self.bank.sizes[sprite].tolist()
            box = x - dx, y - dy, width, height
            behind = [
                part[1]
                for part in parts
                if not (is_whole and part[6] == 1) and _overlap(part[2:6], box)
            ]
            layer = max([front * int(is_whole), *(layer + 1 for layer in behind)])
            parts.append((sprite + 1, layer, *box, visible / int(self.bank.areas[sprite])))
        return parts[::-1]


def _overlap(first: Box, second: Box) -> bool:
    across = first[0] < second[0] + second[2] and second[0] < first[0] + first[2]
    return across and first[1] < second[1] + second[3] and second[1] < first[1] + first[3]
