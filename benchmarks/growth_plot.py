"""The picture of `growth.py`: cost over size, both as multiples of the smallest."""

from itertools import pairwise

import cv2
import numpy as np

from sprite_obs.view.picture import INK, blank_page, write_text

SIDE, MARGIN = 200, 48
LEVELS = 24
"""Shades are rounded to multiples of this, for a smaller file."""
LINE, GUIDE = (106, 176, 255), (70, 74, 84)

Curve = tuple[str, list[int], list[float]]
"""What grows, its sizes and what a frame takes at each, in microseconds."""


def draw_growth(curves: list[Curve]) -> np.ndarray:
    """Draws a panel for each curve: `(H, W, 3)` uint8 RGB, both axes logarithmic.

    The dark diagonal is growth in proportion: twice the cost for twice the size.
    """
    width = MARGIN + len(curves) * (SIDE + MARGIN)
    page = blank_page(SIDE + 2 * MARGIN, width)
    for panel, curve in enumerate(curves):
        _draw_panel(page, MARGIN + panel * (SIDE + MARGIN), curve)
    return page // LEVELS * LEVELS


def _draw_panel(page: np.ndarray, left: int, curve: Curve) -> None:
    name, sizes, taken = curve
    doublings = max(np.log2(sizes[-1] / sizes[0]), 1)

    def place(size: float, micros: float) -> tuple[int, int]:
        across = np.log2(size / sizes[0]) / doublings
        up = np.log2(micros / taken[0]) / doublings
        return left + round(SIDE * across), MARGIN + round(SIDE * (1 - up))

    for step in range(int(doublings) + 1):
        x, y = place(sizes[0] * 2**step, taken[0] * 2**step)
        cv2.line(page, (x, MARGIN), (x, MARGIN + SIDE), GUIDE, 1)
        cv2.line(page, (left, y), (left + SIDE, y), GUIDE, 1)
        write_text(page, f"x{2**step}", left - 32, y + 4)
    cv2.line(page, (left, MARGIN + SIDE), (left + SIDE, MARGIN), GUIDE, 2, cv2.LINE_AA)
    points = [place(size, micros) for size, micros in zip(sizes, taken, strict=True)]
    for point, after in pairwise(points):
        cv2.line(page, point, after, LINE, 2, cv2.LINE_AA)
    for (x, y), size, micros in zip(points, sizes, taken, strict=True):
        cv2.circle(page, (x, y), 4, INK, -1, cv2.LINE_AA)
        write_text(page, f"{micros:.0f}", x, max(y - 9, 12), centred=True)
        write_text(page, str(size), x, MARGIN + SIDE + 18, centred=True)
    write_text(page, f"us per frame over {name}", left + SIDE // 2, 16, centred=True)
