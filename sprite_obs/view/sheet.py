"""The learned dictionary as one picture."""

import math

import numpy as np
from sklearn.manifold import TSNE

from sprite_obs.view.picture import blank_page, write_text

MARGIN = 2  # transparent pixels shown around the largest drawing
GAP = 10  # pixels of the picture between two cells
LABEL_HEIGHT = 15
# Bluish and of middling brightness, while the black, white and greys of old consoles are neutral.
CHECKS = (58, 64, 82), (88, 96, 118)
CHECK_SIZE = 2  # pixels of the picture, less than any sprite's
ASPECT = 4 / 3
AREA = 1600 * 1200  # pixels that the cells of a picture may fill before sprites are drawn smaller
MIN_SCALE, MAX_SCALE = 3, 8
MAX_PERPLEXITY = 30  # what t-SNE is commonly used with
MIN_SORTED = 4


def dictionary_sheet(sprites: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Draws all sprites of a dictionary with their ids, those of similar codes side by side.

    The order, line by line, is that of a one-dimensional t-SNE of the latent codes. All cells have
    the size of the largest drawing; a fine checkerboard shows through transparent pixels.

    Args:
        sprites: `(K, S, S, 4)` uint8 RGBA, each drawing centred on its canvas, K >= 1.
        codes: `(K, d)` float, the latent codes.

    Returns:
        `(height, width, 3)` uint8 RGB.
    """
    sprites = _crop(sprites)  # (K, h, w, 4)
    scale, columns = _layout(*sprites.shape[:3])
    height, width = sprites.shape[1] * scale, sprites.shape[2] * scale
    step_y, step_x = height + LABEL_HEIGHT + GAP, width + GAP
    page = blank_page(math.ceil(len(sprites) / columns) * step_y + GAP, columns * step_x + GAP)
    for place, index in enumerate(similarity_order(codes)):
        top, left = GAP + place // columns * step_y, GAP + place % columns * step_x
        page[top : top + height, left : left + width] = _on_checks(sprites[index], scale)
        write_text(page, str(index + 1), left + width // 2, top + height + 12, centred=True)
    return page


def similarity_order(codes: np.ndarray) -> np.ndarray:
    """Sorts `(K, d)` latent codes along a one-dimensional t-SNE.

    Returns:
        `(K,)` int64 indices, the same in each call; fewer than 4 codes keep their order, as there
        is nothing to embed.
    """
    if len(codes) < MIN_SORTED:
        return np.arange(len(codes))
    perplexity = min(MAX_PERPLEXITY, (len(codes) - 1) / 3)
    embedding = TSNE(n_components=1, perplexity=perplexity, random_state=0).fit_transform(codes)
    return np.argsort(embedding[:, 0], kind="stable")


def _crop(sprites: np.ndarray) -> np.ndarray:
    """Cuts the canvases around their centre to the largest drawing and a margin."""
    seen = sprites[..., 3].max(0) >= 128  # (S, S)
    rows, columns = _span(seen.any(1)), _span(seen.any(0))
    padded = np.pad(sprites, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))
    return padded[:, rows, columns]


def _span(used: np.ndarray) -> slice:
    """Returns the centred window, on the padded canvas, of `(S,)` used rows or columns."""
    places = np.flatnonzero(used)
    border = min(places[0], len(used) - 1 - places[-1]) if len(places) else 0
    return slice(border, len(used) + 2 * MARGIN - border)


def _layout(count: int, height: int, width: int) -> tuple[int, int]:
    """Returns how many times sprites are enlarged, and the number of columns."""
    scale = int(math.sqrt(AREA / (count * height * width)))
    scale = min(max(scale, MIN_SCALE), MAX_SCALE)
    cell_height, cell_width = height * scale + LABEL_HEIGHT + GAP, width * scale + GAP
    columns = round(math.sqrt(count * cell_height * ASPECT / cell_width))
    return scale, min(max(columns, 1), count)


def _on_checks(sprite: np.ndarray, scale: int) -> np.ndarray:
    large = sprite.repeat(scale, 0).repeat(scale, 1)  # (h scale, w scale, 4)
    y, x = np.indices(large.shape[:2]) // CHECK_SIZE
    checks = np.array(CHECKS)[(x + y) % 2]  # (h scale, w scale, 3)
    alpha = large[..., 3:] / 255
    return (alpha * large[..., :3] + (1 - alpha) * checks).round().astype(np.uint8)
