"""The scenery behind a part of the screen that scrolls, put together from what each frame shows."""

import numba
import numpy as np

from sprite_obs.discover.camera import Scrolling, find_scrolling
from sprite_obs.discover.shifts import find_shift
from sprite_obs.lookup.bank import TRANSPARENT
from sprite_obs.lookup.locate import Locator, Place, count_equal
from sprite_obs.lookup.panorama import Layer

MAX_SCREENS = 64
"""Scenery that is kept, as a multiple of the window's area."""
SURE = 0.95
"""Share of a frame that must be as known scenery is before it counts as the same place."""
TOLERANCE = 0.01
"""Share of a frame that may differ more there than it does where the camera should be."""
LOST = 0.85
"""Share below which the camera is not where it should be: it jumped."""
FOLLOWED = 0.5
"""Share of the patches that a shift must explain for the camera to have moved by it."""
MIN_FRAMES = 20
"""Frames that must show a stretch of scenery."""
GROWTH = 1.25
"""How much larger the scenery must be before what is new in it can be found again."""

CHECKED = 200
"""Frames on which scenery must prove itself."""
MIN_OPEN = 0.05
"""Share of the window that still scenery leaves open; less, and only sprites move."""
MAX_OPEN = 0.35
"""Share of that which scenery that scrolls may leave open."""

Spot = tuple[int, int, int]
"""Number of the stretch, y and x of the view in it."""


class _Stretch:
    """Scenery that hangs together; it grows as the camera moves on.

    Per pixel, the colour in the majority so far is kept with its lead (Boyer and Moore): sprites
    that pass by do not stay.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.color = np.full(shape, TRANSPARENT, np.uint8)
        self.lead = np.zeros(shape, np.int16)
        self.origin = np.zeros(2, np.int64)
        self.num_frames = 0

    def add(self, view: np.ndarray, y: int, x: int) -> None:
        """Adds a view that starts at (x, y)."""
        self._make_room(view.shape, y, x)
        self.num_frames += 1
        _count(self.color, self.lead, view, y + self.origin[0], x + self.origin[1])

    def _make_room(self, shape: tuple[int, ...], y: int, x: int) -> None:
        low = np.array([y, x]) + self.origin
        before = np.maximum(-low, 0)
        after = np.maximum(low + shape - self.color.shape, 0)
        # Room for a screen more than needed, so that this happens seldom.
        before, after = before + (before > 0) * shape, after + (after > 0) * shape
        if before.any() or after.any():
            pad = list(zip(before.tolist(), after.tolist(), strict=True))
            self.color = np.pad(self.color, pad, constant_values=TRANSPARENT)
            self.lead = np.pad(self.lead, pad)
            self.origin += before

    def missing(self, shape: tuple[int, ...], y: int, x: int) -> int:
        """Counts the pixels that are not known yet of a view that starts at (x, y)."""
        top, left = y + self.origin[0], x + self.origin[1]
        part = self.color[max(top, 0) : top + shape[0], max(left, 0) : left + shape[1]]
        return int(shape[0] * shape[1] - np.count_nonzero(part != TRANSPARENT))

    def trimmed(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the known rectangle, and where (y, x) it starts in the coordinates of `add`."""
        seen = self.color != TRANSPARENT
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        part = self.color[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return part, np.array([rows[0], columns[0]]) - self.origin


@numba.njit(cache=True)
def _count(color, lead, view, top, left):
    for y in range(view.shape[0]):
        for x in range(view.shape[1]):
            row, column = top + y, left + x
            if color[row, column] == view[y, x]:
                lead[row, column] = min(lead[row, column] + 1, 30000)
            elif lead[row, column] == 0:
                color[row, column], lead[row, column] = view[y, x], 1
            else:
                lead[row, column] -= 1


def build_layer(frames: np.ndarray, episode: np.ndarray, found: Scrolling) -> Layer | None:
    """Puts the scenery of a part of the screen together.

    The camera is followed from frame to frame. Where it comes to what is new, the frame is looked
    for in all that is known: the world may end where it began, and each episode starts anew.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        found: what scrolls.

    Returns:
        The layer; None if no stretch of scenery was seen for long.
    """
    mosaic = _Mosaic(found)
    left, top, right, bottom = found.window.tolist()
    spot: Spot | None = None
    likely = (0, 0)
    for n, frame in enumerate(frames):
        view = np.ascontiguousarray(frame[top:bottom, left:right])
        follows = n > 0 and episode[n] == episode[n - 1]
        step = _camera_step(frames[n - 1], frame, found, likely) if follows else None
        if step is None:
            spot, likely = None, (0, 0)
        elif spot is not None:
            spot, likely = (spot[0], spot[1] - step[1], spot[2] - step[0]), step
        spot = mosaic.add(view, spot)
    return mosaic.layer()


def _camera_step(
    before: np.ndarray, after: np.ndarray, found: Scrolling, likely: tuple[int, int]
) -> tuple[int, int] | None:
    """Returns by how much (x, y) the scenery moved; None if nothing tells."""
    left, top, right, bottom = found.window.tolist()
    window = np.s_[top:bottom, left:right]
    if np.array_equal(before[window], after[window]):
        return 0, 0
    shift = find_shift(before, after, found.window, likely)
    if shift.moved < FOLLOWED * shift.textured:
        return None
    return int(shift.x * found.axes[0]), int(shift.y * found.axes[1])


class _Mosaic:
    """All stretches of scenery of a layer."""

    def __init__(self, found: Scrolling) -> None:
        self.found = found
        left, top, right, bottom = found.window.tolist()
        self.shape = bottom - top, right - left
        self.stretches: list[_Stretch] = []
        self._area = 0
        self._indexed = 0
        self._locator: Locator | None = None
        self._starts = np.zeros((0, 4), np.int64)

    def add(self, view: np.ndarray, spot: Spot | None) -> Spot | None:
        """Adds a view; returns where it turned out to be.

        Args:
            view: `(h, w)` uint8 palette indices.
            spot: where it should be; None if that is not known.
        """
        agreement = 0.0 if spot is None else self._agreement(view, spot)
        if agreement < LOST:
            spot = None
        missing = view.size if spot is None else self._missing(spot)
        if missing:
            if self._area >= self._next_index(spot is None):
                self._index()
            again = self._seen_before(view, max(SURE, agreement - TOLERANCE))
            if again is not None:
                spot, missing = again, self._missing(again)
        if self._area + missing > MAX_SCREENS * view.size:
            return None
        if spot is None:
            self.stretches.append(_Stretch(self.shape))
            spot = len(self.stretches) - 1, 0, 0
        self._area += missing
        self.stretches[spot[0]].add(view, *spot[1:])
        return spot

    def _missing(self, spot: Spot) -> int:
        return self.stretches[spot[0]].missing(self.shape, *spot[1:])

    def _agreement(self, view: np.ndarray, spot: Spot) -> float:
        """Returns the share of a view that is as known scenery is, of what is known there."""
        stretch, known = self.stretches[spot[0]], view.size - self._missing(spot)
        top, left = (np.array(spot[1:]) + stretch.origin).tolist()
        return count_equal(stretch.color, view, top, left) / max(known, 1)

    def _seen_before(self, view: np.ndarray, needed: float) -> Spot | None:
        """Looks for a view in all that was known when it was indexed."""
        place = self._locator.find(view) if self._locator else None
        if place is None or place.agreement < needed:
            return None
        return self._spot(place)

    def _next_index(self, lost: bool) -> float:
        """Returns the area at which what is new is indexed; the lost are found in all of it."""
        quarter = self.shape[0] * self.shape[1] // 4
        return max(self._indexed + quarter / 4 if lost else GROWTH * self._indexed, quarter)

    def _index(self) -> None:
        scenery, self._starts = self._stack(self.stretches)
        self._locator = Locator(scenery, self.found.axes, self.shape[0])
        self._indexed = self._area

    def _spot(self, place: Place) -> Spot | None:
        """Turns a place in the stacked scenery into one in a stretch."""
        number = int(np.searchsorted(self._starts[:, 0], place.y + self.shape[0] // 2, "right")) - 1
        top, y, x, _ = self._starts[max(number, 0)].tolist()
        return max(number, 0), place.y - top + y, place.x + x

    def _stack(self, stretches: list[_Stretch]) -> tuple[np.ndarray, np.ndarray]:
        """Puts stretches below each other, each at a multiple of the window's height.

        Returns:
            The scenery and `(n, 4)` int64: first row there; y, x of this row in the stretch.
        """
        parts = [stretch.trimmed() for stretch in stretches]
        # A view may reach beyond the end of a stretch, but not into the next one.
        gap = self.shape[0] if self.found.axes[1] else 0
        pitch = self.shape[0]
        heights = [-(-(len(part) + gap) // pitch) * pitch for part, _ in parts]
        width = max(part.shape[1] for part, _ in parts)
        scenery = np.full((sum(heights), width), TRANSPARENT, np.uint8)
        tops = np.cumsum([0, *heights[:-1]])
        for top, (part, _) in zip(tops, parts, strict=True):
            scenery[top : top + len(part), : part.shape[1]] = part
        starts = [[top, *start, 0] for top, (_, start) in zip(tops, parts, strict=True)]
        return scenery, np.array(starts, np.int64)

    def layer(self) -> Layer | None:
        """Returns what was put together, but for stretches that few frames show."""
        long = [stretch for stretch in self.stretches if stretch.num_frames >= MIN_FRAMES]
        if not long:
            return None
        scenery, _ = self._stack(sorted(long, key=lambda stretch: -stretch.num_frames))
        axes = np.array(self.found.axes, np.int32)
        return Layer(self.found.window, axes, scenery)


def find_layers(
    frames: np.ndarray, episode: np.ndarray, usual: np.ndarray, max_size: int
) -> list[Layer]:
    """Finds what scrolls, and its scenery; nothing where the screen stands still.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        episode: `(N,)` int32, episode of each frame.
        usual: `(H, W)` uint8 palette indices, the commonest colours.
        max_size: side of a sprite's canvas in pixels.
    """
    some = frames[:: max(1, len(frames) // CHECKED)]
    built = (
        build_layer(frames, episode, found) for found in find_scrolling(frames, episode, max_size)
    )
    return [layer for layer in built if layer is not None and explains_more(layer, some, usual)]


def explains_more(layer: Layer, frames: np.ndarray, usual: np.ndarray) -> bool:
    """Says whether scenery that scrolls leaves far less open than still scenery does.

    Args:
        layer: the scenery.
        frames: `(N, H, W)` uint8 palette indices.
        usual: `(H, W)` uint8 palette indices, the commonest colours.
    """
    locator = Locator(layer.scenery, layer.axes, layer.window[3] - layer.window[1])
    still, scrolling = 0.0, 0.0
    for frame in frames:
        view = np.ascontiguousarray(frame[layer.slices])
        differs = view.size - count_equal(usual[layer.slices], view, 0, 0)
        place = locator.find(view)
        left = view.size * (1 - place.agreement) if place else differs
        still, scrolling = still + differs, scrolling + min(left, differs)
    size = len(frames) * layer.size
    return bool(still >= MIN_OPEN * size and scrolling <= MAX_OPEN * still)
