"""Many arrays as one argument, for compiled functions that are called at every step.

Numba looks at every array of every tuple that it is handed, which for all that a frame is read with
takes longer than reading it. A struct is handed over at once.
"""

from typing import Any

import numba
from numba import types
from numba.experimental import structref


@structref.register
class PackedType(types.StructRef):
    """Type of `Packed` in compiled functions."""

    def preprocess_fields(self, fields: Any) -> Any:
        """Takes constants for values of their types."""
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


class Packed(structref.StructRefProxy):
    """A struct with one field, ``content``, which compiled functions read; `pack` makes it."""

    content: Any


structref.define_proxy(Packed, PackedType, ["content"])


@numba.njit(cache=True)
def pack(content: tuple[Any, ...]) -> Packed:
    """Packs a tuple of arrays, which stay the same memory, and of numbers, which are copied."""
    return Packed(content)
