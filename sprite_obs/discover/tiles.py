"""Equal tiles that vanish one by one: bricks of a wall, which never show as single things."""

from collections import Counter

import numpy as np

from sprite_obs.lookup.components import find_components
from sprite_obs.lookup.tiles import NO_TILES

MIN_EVENTS = 5
"""Single tiles of the commonest size that must be seen to vanish."""
MIN_PLACES = 2
"""Places at which they must."""
MIN_SHARE = 0.3
"""Share of all that vanishes which has the commonest size."""
MIN_TILES = 6
"""Tiles of a wall."""
MIN_SIDE = 3
"""Pixels of a tile's shorter side."""

Box = tuple[int, int, int, int]


def find_tiles(
    frames: np.ndarray, usual: np.ndarray, cleared: np.ndarray, max_size: int
) -> np.ndarray:
    """Finds the tiles of walls from which some were seen to vanish.

    Args:
        frames: `(N, H, W)` uint8 palette indices, consecutive.
        usual: `(H, W)` uint8 palette indices, the commonest colours, walls included.
        cleared: `(H, W)` uint8 palette indices, what is behind where something vanished.
        max_size: side of a sprite's canvas in pixels; larger things are no tiles.

    Returns:
        `(n, 5)` int32: left, top, width, height and palette index of each tile.
    """
    vanished = [box for box in _vanished(frames, usual, cleared) if max(box[2:]) <= max_size]
    sizes = Counter(box[2:] for box in vanished)
    if not sizes:
        return NO_TILES
    size, count = sizes.most_common(1)[0]
    places = Counter(box for box in vanished if box[2:] == size)
    seeds = [box for box, _ in places.most_common()]
    if count < max(MIN_EVENTS, MIN_SHARE * len(vanished)) or len(seeds) < MIN_PLACES:
        return NO_TILES
    behind = {int(cleared[top, left]) for left, top, *_ in seeds}
    tiles = _grow(seeds, usual, behind)
    return np.array(tiles, np.int32) if len(tiles) >= MIN_TILES else NO_TILES


def clear_tiles(cleared: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    """Takes tiles out of a background.

    Args:
        cleared: `(H, W)` uint8 palette indices, what is behind where something vanished.
        tiles: as `find_tiles` returned them.

    Returns:
        `(H, W)` uint8; all tiles have the colour that is behind most of those that vanished.
    """
    image = cleared.copy()
    colors = [cleared[top, left] for left, top, _, _, color in tiles if cleared[top, left] != color]
    for left, top, width, height, _ in tiles:
        image[top : top + height, left : left + width] = Counter(colors).most_common(1)[0][0]
    return image


def _vanished(frames: np.ndarray, usual: np.ndarray, cleared: np.ndarray) -> list[Box]:
    """Returns boxes of filled, single-coloured rectangles that vanished, and stayed away."""
    candidates = usual != cleared
    gone = (frames == cleared) & candidates  # (N, H, W)
    there = (frames == usual) & candidates
    boxes = []
    for n in range(len(frames) - 2):
        now = there[n] & gone[n + 1] & gone[n + 2]
        if not now.any():
            continue
        found = find_components(usual, now)
        for (left, top, width, height), area in zip(
            found.boxes.tolist(), found.areas.tolist(), strict=True
        ):
            colors = usual[top : top + height, left : left + width]
            filled = area == width * height and (colors == colors[0, 0]).all()
            if filled and min(width, height) >= MIN_SIDE:
                boxes.append((left, top, width, height))
    return boxes


def _grow(seeds: list[Box], image: np.ndarray, behind: set[int]) -> list[tuple[int, ...]]:
    """Goes from tile to tile: beside each other of one colour, above each other of any."""
    tiles: list[tuple[int, ...]] = []
    taken = np.zeros(image.shape, bool)
    queue = [(box, -1) for box in reversed(seeds)]
    while queue:
        (left, top, width, height), color = queue.pop()
        inside = left >= 0 and top >= 0
        inside &= left + width <= image.shape[1] and top + height <= image.shape[0]
        window = np.s_[top : top + height, left : left + width]
        if not inside or taken[window].any():
            continue
        here = int(image[top, left])
        pixels = image[window]
        if (pixels != here).any() or here in behind or color not in (-1, here):
            continue
        if _goes_on_vertically(image, left, top, width, height):
            continue
        taken[window] = True
        tiles.append((left, top, width, height, here))
        queue += [((left + dx, top, width, height), here) for dx in (-width, width)]
        queue += [((left, top + dy, width, height), -1) for dy in (-height, height)]
    return sorted(tiles)


def _goes_on_vertically(image: np.ndarray, left: int, top: int, width: int, height: int) -> bool:
    """Says whether the colour fills the row above or below too: then rows are no tiles."""
    color = image[top, left]
    rows = [row for row in (top - 1, top + height) if 0 <= row < len(image)]
    return any((image[row, left : left + width] == color).any() for row in rows)
