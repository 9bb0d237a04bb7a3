"""Backgrounds larger than the screen: a camera moves over them, the display stands still."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sprite_obs.lookup.background import Background
from sprite_obs.lookup.locate import Locator, Place, count_equal, paste

NOWHERE = (-1, -1)
"""The camera's place in a frame that shows no known part of the scenery."""


class Layer(NamedTuple):
    """A part of the screen that scrolls, and all that was seen through it.

    Attributes:
        window: `(4,)` int32, left, top, right, bottom (exclusive) in frame pixels.
        axes: `(2,)` int32, 1 where it moves along x, and along y.
        scenery: `(h, w)` uint8 palette indices, 255 where nothing is known. Stretches of scenery
            that were never seen to hang together lie below each other.
    """

    window: np.ndarray
    axes: np.ndarray
    scenery: np.ndarray

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns of the window."""
        left, top, right, bottom = self.window.tolist()
        return slice(top, bottom), slice(left, right)

    @property
    def size(self) -> int:
        """Pixels of the window."""
        left, top, right, bottom = self.window.tolist()
        return (right - left) * (bottom - top)


class Panorama:
    """A still background with layers that scroll; used like a single `Background`.

    Args:
        still: what stands still; where a layer scrolls, its commonest colours.
        layers: at least one; that of the largest window first.
    """

    def __init__(self, still: Background, layers: list[Layer]) -> None:
        self.still, self.layers = still, layers
        self._locators = [
            Locator(layer.scenery, layer.axes, int(layer.window[3] - layer.window[1]))
            for layer in layers
        ]
        # Frames are asked for twice: what they show, and where. The last answer is kept with its
        # frame, so that it depends on nothing else.
        self._last: tuple[np.ndarray, list[Place | None]] | None = None

    @property
    def image(self) -> np.ndarray:
        """`(H, W)` uint8, what stands still, and the commonest colours elsewhere."""
        return self.still.image

    @property
    def images(self) -> np.ndarray:
        """`(1, P)` uint8, all pixels: those of the image and of the scenery of every layer."""
        scenery = [layer.scenery.ravel() for layer in self.layers]
        return np.concatenate([self.still.image.ravel(), *scenery])[None]

    @property
    def window(self) -> np.ndarray:
        """`(4,)` int32, the playing field."""
        return self.still.window

    def places(self, index: np.ndarray) -> list[Place | None]:
        """Returns which part of its scenery each layer shows in a `(H, W)` frame.

        None where no part of it explains more of the frame than the commonest colours do.
        """
        if self._last is None or not np.array_equal(self._last[0], index):
            pairs = zip(self.layers, self._locators, strict=True)
            found = [self._place(index, layer, locator) for layer, locator in pairs]
            self._last = index.copy(), found
        return self._last[1]

    def _place(self, index: np.ndarray, layer: Layer, locator: Locator) -> Place | None:
        view = np.ascontiguousarray(index[layer.slices])
        place = locator.find(view)
        usual = count_equal(self.still.image[layer.slices], view, 0, 0) / view.size
        return place if place is not None and place.agreement > usual else None

    def camera(self, index: np.ndarray) -> tuple[int, int]:
        """Returns the place (x, y) of the largest layer's window in its scenery, or `NOWHERE`."""
        place = self.places(index)[0]
        return NOWHERE if place is None else (place.x, place.y)

    def shown(self, index: np.ndarray, max_foreground: float) -> np.ndarray:
        """Returns `(H, W)` uint8, what a frame shows behind the sprites, in the frame's colours.

        Where scenery is not known, the commonest colours are returned.
        """
        image = self.still.image.copy()
        for layer, place in zip(self.layers, self.places(index), strict=True):
            if place is not None:
                paste(layer.scenery, image[layer.slices], place.y, place.x)
        return dataclasses.replace(self.still, image=image).shown(index, max_foreground)

    def with_window(self, window: np.ndarray) -> "Panorama":
        """Returns the same background with another playing field."""
        return Panorama(self.still.with_window(window), self.layers)

    def with_images(self, change: Callable[[np.ndarray], np.ndarray]) -> "Panorama":
        """Returns the background with a changed image and changed scenery."""
        layers = [layer._replace(scenery=change(layer.scenery)) for layer in self.layers]
        return Panorama(self.still.with_images(change), layers)


def flatten_layers(layers: list[Layer]) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a file holds of layers; `restore_layers` is the inverse.

    Returns:
        `(L, 8)` int32, window, axes, height and width of the scenery of each layer, and `(P,)`
        uint8, the pixels of all scenery.
    """
    rows = [[*layer.window, *layer.axes, *layer.scenery.shape] for layer in layers]
    pixels = [np.zeros(0, np.uint8), *(layer.scenery.ravel() for layer in layers)]
    return np.array(rows, np.int32).reshape(-1, 8), np.concatenate(pixels)


def restore_layers(rows: np.ndarray, pixels: np.ndarray) -> list[Layer]:
    """Builds the layers from what `flatten_layers` returned."""
    layers, start = [], 0
    for row in rows:
        height, width = row[6:].tolist()
        scenery = pixels[start : start + height * width].reshape(height, width)
        layers.append(Layer(row[:4].copy(), row[4:6].copy(), scenery))
        start += height * width
    return layers
