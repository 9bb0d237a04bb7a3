"""The cheapest one-to-one assignment of a few rows to columns."""

import numba
import numpy as np


@numba.njit(cache=True)
def assign(cost: np.ndarray) -> np.ndarray:
    """Assigns every row to a column of its own so that the sum of costs is smallest.

    Shortest augmenting paths with prices of rows and columns (Kuhn and Munkres; Jonker and
    Volgenant, 1987), if need be. SciPy has the same, but a frame has many small groups, and each
    would need a call from Python.

    Args:
        cost: `(n, m)` floats, n <= m.

    Returns:
        `(n,)` int64, the column of each row.
    """
    n, m = cost.shape
    nearest, is_taken = np.empty(n, np.int64), np.zeros(m, np.bool_)
    for row in range(n):
        nearest[row] = cost[row].argmin()
        if is_taken[nearest[row]]:
            return _shortest_paths(cost)
        is_taken[nearest[row]] = True
    return nearest  # each has the best one, as mostly where things hardly move


@numba.njit(cache=True)
def _shortest_paths(cost: np.ndarray) -> np.ndarray:
    """Assigns rows whose best columns are not all different."""
    n, m = cost.shape
    row_price, column_price = np.zeros(n), np.zeros(m + 1)
    row_of = np.full(m + 1, -1)  # the extra last column holds the row that is being placed
    came_from = np.zeros(m + 1, np.int64)
    waits = np.zeros(n, np.bool_)
    for row in range(n):  # the best column of each row, as long as it is free, costs the least
        best = cost[row].argmin()
        row_price[row] = cost[row, best]
        waits[row] = row_of[best] >= 0
        if not waits[row]:
            row_of[best] = row
    for row in range(n):
        if not waits[row]:
            continue
        row_of[m] = row
        column = m
        slack = np.full(m, np.inf)
        visited = np.zeros(m + 1, np.bool_)
        while row_of[column] >= 0:
            visited[column] = True
            here, step, nearest = row_of[column], np.inf, -1
            for j in range(m):
                if visited[j]:
                    continue
                reduced = cost[here, j] - row_price[here] - column_price[j]
                if reduced < slack[j]:
                    slack[j], came_from[j] = reduced, column
                if slack[j] < step:
                    step, nearest = slack[j], j
            for j in range(m + 1):
                if visited[j]:
                    row_price[row_of[j]] += step
                    column_price[j] -= step
                elif j < m:
                    slack[j] -= step
            column = nearest
        while column != m:
            before = came_from[column]
            row_of[column] = row_of[before]
            column = before
        row_of[m] = -1
    columns = np.empty(n, np.int64)
    for j in range(m):
        if row_of[j] >= 0:
            columns[row_of[j]] = j
    return columns


@numba.njit(cache=True)
def pairs_within(cost: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Is `assign_within` for Python.

    Numba's cache mixes up functions that return arrays and are called both from compiled functions
    and from Python.
    """
    return assign_within(cost, limit)


@numba.njit(cache=True)
def assign_within(cost, limit):
    """Pairs rows and columns one to one, at costs below a limit; for compiled loops alone.

    A row or column that stays alone costs as much as a pair at the limit does: all pairs beyond are
    equally bad.

    Args:
        cost: `(n, m)` floats, infinite where a pair is forbidden.
        limit: costs from which on there is no pair.

    Returns:
        `(p,)` int64 rows and `(p,)` int64 columns of the pairs.
    """
    n, m = cost.shape
    if n == 0 or m == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if n == 1 == m:  # most of the time
        alone = np.arange(1 if cost[0, 0] < limit else 0)
        return alone, alone
    capped = np.minimum(cost, limit)
    if n <= m:
        rows, columns = np.arange(n), assign(capped)
    else:
        rows, columns = assign(capped.T), np.arange(m)
    is_pair = np.array([cost[rows[k], columns[k]] < limit for k in range(len(rows))])
    return rows[is_pair], columns[is_pair]
