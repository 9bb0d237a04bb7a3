"""Finds drawings that recur in frames, also where they touch and overlap.

A small patch of a frame is looked for in all frames. What surrounds it wherever it is found belongs
to it; what differs from place to place is a neighbour. The drawing that explains most is then taken
out of the frames, and the search begins again in what is left. Emulator frames repeat exactly, but
nothing here needs that: patches and pixels match within a tolerance.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

NUM_PATCHES = 16
"""Patches that are looked for in a round; of large error more likely."""
PATCH = 7
"""Side of a patch in pixels, odd."""
PATCH_ERROR = 0.03
"""A patch is found where its pixels differ by less, root mean square."""
WRONG = 0.1
"""Two pixels differ, or one is wrong, if one of its colours in [0, 1] is off by more."""
MIN_FOUND, MAX_FOUND = 3, 1024
"""Places at which something must be found to recur, and places that are looked at."""
MAX_COMPARED = 32
"""Places that are compared to find what they have in common."""
AGREE = 0.65
"""Share of the places at which a pixel must be the same to belong to the drawing."""
SEEN = 0.3
"""Share of a drawing that must be there to be explained by it; the rest may be hidden."""
SAME_ROWS = 0.7
"""Share of rows of equal things that are of one length, from which on they are no tiles."""
PREFER_LARGE = 0.25
"""How much more a drawing counts than two halves of it that explain the same."""
MIN_PIXELS = 4
"""Smaller drawings are specks."""
MAX_FAILURES = 3
"""Rounds without a find after which nothing more is looked for."""


class _Find(NamedTuple):
    """Something that recurs.

    Attributes:
        places: `(n, 3)` int64, frames, rows and columns at which a patch of it recurs.
        colors: `(3, 2S, 2S)`, usual colours around these places, which are at (S, S).
        mask: `(2S, 2S)` bool, what belongs to it.
        gain: summed error that it explains, more for a large drawing than for its halves.
    """

    places: Tensor
    colors: Tensor
    mask: Tensor
    gain: float


def find_recurring(
    frames: Tensor, wrong: Tensor, side: int, count: int, rng: np.random.Generator
) -> list[Tensor]:
    """Looks for recurring drawings among wrong pixels.

    Args:
        frames: `(N, 3, H, W)` in [0, 1].
        wrong: `(N, H, W)`, largest error of a pixel's colours.
        side: S, of a canvas, in pixels.
        count: drawings to find at most.
        rng: chooses the patches.

    Returns:
        Drawings `(4, S, S)` in [0, 1], RGB and alpha, centred; first those that explain most.
    """
    padded = F.pad(frames, (side,) * 4, value=-1.0)  # no frame shows what is beyond its border
    wrong = F.pad(torch.where(wrong > WRONG, wrong, 0.0), (side,) * 4)
    squares = F.conv2d(frames.square(), torch.ones(1, 3, PATCH, PATCH))  # (N, 1, ...)
    drawings: list[Tensor] = []
    failures = 0
    while len(drawings) < count and failures < MAX_FAILURES:
        finds = _search(frames, padded, squares, wrong, side, rng)
        if not finds:
            failures += 1
            continue
        best = max(finds, key=lambda find: find.gain)
        drawings.append(_cut(best, side))
        _take_out(padded, wrong, best, side)
    return drawings


def _search(
    frames: Tensor,
    padded: Tensor,
    squares: Tensor,
    wrong: Tensor,
    side: int,
    rng: np.random.Generator,
) -> list[_Find]:
    """Looks for a few patches in all frames, and for what surrounds them everywhere."""
    half = PATCH // 2
    middles = _draw_middles(wrong[:, side + half : -side - half, side + half : -side - half], rng)
    if not middles:
        return []
    patches = torch.stack([frames[n, :, y : y + PATCH, x : x + PATCH] for n, y, x in middles])
    distance = squares - 2 * F.conv2d(frames, patches) + patches.square().sum((1, 2, 3), True)[:, 0]
    matches = distance < PATCH_ERROR**2 * patches[0].numel()  # (N, patches, H - 6, W - 6)
    finds = []
    for i, (n, y, x) in enumerate(middles):
        everywhere = matches[:, i].nonzero() + torch.tensor([0, half, half])
        middle = n, y + half, x + half
        frame, row, column = everywhere.T
        places = everywhere[wrong[frame, row + side, column + side] > 0]
        # Where most of a patch's places are explained, it is part of something known, half hidden.
        enough = max(MIN_FOUND, len(everywhere) / 2) <= len(places) <= MAX_FOUND
        if enough and not _is_flat(places, middle):
            usual, mask = _common(padded, wrong, places, side)
            mask = _one_tile(padded, wrong, places, mask, side)
            error = _windows(wrong, torch.tensor([middle]), side)[0][mask].sum()
            if mask.sum() >= MIN_PIXELS:
                gain = float(error) * len(places) * float(mask.sum()) ** PREFER_LARGE
                finds.append(_Find(places, usual, mask, gain))
    return finds


def _draw_middles(wrong: Tensor, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Draws frames, rows and columns where much is wrong."""
    weights = wrong.numpy().ravel()
    count = min(NUM_PATCHES, int(np.count_nonzero(weights)))
    if not count:
        return []
    # Cheaper than a choice by weights among millions of pixels.
    total = np.cumsum(weights, dtype=np.float64)
    chosen = np.searchsorted(total, rng.random(count) * total[-1], side="right")
    n, y, x = np.unravel_index(np.unique(chosen.clip(max=len(weights) - 1)), wrong.shape)
    return list(zip(n.tolist(), y.tolist(), x.tolist(), strict=True))


def _is_flat(places: Tensor, middle: tuple[int, int, int]) -> bool:
    """Says whether a patch is also found right beside itself: then its place means nothing."""
    near = (places - torch.tensor(middle)).abs().amax(1) <= 2
    return int((near & (places[:, 0] == middle[0])).sum()) > 1


def _windows(padded: Tensor, places: Tensor, side: int) -> Tensor:
    """Cuts `(n, ..., 2S, 2S)` windows around places out of frames with S pixels around them."""
    return torch.stack(
        [padded[n, ..., y : y + 2 * side, x : x + 2 * side] for n, y, x in places.tolist()]
    )


def _common(padded: Tensor, wrong: Tensor, places: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Finds what surrounds a patch at most of its places.

    Returns:
        `(3, 2S, 2S)`, the usual colours around the patch, and `(2S, 2S)` bool, the connected pixels
        that are the same at most places, and wrong.
    """
    compared = places[torch.linspace(0, len(places) - 1, min(len(places), MAX_COMPARED)).long()]
    windows = _windows(padded, compared, side)
    usual = windows.median(0).values
    same = (windows - usual).abs().amax(1) <= WRONG
    unexplained = _windows(wrong, compared, side) > 0
    mask = (same & unexplained).float().mean(0) >= AGREE
    _, labels = cv2.connectedComponents(mask.numpy().view(np.uint8))
    return usual, mask & torch.from_numpy(labels == labels[side, side])


def _one_tile(padded: Tensor, wrong: Tensor, places: Tensor, mask: Tensor, side: int) -> Tensor:
    """Cuts one tile out of a row or column of equal ones, the one in which the patch lies."""
    mask = mask.clone()
    for axis in (1, 0):
        period, firsts = _rows(places, axis)
        if not period:
            continue
        # Rows begin with a whole tile: that is how one knows where in a row a tile begins.
        used = _common(padded, wrong, firsts, side)[1].any(1 - axis).nonzero().flatten()
        if len(used):
            start = int(used[0]) + (side - int(used[0])) // period * period
            mask.narrow(axis, 0, start).fill_(False)
            end = min(start + period, len(mask))
            mask.narrow(axis, end, len(mask) - end).fill_(False)
    return mask


def _rows(places: Tensor, axis: int) -> tuple[int, Tensor]:
    """Finds rows or columns of places at one distance.

    What recurs at one distance in rows of one length is no row of tiles but part of a drawing, like
    the rungs of a ladder that is always the same.

    Returns:
        The distance, 0 if there are no tiles, and `(n, 3)` int64, the first place of each row.
    """
    along, across = 1 + axis, 2 - axis
    order = places[np.lexsort((places[:, along], places[:, across], places[:, 0]))]
    steps = order[1:] - order[:-1]
    beside = (steps[:, 0] == 0) & (steps[:, across] == 0)
    distances = steps[beside, along]
    if len(distances) < MIN_FOUND:
        return 0, order
    period = int(distances.bincount().argmax())
    joined = beside & (steps[:, along] == period)
    is_first = torch.cat([torch.ones(1, dtype=torch.bool), ~joined])
    lengths = (is_first.cumsum(0) - 1).bincount()
    is_tile = lengths.bincount().max() < SAME_ROWS * len(lengths)
    return (period if is_tile else 0), order[is_first]


def _cut(find: _Find, side: int) -> Tensor:
    """Copies a drawing, centred on its canvas; of what is larger, the upper left part."""
    starts = []
    for axis in (0, 1):
        used = find.mask.any(1 - axis).nonzero().flatten()
        length = min(int(used[-1] - used[0]) + 1, side)
        starts.append(int(used[0]) + length // 2 - side // 2 + side)
    top, left = starts
    canvas = np.s_[..., top : top + side, left : left + side]
    alpha = F.pad(find.mask, (side,) * 4)[canvas]
    return torch.cat([F.pad(find.colors, (side,) * 4)[canvas] * alpha, alpha[None].float()])


def _take_out(padded: Tensor, wrong: Tensor, find: _Find, side: int) -> None:
    """Calls the pixels right that a drawing explains, where it is, perhaps in part hidden."""
    for n, y, x in find.places.tolist():
        window = np.s_[y : y + 2 * side, x : x + 2 * side]
        same = (padded[n][:, *window] - find.colors).abs().amax(0) <= WRONG
        explained = same & find.mask
        if explained.sum() >= SEEN * find.mask.sum():
            wrong[n][window][explained] = 0
