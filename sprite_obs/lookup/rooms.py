"""Several still backgrounds: a game with rooms shows one of them at a time."""

from collections.abc import Callable, Sequence

import numpy as np

from sprite_obs.lookup.background import Background
from sprite_obs.lookup.panorama import Layer, Panorama


class Rooms:
    """The backgrounds of a game's rooms; used like a single `Background`.

    Args:
        rooms: at least one background, that of the commonest room first; all of one size.
    """

    def __init__(self, rooms: list[Background]) -> None:
        self.rooms = rooms
        self._last = 0
        self._near = _half_distances(self.images)

    @property
    def image(self) -> np.ndarray:
        """`(H, W)` uint8, the background of the commonest room."""
        return self.rooms[0].image

    @property
    def images(self) -> np.ndarray:
        """`(R, H, W)` uint8, the images of all rooms."""
        return np.stack([room.image for room in self.rooms])

    @property
    def window(self) -> np.ndarray:
        """`(4,)` int32, the playing field, which all rooms share."""
        return self.rooms[0].window

    def room(self, index: np.ndarray) -> int:
        """Returns the room that differs from a `(H, W)` frame in the fewest pixels."""
        if np.count_nonzero(index != self.rooms[self._last].image) > self._near[self._last]:
            differs = [np.count_nonzero(index != room.image) for room in self.rooms]
            self._last = int(np.argmin(differs))
        return self._last

    def shown(self, index: np.ndarray, max_foreground: float) -> np.ndarray:
        """Returns `(H, W)` uint8, the room that a frame shows, in the frame's colours."""
        return self.rooms[self.room(index)].shown(index, max_foreground)

    def with_window(self, window: np.ndarray) -> "Rooms":
        """Returns the same rooms with another playing field."""
        return Rooms([room.with_window(window) for room in self.rooms])

    def with_images(self, change: Callable[[np.ndarray], np.ndarray]) -> "Rooms":
        """Returns the rooms with changed images."""
        return Rooms([room.with_images(change) for room in self.rooms])


def _half_distances(images: np.ndarray) -> np.ndarray:
    """Returns `(R,)` int64, differing pixels up to which no other image can be as near."""
    flat = images.reshape(len(images), -1)
    distances = (flat[:, None] != flat[None]).sum(2)
    np.fill_diagonal(distances, 2 * flat.shape[1] + 2)
    return (distances.min(1) - 1) // 2


Behind = Background | Rooms | Panorama
"""What lies behind the sprites: one screen, one of several, or one that scrolls."""


def flatten(behind: Behind) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns what a file holds of a background beside its image; `restore` is the inverse.

    Returns:
        `(R, H, W)` uint8, the images of further rooms; `(n, 5)` int32 bands and `(n, 4)` int32
        regions as in `Background`, each row after the number of its room. The layers of a
        `Panorama` are not in them.
    """
    if isinstance(behind, Panorama):
        return flatten(behind.still)
    rooms = behind.rooms if isinstance(behind, Rooms) else [behind]

    def numbered(tables: list[np.ndarray]) -> np.ndarray:
        parts = [np.insert(table, 0, room, axis=1) for room, table in enumerate(tables)]
        return np.concatenate(parts).astype(np.int32)

    bands, regions = ([getattr(room, key) for room in rooms] for key in ("bands", "regions"))
    return behind.images[1:], numbered(bands), numbered(regions)


def restore(
    image: np.ndarray,
    further: np.ndarray,
    bands: np.ndarray,
    regions: np.ndarray,
    window: np.ndarray,
    layers: Sequence[Layer] = (),
) -> Behind:
    """Builds the background from what `flatten` returned, the main room's image and the window.

    `layers` are those of a `Panorama`, which has a single room.
    """
    rooms = []
    for number, room in enumerate([image, *further]):
        of_room = bands[bands[:, 0] == number, 1:], regions[regions[:, 0] == number, 1:]
        rooms.append(Background(room, *of_room, window))
    if layers:
        return Panorama(rooms[0], list(layers))
    return rooms[0] if len(rooms) == 1 else Rooms(rooms)
