"""The picture of `agents.py`: what agents' returns are over environment steps and over minutes."""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from agents_runs import LAST

from sprite_obs.view.picture import INK, blank_page, write_text

WIDTH, HEIGHT, MARGIN = 360, 240, 56
COLOURS = {
    "objects": (106, 176, 255),
    "objects_no_bonus": (200, 130, 240),
    "objects_dqn": (130, 220, 220),
    "sprites": (140, 220, 140),
    "pixels": (255, 150, 110),
    "ram": (240, 220, 110),
}
GUIDE = (70, 74, 84)


class Curve(NamedTuple):
    """A run: its game, what its agent saw, `(N,)` steps, seconds and returns of its episodes."""

    game: str
    arm: str
    steps: np.ndarray
    seconds: np.ndarray
    returns: np.ndarray


class Panel(NamedTuple):
    """Where returns are drawn: corner, greatest value to the right, lowest and highest return."""

    left: int
    top: int
    last: float
    low: float
    high: float

    def place(self, x: float, score: float) -> tuple[int, int]:
        """Returns the pixel of a point."""
        height = (score - self.low) / max(self.high - self.low, 1e-6)
        return self.left + round(WIDTH * x / self.last), self.top + round(HEIGHT * (1 - height))


def draw_curves(curves: list[Curve]) -> np.ndarray:
    """Draws two panels for each game with a line for each run: `(H, W, 3)` uint8 RGB."""
    games = list(dict.fromkeys(curve.game for curve in curves))
    row = HEIGHT + 2 * MARGIN
    page = blank_page(len(games) * row, MARGIN + 2 * (WIDTH + MARGIN))
    for index, game in enumerate(games):
        of_game = [curve for curve in curves if curve.game == game]
        _draw_game(page, index * row + MARGIN, of_game)
    return page


def _draw_game(page: np.ndarray, top: int, curves: list[Curve]) -> None:
    means = [_moving_mean(curve.returns) for curve in curves]
    low, high = min(mean.min() for mean in means), max(mean.max() for mean in means)
    units = {
        "thousand steps": [curve.steps / 1000 for curve in curves],
        "minutes": [curve.seconds / 60 for curve in curves],
    }
    for column, (unit, across) in enumerate(units.items()):
        left = MARGIN + column * (WIDTH + MARGIN)
        panel = Panel(left, top, max(values[-1] for values in across), low, high)
        _draw_axes(page, panel, unit)
        for curve, values, mean in zip(curves, across, means, strict=True):
            _draw_run(page, panel, COLOURS[curve.arm], values, mean)
    title = f"{curves[0].game}: training return, mean of the last {LAST} episodes"
    write_text(page, title, MARGIN, top - 36)
    _draw_legend(page, top, list(dict.fromkeys(curve.arm for curve in curves)))


def _draw_run(
    page: np.ndarray, panel: Panel, colour: tuple[int, int, int], across: np.ndarray, up: np.ndarray
) -> None:
    # Where all environments end an episode at once, only what is known after all of them counts.
    shown = np.append(np.diff(across) > 0, True)
    points = [panel.place(*point) for point in zip(across[shown], up[shown], strict=True)]
    for point, after in pairwise(points):
        cv2.line(page, point, after, colour, 1, cv2.LINE_AA)
    cv2.circle(page, points[-1], 2, colour, -1, cv2.LINE_AA)  # a run may have one point only


def _draw_axes(page: np.ndarray, panel: Panel, unit: str) -> None:
    left, top, last, low, high = panel
    digits = 0 if high - low >= 40 else 1  # so that equal distances look equal
    for score in np.linspace(low, high, 5):
        _, y = panel.place(0, score)
        cv2.line(page, (left, y), (left + WIDTH, y), GUIDE, 1)
        write_text(page, f"{score:.{digits}f}", left - 40, y + 4)
    for share in (0.0, 0.5, 1.0):
        x, _ = panel.place(share * last, low)
        number = f"{share * last:.{0 if last >= 8 else 1}f}"
        text = f"{number} {unit}" if share == 0.5 else number
        write_text(page, text, x, top + HEIGHT + 18, centred=True)
    cv2.line(page, (left, top + HEIGHT), (left + WIDTH, top + HEIGHT), INK, 1)


def _draw_legend(page: np.ndarray, top: int, arms: list[str]) -> None:
    for index, arm in enumerate(arms):
        x = MARGIN + index * 150
        cv2.line(page, (x, top - 18), (x + 20, top - 18), COLOURS[arm], 2, cv2.LINE_AA)
        write_text(page, arm, x + 26, top - 14)


def _moving_mean(values: np.ndarray) -> np.ndarray:
    """Returns, for each episode, the mean of it and the ones before, at most LAST in all."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - LAST, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
