"""Where in a large image a view of it was taken, found by patches that are exactly the same."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.bank import TRANSPARENT

SQUARE, LINE = 12, 32
"""Pixels of a patch's sides where the camera moves along both axes, and along one of them."""
MAX_COPIES = 64
"""A patch that occurs at more places says nothing."""
MAX_ASKED = 640
"""Patches of a view that are looked up."""
MIN_VOTES = 3
"""Patches that must agree on a place."""
COMPARED = 6
"""Places with most votes that are compared pixel by pixel."""


class Place(NamedTuple):
    """Where a view was taken.

    Attributes:
        x: left edge in the image, in pixels; it may lie beyond the image's border.
        y: top edge in the image.
        agreement: share of the view's pixels that the image shows there, too.
    """

    x: int
    y: int
    agreement: float


class Locator:
    """Finds views in an image; the answer depends on the view alone.

    Args:
        image: `(h, w)` uint8 palette indices, 255 where nothing is known.
        axes: `(2,)` bool, whether views differ in x, and in y.
        pitch: pixels from one map of the image to the next, which lie below each other; if views
            do not differ in y, they start at multiples of it.
    """

    def __init__(self, image: np.ndarray, axes: np.ndarray, pitch: int) -> None:
        self.image = image
        self._axes, self._pitch = (bool(axes[0]), bool(axes[1])), pitch
        self._patch = patch_size(self._axes)
        keys = _all_keys(image, *self._patch, *self._axes, pitch)
        order = np.argsort(keys, kind="stable")
        order = order[np.searchsorted(keys[order], 1) :]  # 0: flat, or not known
        self._keys, self._places = keys[order], order.astype(np.int32)

    def find(self, view: np.ndarray) -> Place | None:
        """Returns where a `(h, w)` uint8 view was taken, None if nothing tells."""
        asked = _asked(view.shape, self._patch)
        votes = _votes(
            view, asked, self._keys, self._places, self.image.shape[1], *self._patch, *self._axes
        )
        best = None
        for y, x in _most_voted(votes, COMPARED).tolist():
            agreement = count_equal(self.image, view, y, x) / view.size
            if best is None or agreement > best.agreement:
                best = Place(x, y, agreement)
        return best


def patch_size(axes: tuple[bool, bool]) -> tuple[int, int]:
    """Returns height and width of the patches: lines along the only axis, else squares."""
    if axes == (True, True):
        return SQUARE, SQUARE
    return (1, LINE) if axes[0] else (LINE, 1)


def _asked(view_shape: tuple[int, ...], patch: tuple[int, int]) -> np.ndarray:
    """Returns `(n, 2)` int32, y and x of the patches to ask for: an even grid."""
    height, width = view_shape[0] - patch[0] + 1, view_shape[1] - patch[1] + 1
    if height <= 0 or width <= 0:
        return np.zeros((0, 2), np.int32)
    step = max(1, int(np.ceil(np.sqrt(height * width / MAX_ASKED))))
    y, x = np.mgrid[0:height:step, 0:width:step]
    return np.column_stack([y.ravel(), x.ravel()]).astype(np.int32)


@numba.njit(cache=True)
def _key(image, top, left, height, width, fixed):
    """Hashes a patch and the coordinate that is fixed; 0 if it is flat or not all known."""
    key = np.uint64(1469598103934665603) ^ np.uint64(fixed + 1)
    flat = True
    for y in range(top, top + height):
        for x in range(left, left + width):
            color = image[y, x]
            if color == TRANSPARENT:
                return np.int64(0)
            flat &= color == image[top, left]
            key = (key ^ np.uint64(color)) * np.uint64(1099511628211)
    return np.int64(0) if flat else np.int64(key >> np.uint64(1)) | np.int64(1)


@numba.njit(cache=True)
def _all_keys(image, height, width, moves_x, moves_y, pitch):
    keys = np.zeros(image.shape, np.int64)
    for y in range(image.shape[0] - height + 1):
        for x in range(image.shape[1] - width + 1):
            fixed = (0 if moves_y else y % pitch) if moves_x else x
            keys[y, x] = _key(image, y, x, height, width, fixed)
    return keys.ravel()


@numba.njit(cache=True)
def _votes(view, asked, keys, places, image_width, height, width, moves_x, moves_y):
    """Returns one int64 per vote: where the view starts if a patch is the one in the image."""
    votes = np.empty(len(asked) * MAX_COPIES, np.int64)
    count = 0
    for y, x in asked:
        fixed = (0 if moves_y else y) if moves_x else x
        key = _key(view, y, x, height, width, fixed)
        if key == 0:
            continue
        low, high = np.searchsorted(keys, key), np.searchsorted(keys, key, side="right")
        if high - low > MAX_COPIES:
            continue
        for place in places[low:high]:
            row, column = place // image_width - y, place % image_width - x
            votes[count] = (np.int64(row + (1 << 24)) << 32) + column + (1 << 24)
            count += 1
    return votes[:count]


def _most_voted(votes: np.ndarray, count: int) -> np.ndarray:
    """Returns `(n, 2)` int64, y and x of the places with most votes; of equals, the first."""
    places, number = np.unique(votes, return_counts=True)
    best = np.argsort(-number, kind="stable")[:count]
    best = best[number[best] >= MIN_VOTES]
    return np.column_stack([(places[best] >> 32), (places[best] & 0xFFFFFFFF)]) - (1 << 24)


@numba.njit(cache=True)
def count_equal(image: np.ndarray, view: np.ndarray, top: int, left: int) -> int:
    """Counts the pixels that a view shares with an image, where it starts at (left, top)."""
    equal = 0
    for y in range(max(0, -top), min(len(view), len(image) - top)):
        for x in range(max(0, -left), min(view.shape[1], image.shape[1] - left)):
            equal += image[top + y, left + x] == view[y, x]
    return equal


@numba.njit(cache=True)
def paste(image: np.ndarray, view: np.ndarray, top: int, left: int) -> int:
    """Paints what an image shows at (left, top) over a view; returns how much is not known."""
    missing = view.size
    for y in range(max(0, -top), min(len(view), len(image) - top)):
        for x in range(max(0, -left), min(view.shape[1], image.shape[1] - left)):
            color = image[top + y, left + x]
            if color != TRANSPARENT:
                view[y, x] = color
                missing -= 1
    return missing
