"""One score over several games: the interquartile mean of what rliable draws game by game."""

import math

import numpy as np
from agents_scores import SEEDS_FOR_INTERVAL, Score, interquartile_mean
from human_scores import HUMAN_SCORES, human_normalised

from sprite_obs.errors import SpriteObsError

DRAWN = 10_000
"""Times that the seeds are drawn again."""


def score_of_games(returns: dict[str, list[float]]) -> Score:
    """Returns the human-normalised score over games; nan if a game has no return.

    All games have the same number of seeds in it, that of the game with the fewest. Games without
    scores of humans are left out.

    Args:
        returns: of each game's seeds.

    Raises:
        SpriteObsError: when there is an interval to find and rliable cannot be used.
    """
    games = [game for game in returns if game in HUMAN_SCORES]
    seeds = seeds_of_games(returns)
    scores = np.array(
        [[human_normalised(game, value) for value in returns[game][:seeds]] for game in games]
    ).T
    if not scores.size or not np.isfinite(scores).all():
        return Score(math.nan, math.nan, math.nan)
    mean = float(interquartile_mean(scores.ravel()))
    if seeds < SEEDS_FOR_INTERVAL:
        return Score(mean, math.nan, math.nan)
    return Score(mean, *stratified_interval(scores))


def seeds_of_games(returns: dict[str, list[float]]) -> int:
    """Returns how many seeds all games have, of those with scores of humans."""
    return min((len(returns[game]) for game in returns if game in HUMAN_SCORES), default=0)


def stratified_interval(scores: np.ndarray) -> tuple[float, float]:
    """Returns where 95 % of the interquartile means lie when each game's seeds are drawn again.

    Args:
        scores: `(num_seeds, num_games)`.

    Raises:
        SpriteObsError: when rliable is not installed or cannot be loaded.
    """
    try:
        from rliable import library, metrics
    except Exception as error:  # with pandas 3, what it imports fails with a TypeError
        raise SpriteObsError(
            f"rliable does not load ({type(error).__name__}: {error}); "
            "pip install 'sprite-obs[rliable]'"
        ) from error
    np.random.seed(0)  # rliable draws from NumPy's global state, whatever it is given
    _, intervals = library.get_interval_estimates(
        {"": scores}, lambda drawn: np.array([metrics.aggregate_iqm(drawn)]), reps=DRAWN
    )
    low, high = intervals[""][:, 0]
    return float(low), float(high)
