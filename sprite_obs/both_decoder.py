"""Look-up and network together: the network proposes what the look-up leaves, the frame decides."""

from typing import Any

import numpy as np

from sprite_obs.detections import Found, Row, found_of_rows, join_found
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.lookup.components import Components, find_components
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.explain import SCENERY_SPAN
from sprite_obs.lookup.palette import UNKNOWN, Palette
from sprite_obs.lookup.tiles import claim_tiles
from sprite_obs.lookup.verify import OPEN, Accepted, Holes, pixel_states, verify
from sprite_obs.network_decoder import NetworkDecoder

MEMORY = 2_000
"""Parts of frames for which the network's proposals are kept; then all of them are forgotten."""
MAX_REGIONS = 32
"""Regions of a frame that are put to the network; one with more shows something else altogether."""


class BothDecoder:
    """Turns palette frames into sprites by the look-up, and what that leaves by the network.

    The network sees only the anchors around pixels that nothing explains. What it proposes is drawn
    behind what the look-up found, and counts where it makes more pixels right than wrong.

    Args:
        lookup: answers first; its answers stay.
        network: proposes for the rest.
        bank: the dictionary.
        palette: the colours of the frames.
        min_visible: share of a proposed sprite that must show if nothing contradicts it.
        min_explained: the same if some of its pixels are wrong.
    """

    def __init__(
        self,
        lookup: LookupDecoder,
        network: NetworkDecoder,
        bank: SpriteBank,
        palette: Palette,
        min_visible: float,
        min_explained: float,
    ) -> None:
        self.lookup = lookup
        self.network = network
        self.bank = bank
        self.palette = palette
        self.thresholds = min_visible, min_explained
        self._remembered: dict[tuple[Any, ...], np.ndarray] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leaves behind what is remembered; it can be found again."""
        return self.__dict__ | {"_remembered": {}}

    def forget(self) -> None:
        """Forgets what the network proposed; it is asked again."""
        self._remembered.clear()

    def read(self, frames: np.ndarray) -> Found:
        """As `LookupDecoder.read`."""
        found = self.lookup.read(frames)
        if not found.unexplained.any():  # most of the time
            return found
        ends = np.searchsorted(found.frame, np.arange(len(frames) + 1)).tolist()
        parts = [found.part(n, ends[n], ends[n + 1]) for n in range(len(frames))]
        for n in np.flatnonzero(found.unexplained).tolist():
            parts[n] = self._read_rest(frames[n], parts[n])
        return join_found(parts)

    def _read_rest(self, index: np.ndarray, found: Found) -> Found:
        """Adds to what was found in a frame what the network knows of the rest."""
        places = found.table[:, [0, 2, 3]].tolist()
        holes = {tuple(place): mask for place, mask in zip(places, found.shown, strict=True)}
        rows, gained = self._completed(index, found.rows(), holes)
        return found_of_rows(rows, holes, int(found.unexplained[0]) - gained)

    def _completed(
        self, index: np.ndarray, found: list[Row], holes: Holes
    ) -> tuple[list[Row], int]:
        """Returns a frame's rows with what the network adds, and how many pixels that gains."""
        wrong = index != self.lookup.shown_background(index)
        claim_tiles(index, wrong, self.lookup.tiles)
        state = pixel_states(wrong, found, self.bank, self.lookup.background.window, holes)
        regions = find_components(index, state == OPEN)
        if len(regions.areas) > MAX_REGIONS:
            return found, 0
        accepted: list[Accepted] = []
        for i in np.argsort(-regions.areas, kind="stable"):
            accepted += self._accepted(index, state, regions, i)
        if not accepted:
            return found, 0
        left = np.bincount(regions.labels[state == OPEN], minlength=len(regions.areas) + 1)[1:]
        known = {tuple(box) for box in regions.boxes[left < regions.areas].tolist()}
        kept = [row for row in found if row[1] or row[3:7] not in known]
        rows = _behind(kept, [self._row(*one) for one in accepted])
        return rows, sum(one.gained for one in accepted)

    def _accepted(
        self, index: np.ndarray, state: np.ndarray, regions: Components, i: int
    ) -> list[Accepted]:
        """Returns what the network knows of a region and the frame confirms."""
        x, y, width, height = regions.boxes[i].tolist()
        if (np.array([height, width]) >= SCENERY_SPAN * np.array(index.shape)).any():
            return []
        inside = np.s_[y : y + height, x : x + width]
        if not (state[inside][regions.labels[inside] == i + 1] == OPEN).any():
            return []  # what was accepted for another region explains this one too
        proposals = self._proposals(index, x, y, width, height)
        return verify(proposals, index, state, self.bank, *self.thresholds)

    def _proposals(self, index: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
        """Returns what the anchors propose whose windows touch a box: `(N, 3)` as `verify` does."""
        stride = self.network.stride
        # Windows reach one cell beyond their anchor's, and so does the grid beyond the frame here.
        low = np.maximum([y // stride - 1, x // stride - 1], 0) - 1
        last = (np.array(index.shape) - 1) // stride
        high = np.minimum([(y + height - 1) // stride + 1, (x + width - 1) // stride + 1], last) + 2
        part = _cut(index, *(low * stride), *(high * stride))
        key = part.shape, part.tobytes()
        if key not in self._remembered:
            if len(self._remembered) >= MEMORY:
                self._remembered.clear()
            pixels = self.palette.rgb(part).astype(np.float32) / 255
            self._remembered[key] = self.network.propose(pixels)
        top, left = low * stride
        return self._remembered[key] + [0, left, top]

    def _row(self, sprite: int, left: int, top: int, confirmed: int, _: int) -> Row:
        width, height = self.bank.sizes[sprite].tolist()
        score = confirmed / int(self.bank.areas[sprite])
        return 0, sprite + 1, 0, left, top, width, height, score


def _cut(index: np.ndarray, top: int, left: int, bottom: int, right: int) -> np.ndarray:
    """Cuts a part out of a frame; beyond the border its colour is unknown, which is drawn black."""
    part = np.full((bottom - top, right - left), UNKNOWN)
    here = index[max(top, 0) : bottom, max(left, 0) : right]
    y, x = max(-top, 0), max(-left, 0)
    part[y : y + here.shape[0], x : x + here.shape[1]] = here
    return part


def _behind(found: list[Row], added: list[Row]) -> list[Row]:
    """Puts added sprites, front to back, behind the found ones on which they may lie."""
    behind: list[Row] = []
    for row in reversed(added):
        layer = max((other[2] + 1 for other in behind if _overlap(row, other)), default=0)
        behind.append((*row[:2], layer, *row[3:]))
    by = max(row[2] for row in behind) + 1
    reached, raised = list(behind), set[int]()
    while reached:  # what lies in front of what goes up goes up too
        row = reached.pop()
        over = {i for i, other in enumerate(found) if i not in raised and _overlap(row, other)}
        reached += [found[i] for i in over]
        raised |= over
    lifted = [
        (*row[:2], row[2] + by, *row[3:]) if i in raised else row for i, row in enumerate(found)
    ]
    return lifted + behind


def _overlap(one: Row, other: Row) -> bool:
    across = one[3] < other[3] + other[5] and other[3] < one[3] + one[5]
    return across and one[4] < other[4] + other[6] and other[4] < one[4] + one[6]
