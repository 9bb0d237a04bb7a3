"""The learned dictionary as one picture."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from sklearn.manifold import TSNE

from sprite_obs.view.overlay import type_colour
from sprite_obs.view.picture import blank_page, cut_text, enlarged, write_text

MARGIN = 2  # transparent pixels shown around the largest drawing
GAP = 10  # pixels of the picture between two cells
LABEL_HEIGHT = 15
TYPE_HEIGHT = 20  # above a line of cells, for the names of types and the rules under them
# Bluish and of middling brightness, while the black, white and greys of old consoles are neutral.
CHECKS = (58, 64, 82), (88, 96, 118)
CHECK_SIZE = 2  # pixels of the picture, less than any sprite's
ASPECT = 4 / 3
AREA = 1600 * 1200  # pixels that the cells of a picture may fill before sprites are drawn smaller
MIN_SCALE, MAX_SCALE = 3, 8
MAX_PERPLEXITY = 30  # what t-SNE is commonly used with
MIN_SORTED = 4


class Cells(NamedTuple):
    """A grid of equal cells; all lengths in pixels of the picture."""

    columns: int
    height: int
    width: int

    def corner(self, place: int) -> tuple[int, int]:
        """Returns the top and left of a cell, counted line by line from 0."""
        line, column = divmod(place, self.columns)
        step_y = TYPE_HEIGHT + self.height + LABEL_HEIGHT + GAP
        return GAP + TYPE_HEIGHT + line * step_y, GAP + column * (self.width + GAP)


def dictionary_sheet(
    sprites: np.ndarray,
    codes: np.ndarray,
    sprite_type: np.ndarray,
    type_names: Mapping[int, str] | None = None,
) -> np.ndarray:
    """Draws all sprites of a dictionary with their ids, those of one type side by side.

    The order, line by line, is that of a one-dimensional t-SNE of the latent codes, so that what
    looks alike is near, with each type where the middle of its sprites is. Above the cells of a
    type stand a "t" with its id and its name, over a rule in its colour; below each cell, the
    sprite's id. All cells have the size of the largest
    drawing; a fine checkerboard shows through transparent pixels.

    Args:
        sprites: `(K, S, S, 4)` uint8 RGBA, each drawing centred on its canvas, K >= 1.
        codes: `(K, d)` float, the latent codes.
        sprite_type: `(K,)` integers, type id of each sprite.
        type_names: names of types by their id, for those that have one.

    Returns:
        `(height, width, 3)` uint8 RGB.
    """
    sprites = _crop(sprites)  # (K, h, w, 4)
    scale, columns = _layout(*sprites.shape[:3])
    cells = Cells(columns, sprites.shape[1] * scale, sprites.shape[2] * scale)
    bottom = cells.corner(len(sprites) - 1)[0] + cells.height + LABEL_HEIGHT + GAP
    page = blank_page(bottom, columns * (cells.width + GAP) + GAP)
    order = grouped(similarity_order(codes), sprite_type)
    for place, index in enumerate(order):
        top, left = cells.corner(place)
        drawing = _on_checks(sprites[index], scale)
        page[top : top + cells.height, left : left + cells.width] = drawing
        middle = left + cells.width // 2
        write_text(page, str(index + 1), middle, top + cells.height + 12, centred=True)
    _write_types(page, cells, sprite_type[order], type_names or {})
    return page


def grouped(order: np.ndarray, sprite_type: np.ndarray) -> np.ndarray:
    """Brings the sprites of each type together, at the mean of their places.

    Args:
        order: `(K,)` indices of all sprites, in an order that is to be kept as far as possible.
        sprite_type: `(K,)` integers, type id of each sprite.

    Returns:
        `(K,)` indices.
    """
    types = sprite_type[order]
    places = np.arange(len(order))
    mean_place = np.bincount(types, places) / np.maximum(np.bincount(types), 1)
    return order[np.lexsort((places, types, mean_place[types]))]


def _write_types(
    page: np.ndarray, cells: Cells, types: np.ndarray, names: Mapping[int, str]
) -> None:
    """Writes id and name over the cells of each type, anew in each line; `types` is per place."""
    for place, type_id in enumerate(types.tolist()):
        top, left = cells.corner(place)
        goes_on = place % cells.columns > 0 and types[place - 1] == type_id
        start = left - GAP if goes_on else left
        page[top - 4 : top - 2, start : left + cells.width] = type_colour(type_id)
        if not goes_on:
            line_end = place - place % cells.columns + cells.columns
            others = np.flatnonzero(types[place:line_end] != type_id)
            count = others[0] if len(others) else len(types[place:line_end])
            text = f"t{type_id} {names.get(type_id, '')}"
            room = count * (cells.width + GAP) - GAP
            write_text(page, cut_text(text, room), left, top - 8)


def similarity_order(codes: np.ndarray) -> np.ndarray:
    """Sorts `(K, d)` latent codes along a one-dimensional t-SNE.

    Returns:
        `(K,)` int64 indices, the same in each call; fewer than 4 codes keep their order, as there
        is nothing to embed.
    """
    if len(codes) < MIN_SORTED:
        return np.arange(len(codes))
    perplexity = min(MAX_PERPLEXITY, (len(codes) - 1) / 3)
    embedding = TSNE(n_components=1, perplexity=perplexity, random_state=0).fit_transform(codes)
    return np.argsort(embedding[:, 0], kind="stable")


def _crop(sprites: np.ndarray) -> np.ndarray:
    """Cuts the canvases around their centre to the largest drawing and a margin."""
    seen = sprites[..., 3].max(0) >= 128  # (S, S)
    rows, columns = _span(seen.any(1)), _span(seen.any(0))
    padded = np.pad(sprites, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))
    return padded[:, rows, columns]


def _span(used: np.ndarray) -> slice:
    """Returns the centred window, on the padded canvas, of `(S,)` used rows or columns."""
    places = np.flatnonzero(used)
    border = min(places[0], len(used) - 1 - places[-1]) if len(places) else 0
    return slice(border, len(used) + 2 * MARGIN - border)


def _layout(count: int, height: int, width: int) -> tuple[int, int]:
    """Returns how many times sprites are enlarged, and the number of columns."""
    scale = int(math.sqrt(AREA / (count * height * width)))
    scale = min(max(scale, MIN_SCALE), MAX_SCALE)
    cell_height = TYPE_HEIGHT + height * scale + LABEL_HEIGHT + GAP
    cell_width = width * scale + GAP
    columns = round(math.sqrt(count * cell_height * ASPECT / cell_width))
    return scale, min(max(columns, 1), count)


def _on_checks(sprite: np.ndarray, scale: int) -> np.ndarray:
    large = enlarged(sprite, scale)  # (h scale, w scale, 4)
    y, x = np.indices(large.shape[:2]) // CHECK_SIZE
    checks = np.array(CHECKS)[(x + y) % 2]  # (h scale, w scale, 3)
    alpha = large[..., 3:] / 255
    return (alpha * large[..., :3] + (1 - alpha) * checks).round().astype(np.uint8)
