"""Scores over seeds: interquartile mean, its bootstrap interval, and which of several is ahead."""

import math
from typing import NamedTuple

import numpy as np
from measure import number
from scipy.stats import bootstrap, trim_mean

SEEDS_FOR_INTERVAL = 3
"""With fewer, drawing seeds again says nothing."""


class Score(NamedTuple):
    """An interquartile mean and the ends of its interval, nan where there is none."""

    mean: float
    low: float
    high: float


def interquartile_mean(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Returns the mean without the lowest and the highest quarter."""
    return trim_mean(scores, 0.25, axis=axis)


def score(values: list[float]) -> Score:
    """Returns the score of one game's seeds; nan if any of them, or all, are missing."""
    if not values or not np.isfinite(values).all():
        return Score(math.nan, math.nan, math.nan)
    mean = float(interquartile_mean(np.array(values)))
    if len(values) < SEEDS_FOR_INTERVAL:
        return Score(mean, math.nan, math.nan)
    if len(set(values)) == 1:  # SciPy has no interval then
        return Score(mean, mean, mean)
    drawn = bootstrap(
        (np.array(values),), interquartile_mean, method="percentile", rng=np.random.default_rng(0)
    )
    return Score(mean, *map(float, drawn.confidence_interval))


def as_text(result: Score, digits: int = 1) -> str:
    """Returns the mean and, where it has a width, the interval."""
    mean = number(result.mean, digits)
    if not result.low < result.high:
        return mean
    return f"{mean} [{number(result.low, digits)}, {number(result.high, digits)}]"


def ahead(scores: dict[str, Score]) -> str:
    """Returns whose interval lies above all others, a dash if they overlap or there is one only.

    What was not measured is left out, and so is `ram`: it is privileged, not a rival.
    """
    rivals = {
        arm: result
        for arm, result in scores.items()
        if arm != "ram" and not math.isnan(result.mean)
    }
    if len(rivals) < 2:
        return "-"
    if any(math.isnan(result.low) for result in rivals.values()):
        return "too few seeds"
    best = max(rivals, key=lambda arm: rivals[arm].mean)
    others = [result.high for arm, result in rivals.items() if arm != best]
    return best if rivals[best].low > max(others) else "-"
