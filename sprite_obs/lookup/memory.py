"""What known pixels consist of, in arrays that compiled loops can look up."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.lookup.explain import Explanation

MEMORY = 20_000
"""Explanations that are kept besides those of the dictionary; then all of them are forgotten."""
FREE = -1
"""Entry of a key that is not known."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Odd multiplier (Knuth's) that spreads keys over the table."""


START, COUNT, UNEXPLAINED, MEMBERS = range(4)
"""Of an explanation: its first part, the number of its parts, pixels that it leaves, and bits of
the components that it explains, the first one in bit 0."""


class Memory(NamedTuple):
    """Explanations by key: a hash table with open addressing, then a row for each explanation.

    Attributes:
        keys: `(C,)` int64, C a power of two.
        entries: `(C,)` int32, row of each key's explanation, `FREE` where there is no key.
        rows: `(E, 4)` int32, see `START` and the others.
        parts: `(P, 6)` int32, sprite id, layer, left, top, width, height.
        scores: `(P,)` float32.
    """

    keys: np.ndarray
    entries: np.ndarray
    rows: np.ndarray
    parts: np.ndarray
    scores: np.ndarray


class ExplanationMemory:
    """Remembers explanations by the key of the pixels that they explain.

    Args:
        known: explanations that are never forgotten, by key; their entries are numbered from 0.
        limit: further ones that are kept at most.

    Attributes:
        arrays: for compiled loops, valid until the next `put`.
        num_known: entries below this number are those of `known`.
    """

    arrays: Memory

    def __init__(self, known: dict[int, Explanation], limit: int = MEMORY) -> None:
        self._limit, self._known = limit, known
        self.num_known = len(known)
        self.forget()

    def __len__(self) -> int:
        """Returns how many explanations are remembered besides the known ones."""
        return self._num_entries - self.num_known

    def __getstate__(self) -> dict[str, object]:
        """Leaves behind what can be found again."""
        return {"_limit": self._limit, "_known": self._known, "num_known": self.num_known}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Starts again with what is known."""
        self.__dict__.update(state)
        self.forget()

    def forget(self) -> None:
        """Forgets all but what is known."""
        self._num_entries = self._num_parts = 0
        self._shown: dict[int, np.ndarray] = {}
        self.arrays = _empty(2 * (len(self._known) + 1), 2 * (len(self._known) + 1))
        for key, explanation in self._known.items():
            self._add(key, explanation, 1)

    def put(self, key: int, explanation: Explanation, members: int = 1) -> None:
        """Remembers an explanation; if there are too many, all earlier ones are forgotten.

        Args:
            key: of the pixels, not remembered yet.
            explanation: what they consist of.
            members: bits of the components that it explains.
        """
        if len(self) >= self._limit:
            self.forget()
        self._add(key, explanation, members)

    def find(self, key: int) -> int | None:
        """Returns the entry of a key, None if there is none."""
        entry = int(find_entry(self.arrays.keys, self.arrays.entries, np.int64(key)))
        return None if entry == FREE else entry

    def shown(self, entry: int) -> np.ndarray | None:
        """Returns the `Explanation.shown` of an entry."""
        return self._shown.get(entry)

    def _add(self, key: int, explanation: Explanation, members: int) -> None:
        count, entry, start = len(explanation.parts), self._num_entries, self._num_parts
        self.arrays = _with_room(self.arrays, entry + 1, start + count)
        arrays = self.arrays
        arrays.rows[entry] = start, count, explanation.unexplained, members
        for part, (*place, score) in enumerate(explanation.parts, start):
            arrays.parts[part], arrays.scores[part] = place, score
        if explanation.shown is not None:
            self._shown[entry] = explanation.shown
        _insert(arrays.keys, arrays.entries, np.int64(key), entry)
        self._num_entries, self._num_parts = entry + 1, start + count


def _empty(num_entries: int, num_parts: int) -> Memory:
    """Returns arrays with room for some explanations; the table is a third full at most."""
    capacity = 1 << (3 * num_entries).bit_length()
    keys, entries = np.zeros(capacity, np.int64), np.full(capacity, FREE, np.int32)
    rows, parts = np.zeros((num_entries, 4), np.int32), np.zeros((num_parts, 6), np.int32)
    return Memory(keys, entries, rows, parts, np.zeros(num_parts, np.float32))


def _with_room(memory: Memory, num_entries: int, num_parts: int) -> Memory:
    """Returns the arrays, or larger copies of them, twice as large as needed."""
    if num_entries <= len(memory.rows) and num_parts <= len(memory.parts):
        return memory
    larger = _empty(2 * num_entries, 2 * num_parts)
    for old, new in zip(memory[2:], larger[2:], strict=True):
        new[: len(old)] = old[: len(new)]
    for slot in np.flatnonzero(memory.entries != FREE):
        _insert(larger.keys, larger.entries, memory.keys[slot], memory.entries[slot])
    return larger


@numba.njit(cache=True)
def _slot(keys, entries, key):
    """Returns the place of a key in the table, or the free one where it belongs."""
    last = np.uint64(len(keys) - 1)
    spread = np.uint64(key) * SPREAD
    slot = (spread ^ (spread >> np.uint64(32))) & last
    while entries[slot] != FREE and keys[slot] != key:
        slot = (slot + np.uint64(1)) & last
    return slot


@numba.njit(cache=True)
def _insert(keys, entries, key, entry):
    slot = _slot(keys, entries, key)
    keys[slot], entries[slot] = key, entry


@numba.njit(cache=True)
def find_entry(keys: np.ndarray, entries: np.ndarray, key: np.int64) -> int:
    """Returns the entry of a key in the table of a `Memory`, `FREE` if there is none."""
    return entries[_slot(keys, entries, key)]
