"""Usual frames, all of which is known already: read by one compiled call for many of them."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.components import (
    MAX_COMPONENTS,
    Canvas,
    group_runs,
    mark_different,
)
from sprite_obs.lookup.memory import Memory
from sprite_obs.lookup.read import COLUMNS, MAX_MEMBERS, look_up, tabulate
from sprite_obs.lookup.shown import BackgroundTables, paint_shown
from sprite_obs.lookup.tiles import claim_shown_tiles
from sprite_obs.packed import Packed

AS_IT_IS = -1.0
"""Stands for the share of differing pixels where a background is just as the frame shows it."""
ALL, UNUSUAL, FULL = range(3)
"""Why `read_usual` ended: all frames were read, one shows what is not known, or the tables are
full."""


class Known(NamedTuple):
    """What a decoder knows, as far as compiled loops need it.

    Attributes:
        window: `(4,)` int32, the playing field.
        tiles: `(n, 6)` int32, see `NO_TILES`.
        is_piece: `(K,)` bool, see `look_up`.
    """

    window: np.ndarray
    tiles: np.ndarray
    is_piece: np.ndarray


Unusual = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Of a frame that shows something unknown: boxes and keys of its components, as in `Components`,
and the clusters and components that are not known, as `look_up` returns them."""


class Tables(NamedTuple):
    """Room for what is found in several frames, one row for each sprite.

    Attributes:
        frame: `(R,)` int32, index of the frame.
        table: `(R, COLUMNS)` int32.
        score: `(R,)` float32.
        unexplained: `(B,)` int64, pixels of each frame that nothing explains.
        error: `(B,)` float32, the same as a share of the frame.
        hits: `(1,)` int64, components and clusters that were looked up so far.
    """

    frame: np.ndarray
    table: np.ndarray
    score: np.ndarray
    unexplained: np.ndarray
    error: np.ndarray
    hits: np.ndarray


class Reading(NamedTuple):
    """What frames are read with.

    Attributes:
        known: what the decoder knows.
        memory: explanations of components.
        clusters: explanations of clusters.
        canvas: where components are found; it holds those of the frame that was read last.
        painted: `(H, W)` uint8, for a background in other colours.
        tables: where what is found is written.
    """

    known: Known
    memory: Memory
    clusters: Memory
    canvas: Canvas
    painted: np.ndarray
    tables: Tables


def image_alone(image: np.ndarray) -> BackgroundTables:
    """Returns a background that is read `AS_IT_IS`: `(H, W)` uint8 palette indices."""
    nothing = [np.zeros((0, columns), np.int32) for columns in (5, 3, 2)]
    return BackgroundTables(np.ascontiguousarray(image), np.zeros(256, np.int64), *nothing)


def make_tables(num_rows: int, num_frames: int) -> Tables:
    """Returns room for so many sprites in so many frames."""
    return Tables(
        np.empty(num_rows, np.int32),
        np.empty((num_rows, COLUMNS), np.int32),
        np.empty(num_rows, np.float32),
        np.empty(num_frames, np.int64),
        np.empty(num_frames, np.float32),
        np.zeros(1, np.int64),
    )


@numba.njit(cache=True, nogil=True)
def read_usual(
    indices: np.ndarray,
    number: int,
    row: int,
    behind: BackgroundTables,
    max_foreground: float,
    reading: Packed,
) -> tuple[int, int, int, Unusual]:
    """Reads frames for as long as everything in them is known.

    Args:
        indices: `(B, H, W)` uint8 palette indices.
        number: the first frame to be read.
        row: the first free row of the tables.
        behind: what lies behind the sprites.
        max_foreground: as for `paint_shown`, or `AS_IT_IS`.
        reading: what is in a `Reading`.

    Returns:
        The first frame that was not read, the first row that was not written, why it ended, and
        what is not known in the last frame that was looked at.
    """
    known, memory, clusters, canvas, painted, tables = reading.content
    nothing = (
        np.zeros((0, 4), np.int32),
        np.zeros(0, np.int64),
        np.zeros((0, 2 + MAX_MEMBERS), np.int64),
        np.zeros(0, np.int64),
    )
    while number < len(indices):
        index = indices[number]
        _find_foreground(index, behind, max_foreground, canvas, painted)
        width = index.shape[1]
        is_there = np.zeros(len(known.tiles), np.bool_)
        claim_shown_tiles(index, canvas.mask[:, :width], known.tiles, is_there)
        boxes, areas, keys = group_runs(index, canvas)
        entries, explained, unknown, missing = look_up(
            index, canvas, boxes, keys, known.window, memory, clusters, known.is_piece
        )
        if len(unknown) or len(missing):
            return number, row, UNUSUAL, (boxes, keys, unknown, missing)
        there = known.tiles[is_there]
        table, score, order, unexplained = tabulate(
            boxes, entries, explained, memory, clusters, there
        )
        if len(keys) == MAX_COMPONENTS:  # there may be more, and nobody looks at them
            unexplained += np.sum(canvas.mask) - np.sum(areas)
        end = row + len(table)
        if end > len(tables.table):
            return number, row, FULL, nothing
        tables.frame[row:end] = number
        _write_ordered(table, score, order, tables.table[row:end], tables.score[row:end])
        tables.unexplained[number] = unexplained
        tables.error[number] = unexplained / index.size
        tables.hits[0] += len(keys) + len(explained)
        number, row = number + 1, end
    return number, row, ALL, nothing


@numba.njit(cache=True)
def _find_foreground(index, behind, max_foreground, canvas, painted):
    """Writes where a frame differs from what lies behind the sprites into the canvas's mask."""
    mask, words = canvas.mask, canvas.words
    if max_foreground == AS_IT_IS:
        mark_different(index, behind.image, mask)
    elif paint_shown(index, behind, max_foreground, mask, words, painted):
        mark_different(index, painted, mask)


@numba.njit(cache=True)
def _write_ordered(table, score, order, ordered_table, ordered_score):
    """Writes rows in their order."""
    for row in range(len(order)):
        for column in range(COLUMNS):
            ordered_table[row, column] = table[order[row], column]
        ordered_score[row] = score[order[row]]
