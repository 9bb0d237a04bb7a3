"""Which sprites look like one thing: animated, mirrored, cut off or painted in another colour."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sprite_obs.discover.count import Occurrences
from sprite_obs.lookup.bank import TRANSPARENT, SpriteBank

NEARLY_SAME = 0.7
"""Common part of two silhouettes of one colour that differ by a small animation."""
SAME = 0.999
"""Common part of two silhouettes that are pixel by pixel the same."""
SAME_COLORS = 0.75
"""Common part of the colour histograms of views of one thing."""
SOLID = 0.85
"""Share of its box above which a silhouette says nothing: paddles, walls and bars look alike."""
MIN_TELLING = 12
"""Pixels below which a silhouette says nothing."""
RARE = 0.25
"""Appearances of a cut view relative to the whole; what is as common as that is its own thing."""
MANY_COLORS = 3
"""Colours side by side that make one kind of thing; two colours are usually opponents."""
MIN_PLACES = 4
"""Places at which a thing is seen at least that moves, unlike a digit of a score."""
PLACES_SHARE = 0.01
"""Places relative to the appearances; a moving thing is seldom twice where it was."""
MIN_FRAMES = 3
"""Frames that show many colours side by side."""
FEW_FRAMES = 0.02
"""Share of the frames that show a silhouette, below which an event is an accident."""


def color_histograms(bank: SpriteBank) -> np.ndarray:
    """Returns `(K, 256)` float64, the share of each palette colour in each drawing."""
    counts = np.zeros((len(bank), 256))
    for sprite in range(len(bank)):
        drawing = bank.drawing(sprite)
        counts[sprite] = np.bincount(drawing[drawing != TRANSPARENT], minlength=256)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def color_overlap(bank: SpriteBank) -> np.ndarray:
    """Returns `(K, K)` float64 in [0, 1], the common part of two drawings' colour histograms."""
    histograms = color_histograms(bank)
    overlap = np.zeros((len(bank), len(bank)))
    for share in histograms[:, histograms.any(0)].T:
        overlap += np.minimum(share[:, None], share)
    return overlap


def components(links: np.ndarray) -> np.ndarray:
    """Returns `(K,)` int32, what `(K, K)` bool links join, numbered from 0."""
    return connected_components(coo_array(links), directed=False)[1].astype(np.int32)


def find_variants(
    bank: SpriteBank, seen: Occurrences, colors: np.ndarray, links: np.ndarray
) -> np.ndarray:
    """Adds to what motion links all that looks like one thing.

    Args:
        bank: K drawings.
        seen: occurrences whose `drawing` indexes the bank.
        colors: `(K, K)` float64 from `color_overlap`.
        links: `(K, K)` bool, drawings that are known to be one thing.

    Returns:
        `(K, K)` bool, the given links and more.
    """
    shape = _shape_overlap(bank)
    roams = _roams(seen, len(bank))
    views = (shape >= NEARLY_SAME) & (colors >= SAME_COLORS)
    counts = np.bincount(seen.drawing, minlength=len(bank))
    links = links | views | _cut_views(bank, counts, (colors > 0) & roams)
    look = (shape >= SAME) & roams[:, None] & roams
    return links | _recolored(seen, look, colors, links)


def _roams(seen: Occurrences, size: int) -> np.ndarray:
    """Returns `(K,)` bool, drawings seen at many places; where one rests its colour may tell."""
    x, y = seen.box[:, :2].astype(np.int64).T
    packed = np.unique((seen.drawing << 32) + (y << 16) + x)
    places = np.bincount(packed >> 32, minlength=size)
    appearances = np.bincount(seen.drawing, minlength=size)
    return places >= np.maximum(MIN_PLACES, PLACES_SHARE * appearances)


def _shape_overlap(bank: SpriteBank) -> np.ndarray:
    """Compares silhouettes centre on centre, each as it is and mirrored.

    Returns:
        `(K, K)` float32, intersection over union; 0 where a silhouette says nothing.
    """
    plain, mirrored = (_silhouettes(bank, step) for step in (1, -1))
    common = np.maximum(plain @ plain.T, plain @ mirrored.T)
    common = np.maximum(common, common.T)  # odd differences of size round to one side
    telling = (bank.areas < SOLID * bank.sizes.prod(1)) & (bank.areas >= MIN_TELLING)
    union = bank.areas[:, None] + bank.areas - common
    return np.where(telling[:, None] & telling, common / np.maximum(union, 1), 0)


def _silhouettes(bank: SpriteBank, step: int) -> np.ndarray:
    """Returns `(K, S * S)` float32, 1 where a drawing is opaque; `step` -1 mirrors it."""
    side = int(bank.sizes.max(initial=1))
    masks = np.zeros((len(bank), side, side), np.float32)
    for sprite, (width, height) in enumerate(bank.sizes.tolist()):
        left, top = (side - width) // 2, (side - height) // 2
        opaque = bank.drawing(sprite)[:, ::step] != TRANSPARENT
        masks[sprite, top : top + height, left : left + width] = opaque
    return masks.reshape(len(bank), side * side)


def _cut_views(bank: SpriteBank, counts: np.ndarray, possible: np.ndarray) -> np.ndarray:
    """Finds rare drawings that are another one cut off at one side.

    Args:
        bank: K drawings.
        counts: `(K,)` int64, appearances.
        possible: `(K, K)` bool, pairs of part and whole to look at.

    Returns:
        `(K, K)` bool, part and whole.
    """
    width, height = bank.sizes.T
    possible = possible & (width[:, None] <= width) & (height[:, None] <= height)
    possible &= (width[:, None] == width) != (height[:, None] == height)
    possible &= counts[:, None] <= RARE * counts
    cut = np.zeros_like(possible)
    for part, whole in np.argwhere(possible):
        cut[part, whole] = _is_end_of(bank.drawing(part), bank.drawing(whole))
    return cut


def _is_end_of(part: np.ndarray, whole: np.ndarray) -> bool:
    """Says whether `(h, w)` palette indices are one end of a drawing or of its mirror image."""
    height, width = part.shape
    ends = (
        end
        for view in (whole, whole[:, ::-1])
        for end in (view[:height, :width], view[-height:, -width:])
    )
    return any((part == end).all() for end in ends)


def _recolored(
    seen: Occurrences, look: np.ndarray, colors: np.ndarray, links: np.ndarray
) -> np.ndarray:
    """Finds the same silhouette in other colours, unless two of these play against each other.

    Args:
        seen: occurrences of K drawings.
        look: `(K, K)` bool, drawings of the same silhouette.
        colors: `(K, K)` float64 from `color_overlap`.
        links: `(K, K)` bool, drawings that are known to be one thing.

    Returns:
        `(K, K)` bool.
    """
    family = components(links | look)
    color = components(colors >= SAME_COLORS)
    one_kind = np.zeros(len(family), bool)
    for kind in np.unique(family[(look & ~links).any(1)]):
        one_kind[family == kind] = _is_one_kind(seen, family == kind, color)
    return look & one_kind[:, None]


def _is_one_kind(seen: Occurrences, members: np.ndarray, color: np.ndarray) -> bool:
    """Says whether alike drawings come in many colours at once, or in one colour at a time.

    Args:
        seen: occurrences of K drawings.
        members: `(K,)` bool, the drawings that look alike.
        color: `(K,)` int32, equal for drawings of the same colours.
    """
    rows = members[seen.drawing]
    shown = np.unique(seen.frame[rows].astype(np.int64) * len(color) + color[seen.drawing[rows]])
    at_once = np.unique(shown // len(color), return_counts=True)[1]
    few = FEW_FRAMES * len(at_once)
    many = np.count_nonzero(at_once >= MANY_COLORS) >= max(MIN_FRAMES, few)
    return bool(many or np.count_nonzero(at_once > 1) <= few)
