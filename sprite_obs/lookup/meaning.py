"""What the sprites of a dictionary are, in arrays for compiled loops."""

from typing import NamedTuple

import numpy as np

from sprite_obs.lookup.display import DisplayTables
from sprite_obs.lookup.links import LinkTables


class Meaning(NamedTuple):
    """What sprites are.

    Attributes:
        type_of_id: `(K + 1,)` int32, type id by sprite id.
        links: which are fragments of one object.
        display: which belong to the display.
    """

    type_of_id: np.ndarray
    links: LinkTables
    display: DisplayTables
