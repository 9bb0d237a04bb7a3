"""The distinct windows of a recording, each with what counting says of its anchor."""

from typing import NamedTuple

import numba
import numpy as np

from sprite_obs.config import ModelConfig
from sprite_obs.detections import Detections
from sprite_obs.errors import RecordingError
from sprite_obs.lookup.bank import SpriteBank, canvas_offset

MAX_WINDOWS = 200_000
"""Distinct windows kept at most."""
BLANK = 255
"""Palette index beyond the frame's border; it is drawn black."""


class Windows(NamedTuple):
    """Training examples for the encoder.

    Attributes:
        pixels: `(U, 3 * stride, 3 * stride)` uint8 palette indices, 255 outside of the frame.
        sprite: `(U, L)` int64, sprite id at the middle anchor, 0 for none.
        shift: `(U, L, 2)` int64, class (0..2m) of the shift in x and y.
        frequency: `(U,)` int64, how often the window occurs.
    """

    pixels: np.ndarray
    sprite: np.ndarray
    shift: np.ndarray
    frequency: np.ndarray


class AnchorTargets(NamedTuple):
    """What every anchor of N frames shows, on L layers.

    Attributes:
        sprite: `(N, R, C, L)` int64, sprite id, 0 for none.
        shift: `(N, R, C, L, 2)` int64, class (0..2m) of the shift in x and y.
        known: `(N, R, C)` bool, whether counting explained the surroundings.
    """

    sprite: np.ndarray
    shift: np.ndarray
    known: np.ndarray


def anchor_targets(
    seen: Detections,
    bank: SpriteBank,
    num_frames: int,
    frame_size: tuple[int, int],
    config: ModelConfig,
) -> AnchorTargets:
    """Assigns each found sprite to the cell of its centre; a second one there goes a layer up."""
    stride, layers = config.anchor_stride, config.num_layers
    rows, columns = (-(-side // stride) for side in frame_size)
    sprite = np.zeros((num_frames, rows, columns, layers), np.int64)
    shift = np.zeros((num_frames, rows, columns, layers, 2), np.int64)
    found = np.flatnonzero(seen.sprite > 0)
    last = np.array([columns - 1, rows - 1])
    cell, classes = _cells(seen.box[found], bank.sizes[seen.sprite[found] - 1], last, config)
    # Of what the border cuts off, the centre may be further outside than any anchor reaches.
    reached = ((classes >= 0) & (classes <= 2 * config.max_shift)).all(1)
    unknown = np.concatenate([np.flatnonzero(seen.sprite == 0), found[~reached]])
    found, cell, classes = found[reached], cell[reached], classes[reached]
    for i, (c, r), shifts in zip(found, cell, classes, strict=True):
        for layer in range(min(seen.layer[i], layers - 1), layers):
            here = seen.frame[i], r, c, layer
            if sprite[here] == 0:
                sprite[here], shift[here] = seen.sprite[i], shifts
                break
    return AnchorTargets(
        sprite, shift, _known(seen.box[unknown], seen.frame[unknown], sprite.shape[:3], stride)
    )


def _cells(
    box: np.ndarray, sizes: np.ndarray, last: np.ndarray, config: ModelConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Returns `(N, 2)` (column, row) of each sprite's anchor and `(N, 2)` classes of its shift."""
    stride = config.anchor_stride
    centre = box[:, :2] - canvas_offset(config.sprite_size, sizes) + config.sprite_size // 2
    cell = np.clip(centre // stride, 0, last)  # a centre may lie on the frame's far border
    return cell, centre - cell * stride - stride // 2 + config.max_shift


def _known(box: np.ndarray, frame: np.ndarray, shape: tuple[int, ...], stride: int) -> np.ndarray:
    """Returns `shape` bool, where no unknown thing is."""
    known = np.ones(shape, bool)
    first = np.maximum(box[:, :2], 0) // stride
    last = np.maximum(box[:, :2] + box[:, 2:], 0) // stride + 1
    for n, (left, top), (right, bottom) in zip(frame, first, last, strict=True):
        known[n, top:bottom, left:right] = False
    return known


@numba.njit(cache=True)
def _window_keys(index: np.ndarray, stride: int, rows: int, columns: int) -> np.ndarray:
    """Hashes the window of each anchor of a padded frame: `(R, C)` int64."""
    cells = np.empty((rows + 2, columns + 2), np.uint64)
    prime = np.uint64(1099511628211)
    for r in range(rows + 2):
        for c in range(columns + 2):
            key = np.uint64(1469598103934665603)
            for y in range(r * stride, (r + 1) * stride):
                for x in range(c * stride, (c + 1) * stride):
                    key = (key ^ np.uint64(index[y, x])) * prime
            cells[r, c] = key
    keys = np.empty((rows, columns), np.int64)
    for r in range(rows):
        for c in range(columns):
            key = np.uint64(1469598103934665603)
            for v in range(3):
                for u in range(3):
                    cell = cells[r + v, c + u]
                    key = (key ^ cell ^ (cell >> np.uint64(31))) * prime
            keys[r, c] = np.int64(key)
    return keys


def _padded(index: np.ndarray, stride: int) -> np.ndarray:
    """Pads `(H, W)` indices to whole cells and by one cell on each side."""
    bottom, right = (stride + -side % stride for side in index.shape)
    return np.pad(index, ((stride, bottom), (stride, right)), constant_values=BLANK)


def collect_windows(
    index: np.ndarray, targets: AnchorTargets, stride: int, rng: np.random.Generator
) -> Windows:
    """Keeps one example of each distinct window: frames repeat, and repetition teaches nothing.

    Args:
        index: `(N, H, W)` uint8 palette indices.
        targets: what each anchor shows.
        stride: distance of two anchors in pixels.
        rng: chooses windows when there are too many.
    """
    rows, columns = targets.known.shape[1:]
    keys = np.stack(
        [_window_keys(_padded(image, stride), stride, rows, columns) for image in index]
    )
    _, first, count = np.unique(keys[targets.known], return_index=True, return_counts=True)
    if not len(first):
        raise RecordingError(
            "expected frames that the counted sprites explain in part, got none; record more"
        )
    if len(first) > MAX_WINDOWS:
        shown = targets.sprite[targets.known][first].any(1)
        kept = np.argsort(rng.random(len(first)) - shown)[:MAX_WINDOWS]  # those with sprites first
        first, count = first[kept], count[kept]
    frame, row, column = (axis[first] for axis in np.nonzero(targets.known))
    pixels = np.empty((len(first), 3 * stride, 3 * stride), np.uint8)
    for i, (n, r, c) in enumerate(zip(frame, row, column, strict=True)):
        pixels[i] = _cut_window(index[n], r * stride - stride, c * stride - stride, 3 * stride)
    sprite, shift = targets.sprite[frame, row, column], targets.shift[frame, row, column]
    return Windows(pixels, sprite, shift, count)


def _cut_window(index: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    window = np.full((side, side), BLANK, np.uint8)
    y0, y1 = max(top, 0), min(top + side, index.shape[0])
    x0, x1 = max(left, 0), min(left + side, index.shape[1])
    window[y0 - top : y1 - top, x0 - left : x1 - left] = index[y0:y1, x0:x1]
    return window
