"""A dictionary that grew: what the smaller one explains to the last pixel stays as it is."""

from collections.abc import Sequence

import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank, drawing_key
from sprite_obs.lookup.explain import Explainer, Explanation


class GrownExplainer:
    """Asks the smaller dictionary first, and the larger one about what that leaves unexplained.

    Sprites of the smaller one come first in the larger one, so ids mean the same in both. Known at
    once, by `whole` and `is_piece`, are those of the smaller one only: of a component that looks
    like a later sprite it may know better what it is, for example at the border or beside another.

    Args:
        former: takes components apart into sprites of the smaller dictionary.
        larger: the same with all sprites.

    Attributes:
        num_known: sprites that a component may be taken for without being explained.
        is_piece: as in `Explainer`, of these sprites.
    """

    def __init__(self, former: "Explainer | GrownExplainer", larger: Explainer) -> None:
        self._former, self._larger = former, larger
        self.num_known: int = former.num_known
        self.is_piece: np.ndarray = former.is_piece
        keys = larger.bank.keys().tolist()
        self._new = {key: i for i, key in enumerate(keys) if key not in former.keys}
        self.keys: set[int] = {*keys}

    def whole(self, sprite: int) -> Explanation:
        """Returns the explanation of a component that is exactly a sprite, an index in the bank."""
        return self._larger.whole(sprite)

    def explain(self, colors: np.ndarray, opaque: np.ndarray, sides: int) -> Explanation:
        """Explains a component; arguments and result as in `Explainer`."""
        before = self._former.explain(colors, opaque, sides)
        if before.is_exact:
            return before
        key = drawing_key(np.where(opaque, colors, TRANSPARENT).astype(np.uint8))
        if key in self._new:
            return self._larger.whole(self._new[key])
        now = self._larger.explain(colors, opaque, sides)
        return now if now.unexplained < before.unexplained else before

    def covered(
        self, colors: np.ndarray, members: np.ndarray, sides: int
    ) -> tuple[Explanation, int] | None:
        """Explains components that lie close together; arguments and result as in `Explainer`."""
        before = self._former.covered(colors, members, sides)
        if before is not None:
            return before
        now = self._larger.covered(colors, members, sides)
        if now is None or self._explains_any(colors, members, sides, now[1]):
            return None
        return now

    def _explains_any(
        self, colors: np.ndarray, members: np.ndarray, sides: int, numbers: int
    ) -> bool:
        """Says whether the smaller dictionary explains one of several components by itself."""
        bits = range(numbers.bit_length())
        return any(
            self._explains(colors, members == bit + 1, sides) for bit in bits if numbers >> bit & 1
        )

    def _explains(self, colors: np.ndarray, member: np.ndarray, sides: int) -> bool:
        rows, columns = np.flatnonzero(member.any(1)), np.flatnonzero(member.any(0))
        height, width = member.shape
        ends = columns[0] == 0, rows[0] == 0, columns[-1] == width - 1, rows[-1] == height - 1
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colors, member = colors[box], member[box]
        if drawing_key(np.where(member, colors, TRANSPARENT).astype(np.uint8)) in self._former.keys:
            return True
        touched = sides & sum(1 << side for side, is_end in enumerate(ends) if is_end)
        return self._former.explain(colors, member, touched).is_exact


def make_explainer(
    bank: SpriteBank,
    counts: np.ndarray,
    frame_shape: tuple[int, ...],
    min_visible: float,
    min_explained: float,
    former_sizes: Sequence[int] = (),
) -> Explainer | GrownExplainer:
    """Makes what takes components apart, by one dictionary or by one that grew.

    Args:
        bank: the whole dictionary.
        counts: as for `Explainer`, like all but the last.
        frame_shape: (H, W).
        min_visible: share of a covered sprite that must show.
        min_explained: share of an unknown component that its sprites must explain.
        former_sizes: how many sprites the dictionary had each time before it grew, rising.
    """
    explainer: Explainer | GrownExplainer | None = None
    for size in (*former_sizes, len(bank)):
        larger = Explainer(bank.first(size), counts[:size], frame_shape, min_visible, min_explained)
        explainer = larger if explainer is None else GrownExplainer(explainer, larger)
    assert explainer is not None
    return explainer
