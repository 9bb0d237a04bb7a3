"""Which known sprites an unknown component shows: whole, covered, or cut off by the border."""

from typing import NamedTuple

import numpy as np

from sprite_obs.lookup.apart import (
    MAX_CONTINUED,
    MAX_PARTS,
    Dictionary,
    take_apart,
    take_cluster_apart,
)
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.peel import Rules
from sprite_obs.lookup.pieces import find_pieces

SCENERY_SPAN = 0.94
"""Unknown things that span this share of the frame's width or height are scenery, no sprites."""

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
        self._scenery = SCENERY_SPAN * frame_shape[0], SCENERY_SPAN * frame_shape[1]
        order = np.argsort(-bank.areas, kind="stable").astype(np.int32)
        self._dictionary = Dictionary(
            bank.arrays,
            order,
            order[~self.is_piece[order]],
            order[self.is_piece[order]],
            np.argsort(bank.areas, kind="stable").astype(np.int32),
            int(bank.sizes.max(initial=1)),
            Rules(float(min_visible), MAX_CONTINUED),
            float(min_explained),
        )
        self._areas: list[int] = bank.areas.tolist()

    def whole(self, sprite: int) -> Explanation:
        """Returns the explanation of a component that is exactly a sprite, an index in the bank."""
        width, height = self.bank.sizes[sprite].tolist()
        return Explanation([(sprite + 1, 0, 0, 0, width, height, 1.0)], 0)

    def explain(self, colors: np.ndarray, opaque: np.ndarray, sides: int) -> Explanation:
        """Explains a component that is no known sprite.

        Args:
            colors: `(h, w)` uint8 palette indices.
            opaque: `(h, w)` bool, pixels of the component.
            sides: where it touches the border, as bits: 1 for left, 2 for top, 4 for right, 8 for
                bottom.

        Returns:
            Its sprites; one row of sprite 0 if it is unknown, nothing if it is scenery.
        """
        height, width = opaque.shape
        if height >= self._scenery[0] or width >= self._scenery[1]:
            return Explanation([], int(opaque.sum()))
        found, parts = _room()
        pixels = np.array(colors, order="C"), np.array(opaque, order="C")
        count, unexplained, has_holes = take_apart(*pixels, sides, self._dictionary, found, parts)
        if count == 0:
            return Explanation([(0, 0, 0, 0, width, height, 0.0)], unexplained)
        listed = self._listed(parts[:count])
        return Explanation(listed, unexplained, _shown(listed[0], opaque) if has_holes else None)

    def covered(
        self, colors: np.ndarray, members: np.ndarray, sides: int
    ) -> tuple[Explanation, int] | None:
        """Explains components that lie close together by sprites that cover each other.

        Args:
            colors: `(h, w)` uint8 palette indices.
            members: `(h, w)` uint8, number of the component at each pixel from 1, 0 for none.
            sides: where they touch the border, as for `explain`.

        Returns:
            The sprites, and bits of the components that they explain to the last pixel, the first
            one in bit 0; of the others they explain nothing. None if there are no such sprites.
        """
        found, parts = _room()
        pixels = np.array(colors, order="C"), np.array(members, order="C")
        count, explained = take_cluster_apart(*pixels, sides, self._dictionary, found, parts)
        return (Explanation(self._listed(parts[:count]), 0), explained) if count else None

    def _listed(self, parts: np.ndarray) -> list[Part]:
        """Returns parts with their scores."""
        areas = self._areas
        return [
            (sprite, layer, left, top, width, height, visible / areas[sprite - 1])
            for sprite, layer, left, top, width, height, visible in parts.tolist()
        ]


def _room() -> tuple[np.ndarray, np.ndarray]:
    """Returns what `take_apart` writes into."""
    return np.empty((MAX_PARTS, 4), np.int64), np.empty((MAX_PARTS, 7), np.int64)


def _shown(part: Part, opaque: np.ndarray) -> np.ndarray:
    """Returns which pixels of a sprite show where a component is all that is seen of it."""
    _, _, left, top, width, height, _ = part
    shown = np.zeros((height, width), bool)
    shown[-top:, -left:][: opaque.shape[0], : opaque.shape[1]] = opaque
    return shown
