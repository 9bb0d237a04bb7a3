"""Where the game's actors really are, from the console's own table of sprites."""

from typing import Any

import numpy as np

from homebrew.drawings import ACTORS, DIGITS, FIRST_DIGIT, digit, pixels, tiles_of

CATEGORIES = ("hero", "gem", "bat", "slug", "digit")
DIGIT = CATEGORIES.index("digit")
NUM_DIGITS, NUM_ACTORS, PARTS = 2, 6, 4
CATEGORY_OF_ACTOR = (0, 1, 2, 2, 3, 3)
DISPLAY = ((16, 12, 16, 8),)
FRAME_SIZE = (240, 256)
MIRRORED, UPSIDE_DOWN = 0x40, 0x80

TILES = dict(enumerate(tile for drawing in ACTORS for tile in tiles_of(pixels(drawing))))
TILES |= dict(enumerate(map(digit, DIGITS), FIRST_DIGIT))


class Truth:
    """Collects the objects of frames, and gives them as docs/detection.md describes."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, ...]] = []
        self._num_frames = 0

    def add(self, oam: np.ndarray, episode: int) -> None:
        """Adds a frame, given `info["oam"]` as `(64, 6)`."""
        owner = owners(oam)
        for thing in range(NUM_DIGITS + NUM_ACTORS):
            rows, columns = np.nonzero(whole(oam, thing))
            if not len(rows):
                continue
            left, top = columns.min(), rows.min()
            size = columns.max() + 1 - left, rows.max() + 1 - top
            visible = int((owner == thing).any())
            track = episode * (NUM_DIGITS + NUM_ACTORS) + thing
            box = map(int, (left, top, *size))
            self._rows.append((self._num_frames, category(thing), *box, visible, track))
        self._num_frames += 1

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all arrays of a ground-truth file but the frames."""
        table = np.array(self._rows, np.int64).reshape(-1, 8)
        names = ("gt_frame", "gt_cat", "gt_x", "gt_y", "gt_w", "gt_h", "gt_visible", "gt_track")
        arrays: dict[str, Any] = dict(zip(names, table.T, strict=True))
        display = arrays["gt_cat"] == DIGIT
        return arrays | {
            "gt_visible": arrays["gt_visible"].astype(bool),
            "gt_hud": display,
            "gt_moving": ~display,
            "hud_rects": np.array(DISPLAY),
            "frame_hw": np.array(FRAME_SIZE),
            "category_names": np.array(CATEGORIES),
        }


def category(thing: int) -> int:
    """Returns what a thing is: the digits come first, then the actors."""
    return DIGIT if thing < NUM_DIGITS else CATEGORY_OF_ACTOR[thing - NUM_DIGITS]


def sprites_of(thing: int) -> range:
    """Returns the places of a thing's hardware sprites in the table."""
    if thing < NUM_DIGITS:
        return range(thing, thing + 1)
    first = NUM_DIGITS + PARTS * (thing - NUM_DIGITS)
    return range(first, first + PARTS)


def whole(oam: np.ndarray, thing: int) -> np.ndarray:
    """Returns the opaque pixels that are drawn of a thing, covered ones too: `(240, 256)` bool."""
    canvas = np.zeros(FRAME_SIZE, bool)
    for sprite in sprites_of(thing):
        _draw(canvas, oam[sprite], True)
    return canvas


def owners(oam: np.ndarray) -> np.ndarray:
    """Returns which thing every pixel shows, `(240, 256)` int; -1 for scenery."""
    canvas = np.full(FRAME_SIZE, -1)
    for thing in reversed(range(NUM_DIGITS + NUM_ACTORS)):  # who comes first covers the others
        for sprite in sprites_of(thing):
            _draw(canvas, oam[sprite], thing)
    return canvas


def _draw(canvas: np.ndarray, sprite: np.ndarray, value: int) -> None:
    x, y, tile, attributes, height, drawn = (int(part) for part in sprite)
    if not drawn:
        return
    picture = TILES[tile]
    if attributes & MIRRORED:
        picture = picture[:, ::-1]
    if attributes & UPSIDE_DOWN:
        picture = picture[::-1]
    shown = [bool(drawn >> row & 1) for row in range(height)]
    rows, columns = np.nonzero((picture > 0) & np.array(shown)[:, None])
    inside = (rows + y < FRAME_SIZE[0]) & (columns + x < FRAME_SIZE[1])
    canvas[rows[inside] + y, columns[inside] + x] = value
