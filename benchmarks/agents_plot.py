"""The picture of `agents.py`: what agents' returns are over environment steps."""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from sprite_obs.view.picture import INK, blank_page, write_text

WIDTH, HEIGHT, MARGIN = 360, 240, 56
WINDOW = 20
"""Episodes over which a curve is a moving mean."""
COLOURS = {
    "objects": (106, 176, 255),
    "sprites": (140, 220, 140),
    "pixels": (255, 150, 110),
    "ram": (240, 220, 110),
}
GUIDE = (70, 74, 84)


class Curve(NamedTuple):
    """A run: its game, what its agent saw, and `(N,)` steps and returns of its episodes."""

    game: str
    arm: str
    steps: np.ndarray
    returns: np.ndarray


def draw_curves(curves: list[Curve]) -> np.ndarray:
    """Draws a panel for each game with a line for each run: `(H, W, 3)` uint8 RGB."""
    games = list(dict.fromkeys(curve.game for curve in curves))
    page = blank_page(HEIGHT + 2 * MARGIN, MARGIN + len(games) * (WIDTH + MARGIN))
    for panel, game in enumerate(games):
        left = MARGIN + panel * (WIDTH + MARGIN)
        _draw_panel(page, left, [curve for curve in curves if curve.game == game])
    return page


def _draw_panel(page: np.ndarray, left: int, curves: list[Curve]) -> None:
    means = [_moving_mean(curve.returns) for curve in curves]
    low, high = min(mean.min() for mean in means), max(mean.max() for mean in means)
    span, last = max(high - low, 1e-6), max(curve.steps[-1] for curve in curves)

    def place(steps: float, score: float) -> tuple[int, int]:
        return (
            left + round(WIDTH * steps / last),
            MARGIN + round(HEIGHT * (1 - (score - low) / span)),
        )

    for score in np.linspace(low, high, 5):
        _, y = place(0, score)
        cv2.line(page, (left, y), (left + WIDTH, y), GUIDE, 1)
        write_text(page, f"{score:.0f}", left - 34, y + 4)
    for share in (0.0, 0.5, 1.0):
        x, _ = place(share * last, low)
        write_text(page, f"{share * last / 1000:.0f}k", x, MARGIN + HEIGHT + 18, centred=True)
    for curve, mean in zip(curves, means, strict=True):
        points = [place(*point) for point in zip(curve.steps, mean, strict=True)]
        for point, after in pairwise(points):
            cv2.line(page, point, after, COLOURS[curve.arm], 1, cv2.LINE_AA)
    title = f"{curves[0].game}: return over steps, mean of {WINDOW} episodes"
    write_text(page, title, left + WIDTH // 2, 16, centred=True)
    for row, arm in enumerate(dict.fromkeys(curve.arm for curve in curves)):
        x = left + row * 90
        cv2.line(page, (x, 34), (x + 20, 34), COLOURS[arm], 2, cv2.LINE_AA)
        write_text(page, arm, x + 26, 38)
    cv2.line(page, (left, MARGIN + HEIGHT), (left + WIDTH, MARGIN + HEIGHT), INK, 1)


def _moving_mean(values: np.ndarray) -> np.ndarray:
    """Returns, for each episode, the mean of it and the ones before, at most WINDOW in all."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - WINDOW, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
