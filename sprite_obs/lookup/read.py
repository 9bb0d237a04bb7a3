"""Components into sprites by what is remembered: the loops over one frame, compiled."""

import numba
import numpy as np

from sprite_obs.detections import order_rows
from sprite_obs.lookup.clusters import find_clusters
from sprite_obs.lookup.components import Canvas
from sprite_obs.lookup.cut import box_of, touched_sides
from sprite_obs.lookup.keys import EMPTY, add_run, end_key
from sprite_obs.lookup.memory import (
    COUNT,
    FREE,
    MEMBERS,
    START,
    UNEXPLAINED,
    Memory,
    find_entry,
)

MAX_MEMBERS = 16
"""Larger clusters are texture, not pieces of one thing. No more than 31, the bits of an int32 in
which it is kept which of them are explained."""
NOT_HERE = -2
"""Entry of a component that is explained together with another one."""
COLUMNS = 7
"""Of a table of found sprites: sprite id, layer, left, top, width, height, and the entry of the
memory that explains them, where that is of a single component."""


@numba.njit(cache=True)
def _look_up_known(keys, memory, is_piece):
    """Returns the entries of known sprites, and which components may be pieces of something."""
    entries = np.full(len(keys), FREE, np.int32)
    doubtful = np.ones(len(keys), np.bool_)
    for i in range(len(keys)):
        entry = find_entry(memory.keys, memory.entries, keys[i])
        if 0 <= entry < len(is_piece):
            entries[i], doubtful[i] = entry, is_piece[entry]
    return entries, doubtful


@numba.njit(cache=True)
def _cluster_key(index, canvas, cluster, number, box):
    """Returns the key of all pixels of a cluster."""
    left, top, right, bottom = box
    key, origin = EMPTY, -1
    for run in range(canvas.first_of_row[top], canvas.first_of_row[bottom]):
        component = canvas.component[run]
        if component and cluster[component - 1] == number:
            y, begin, end = canvas.runs[run, 0], canvas.runs[run, 1], canvas.runs[run, 2]
            origin = begin if origin < 0 else origin
            key = add_run(key, index, y, begin, end, y - top, origin)
    return end_key(key, origin - left, right - left, bottom - top)


@numba.njit(cache=True)
def _look_up_clusters(index, canvas, boxes, doubtful, window, memory, entries):
    """Finds clusters and what they consist of; enters `NOT_HERE` for what they explain.

    Returns:
        Explained clusters and those that nobody has explained yet, as `look_up` returns them.
    """
    cluster = find_clusters(boxes, doubtful)
    count = cluster.max() if len(cluster) else 0
    known = np.empty((count, 4), np.int64)
    unknown = np.empty((count, 2 + MAX_MEMBERS), np.int64)
    num_known, num_unknown = 0, 0
    for number in range(1, count + 1):
        members = np.flatnonzero(cluster == number)
        if len(members) < 2 or len(members) > MAX_MEMBERS:
            continue
        box = box_of(members, boxes)
        left, top, right, bottom = box
        key = _cluster_key(index, canvas, cluster, number, box)
        key ^= touched_sides(left, top, right, bottom, window)
        entry = find_entry(memory.keys, memory.entries, key)
        if entry == FREE:
            unknown[num_unknown, 0], unknown[num_unknown, 1] = key, len(members)
            unknown[num_unknown, 2 : 2 + len(members)] = members
            num_unknown += 1
            continue
        first = -1
        for k in range(len(members)):
            if memory.rows[entry, MEMBERS] >> k & 1:
                entries[members[k]] = NOT_HERE
                first = members[k] if first < 0 else first
        if first >= 0:
            known[num_known, 0], known[num_known, 1] = first, entry
            known[num_known, 2], known[num_known, 3] = left, top
            num_known += 1
    return known[:num_known], unknown[:num_unknown]


@numba.njit(cache=True)
def look_up(index, canvas, boxes, keys, window, memory, clusters, is_piece):
    """Looks up what the components of a frame consist of.

    For compiled loops alone: Numba's cache mixes up functions that return arrays and are called
    both from there and from Python, which calls `look_up_alone`.

    Args:
        index: `(H, W)` uint8 palette indices of the frame.
        canvas: on which its components were found.
        boxes: `(N, 4)` int32, as in `Components`.
        keys: `(N,)` int64, likewise.
        window: `(4,)` int32, the playing field.
        memory: explanations of components; the first entries are those of the dictionary.
        clusters: explanations of clusters.
        is_piece: `(K,)` bool, which sprites of the dictionary may be pieces of larger ones.

    Returns:
        `(N,)` int32, entry of each component, `NOT_HERE` if a cluster explains it; `(n, 4)` int64,
        first component, entry, left and top of explained clusters; `(k, 2 + MAX_MEMBERS)` int64,
        key, number of members and members of clusters that nobody has explained yet; `(m,)` int64,
        components that nobody has explained yet, if all clusters are known.
    """
    entries, doubtful = _look_up_known(keys, memory, is_piece)
    missing = np.zeros(0, np.int64)
    if not doubtful.any():
        return (
            entries,
            np.zeros((0, 4), np.int64),
            np.zeros((0, 2 + MAX_MEMBERS), np.int64),
            missing,
        )
    known, unknown = _look_up_clusters(index, canvas, boxes, doubtful, window, clusters, entries)
    if len(unknown) == 0:
        for i in range(len(keys)):
            if entries[i] == FREE:
                left, top, width, height = boxes[i]
                sides = touched_sides(left, top, left + width, top + height, window)
                entries[i] = find_entry(memory.keys, memory.entries, keys[i] ^ sides)
        missing = np.flatnonzero(entries == FREE)
    return entries, known, unknown, missing


@numba.njit(cache=True)
def look_up_alone(
    index: np.ndarray,
    canvas: Canvas,
    boxes: np.ndarray,
    keys: np.ndarray,
    window: np.ndarray,
    memory: Memory,
    clusters: Memory,
    is_piece: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Is `look_up` for Python."""
    return look_up(index, canvas, boxes, keys, window, memory, clusters, is_piece)


@numba.njit(cache=True)
def _is_before_tile(boxes, i, tiles):
    """Whether a component lies in front of one of the tiles that a frame shows."""
    for t in range(len(tiles)):
        left, top, width, height = tiles[t, 0], tiles[t, 1], tiles[t, 2], tiles[t, 3]
        across = left < boxes[i, 0] + boxes[i, 2] and boxes[i, 0] < left + width
        if across and top < boxes[i, 1] + boxes[i, 3] and boxes[i, 1] < top + height:
            return True
    return False


@numba.njit(cache=True)
def tabulate(boxes, entries, explained, memory, clusters, tiles):
    """Writes what was looked up as a table of sprites.

    For compiled loops alone, as `look_up`.

    Args:
        boxes: `(N, 4)` int32, of the components.
        entries: `(N,)` int32, see `look_up`.
        explained: `(n, 4)` int64, clusters, see `look_up`.
        memory: explanations of components.
        clusters: explanations of clusters.
        tiles: `(t, 6)` int32, the tiles that the frame shows.

    Returns:
        `(M, COLUMNS)` int32, `(M,)` float32 scores, `(M,)` int64 rows in the order of layer, y and
        x, and the number of pixels that nothing explains.
    """
    size, unexplained = len(tiles), 0
    cluster_of = np.full(len(boxes), -1)
    for c in range(len(explained)):
        cluster_of[explained[c, 0]] = c
        size += clusters.rows[explained[c, 1], COUNT]
    for i in range(len(entries)):
        if entries[i] >= 0:
            size += memory.rows[entries[i], COUNT]
            unexplained += memory.rows[entries[i], UNEXPLAINED]
    table, scores = np.empty((size, COLUMNS), np.int32), np.ones(size, np.float32)
    for row in range(len(tiles)):
        table[row, 0], table[row, 1], table[row, 6] = tiles[row, 5], 0, FREE
        table[row, 2:6] = tiles[row, :4]
    row = len(tiles)
    for i in range(len(boxes)):
        front, c = _is_before_tile(boxes, i, tiles), cluster_of[i]
        if entries[i] >= 0:
            place = entries[i], boxes[i, 0], boxes[i, 1], front, entries[i]
            row = _emit(memory.rows, memory.parts, memory.scores, place, table, scores, row)
        elif c >= 0:
            place = explained[c, 1], explained[c, 2], explained[c, 3], front, FREE
            row = _emit(clusters.rows, clusters.parts, clusters.scores, place, table, scores, row)
    order = order_rows(table[:, 1], table[:, 2], table[:, 3])
    return table, scores, order, unexplained


@numba.njit(cache=True, inline="always")
def _emit(rows, parts, known_scores, place, table, scores, row):
    """Writes the parts of an explanation at a place; returns the next free row.

    Inlined and with arrays by themselves, since counting references to them takes longer.
    """
    entry, left, top, front, shown = place
    for part in range(rows[entry, START], rows[entry, START] + rows[entry, COUNT]):
        for column in range(6):
            table[row, column] = parts[part, column]
        table[row, 1] += front
        table[row, 2] += left
        table[row, 3] += top
        table[row, 6], scores[row] = shown, known_scores[part]
        row += 1
    return row
