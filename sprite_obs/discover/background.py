"""The background behind all sprites: the commonest colours, without things that merely rest."""

import numba
import numpy as np

from sprite_obs.lookup.components import Components, contour, find_components

VOTES = 5
"""Frames that must agree before a pixel of the background is corrected."""
ROUNDS = 4
"""Corrections in turn; each may uncover further resting things."""
REGION_FACTOR = 5
"""A hole opens onto a region of its colour this many times larger than the thing it replaced."""
MIN_CONTOUR = 4
"""Pairs across a border below which its continuity says nothing."""
REMOVED_SHARE = 0.1
"""Share of a region that must have been corrected before the rest of it follows."""


@numba.njit(cache=True)
def _histogram(frames: np.ndarray, num_colors: int) -> np.ndarray:
    counts = np.zeros((frames.shape[1], frames.shape[2], num_colors), np.int32)
    for n in range(frames.shape[0]):
        for y in range(frames.shape[1]):
            for x in range(frames.shape[2]):
                counts[y, x, frames[n, y, x]] += 1
    return counts


def mode_image(frames: np.ndarray) -> np.ndarray:
    """Returns `(H, W)` uint8, the commonest palette index of each pixel in `(N, H, W)` frames."""
    return _histogram(frames, int(frames.max()) + 1).argmax(2).astype(np.uint8)


def common_background(frames: np.ndarray, max_foreground: float) -> np.ndarray:
    """Returns the mode over the frames that mostly agree with it (title screens do not).

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        max_foreground: share of differing pixels up to which a frame agrees.
    """
    background = mode_image(frames)
    agree = (frames != background).mean((1, 2)) < max_foreground
    if agree.all() or agree.sum() < 10:
        return background
    return mode_image(frames[agree])


def color_regions(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels the connected regions of one colour.

    Returns:
        `(H, W)` int32 labels from 0, and `(N,)` int64 areas.
    """
    labels = np.zeros(image.shape, np.int32)
    count = 0
    for color in np.unique(image):
        found = find_components(image, image == color)
        labels[found.labels > 0] = found.labels[found.labels > 0] + count - 1
        count += len(found.boxes)
    return labels, np.bincount(labels.ravel(), minlength=count)


@numba.njit(cache=True)
def _opening(frame, background, labels, areas, count):
    """Largest region that a component opens onto, and smallest region that it replaces."""
    height, width = frame.shape
    onto = np.zeros(count, np.int64)
    replaced = np.full(count, height * width, np.int64)
    for y in range(height):
        for x in range(width):
            i = labels[y, x] - 1
            if i < 0:
                continue
            replaced[i] = min(replaced[i], areas[y, x])
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < height and 0 <= u < width and labels[v, u] == 0:
                    if frame[y, x] == background[v, u]:
                        onto[i] = max(onto[i], areas[v, u])
    return onto, replaced


def find_holes(
    frame: np.ndarray, background: np.ndarray, found: Components, region_area: np.ndarray
) -> np.ndarray:
    """Tells which components are gaps where the background wrongly shows a thing.

    Across the border of a gap the frame's colours go on and the background's do not; or the gap
    has one colour and opens onto a far larger region of it.

    Args:
        frame: `(H, W)` uint8 palette indices.
        background: `(H, W)` uint8 palette indices.
        found: the components of the frame against the background.
        region_area: `(H, W)` int64, area of the background's region at each pixel.

    Returns:
        `(N,)` bool, one per component.
    """
    border = contour(frame, background, found)
    pairs = np.maximum(border.pairs, 1)
    frame_share, background_share = border.frame_same / pairs, border.background_same / pairs
    onto, replaced = _opening(frame, background, found.labels, region_area, len(found.boxes))
    continues = (frame_share >= 0.8) & (background_share <= 0.5)
    opens = (border.num_colors == 1) & (frame_share >= 0.2) & (onto >= REGION_FACTOR * replaced)
    return (border.pairs >= MIN_CONTOUR) & (continues | opens)


def _count_votes(frames: np.ndarray, background: np.ndarray, max_foreground: float) -> np.ndarray:
    """Counts `(H, W, P)` how often a pixel lay in a hole of each colour."""
    labels, areas = color_regions(background)
    region_area = areas[labels]
    height, width = background.shape
    votes = np.zeros((height, width, 256), np.int32)
    for frame in frames:
        mask = frame != background
        if mask.mean() > max_foreground:
            continue
        found = find_components(frame, mask)
        holes = np.flatnonzero(find_holes(frame, background, found, region_area)) + 1
        if len(holes):
            y, x = np.nonzero(np.isin(found.labels, holes))
            votes[y, x, frame[y, x]] += 1
    return votes


def _remove_rest(background: np.ndarray, corrected: np.ndarray, max_size: int) -> np.ndarray:
    """Lets a whole region follow when a part of it turned out to be a resting thing.

    Only what fits on a sprite's canvas can be one thing: a row of bricks stays but for those hit.
    """
    labels, areas = color_regions(background)
    changed = corrected != background
    share = np.bincount(labels[changed], minlength=len(areas)) / areas
    for region in np.flatnonzero((share >= REMOVED_SHARE) & (share < 1)):
        inside = labels == region
        if max(np.ptp(axis) for axis in np.nonzero(inside)) >= max_size:
            continue
        corrected[inside & ~changed] = np.bincount(corrected[inside & changed]).argmax()
    return corrected


def remove_resting(
    frames: np.ndarray, background: np.ndarray, max_foreground: float, max_size: int
) -> np.ndarray:
    """Corrects a background in which things rest that other frames show gone.

    Args:
        frames: `(N, H, W)` uint8 palette indices.
        background: `(H, W)` uint8 palette indices, the mode.
        max_foreground: frames that differ more are left out.
        max_size: side of a sprite's canvas in pixels; larger regions are scenery.

    Returns:
        `(H, W)` uint8, the background with eaten pills, broken bricks and the like taken out.
    """
    for _ in range(ROUNDS):
        votes = _count_votes(frames, background, max_foreground)
        corrected = np.where(votes.max(2) >= VOTES, votes.argmax(2), background).astype(np.uint8)
        if (corrected == background).all():
            break
        background = _remove_rest(background, corrected, max_size)
    return background
