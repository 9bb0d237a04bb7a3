"""The second table of `agents.py`: which agents are ahead at equal steps and equal minutes."""

import math

from agents_games import score_of_games, seeds_of_games
from agents_runs import Axis, Run
from agents_scores import SEEDS_FOR_INTERVAL, ahead, as_text, score
from measure import markdown_table, number

from sprite_obs.errors import SpriteObsError

AXES: tuple[Axis, ...] = ("steps", "seconds")
Runs = dict[str, list[Run]]
"""The runs of one game by what their agents see."""


def ahead_table(games: dict[str, Runs]) -> str:
    """Returns training returns where all arms of a game have come, and who is ahead.

    The last rows are over all games together, if there are several.
    """
    arms = list(next(iter(games.values())))
    rows = [game_row(game, runs, axis) for game, runs in games.items() for axis in AXES]
    note = ""
    if len(games) > 1:
        try:
            rows += [all_games_row(games, arms, axis) for axis in AXES]
        except SpriteObsError as error:  # the runs took hours, and the other rows can be told
            note = f"\n\nAll games together were left out: {error}."
    return markdown_table(("game", "at equal", "seeds", *arms, "ahead"), rows) + note


def game_row(game: str, runs: Runs, axis: Axis) -> list[str]:
    """Returns a game's returns at equal steps or equal minutes."""
    returns = equal_returns(runs, axis)
    limit = common(runs, axis)
    where = f"{number(limit, 0)} steps" if axis == "steps" else f"{number(limit / 60, 1)} minutes"
    scores = {arm: score(values) for arm, values in returns.items()}
    seeds = ", ".join(str(len(values)) for values in returns.values())
    return [game, where, seeds, *map(as_text, scores.values()), ahead(scores)]


def all_games_row(games: dict[str, Runs], arms: list[str], axis: Axis) -> list[str]:
    """Returns the human-normalised scores over games, each where its arms are equal.

    Raises:
        SpriteObsError: when rliable is needed and cannot be used.
    """
    of_games = {game: equal_returns(runs, axis) for game, runs in games.items()}
    returns = {arm: {game: of_games[game][arm] for game in games} for arm in arms}
    scores = {arm: score_of_games(values) for arm, values in returns.items()}
    where = "steps" if axis == "steps" else "minutes"
    seeds = ", ".join(str(seeds_of_games(values)) for values in returns.values())
    texts = [as_text(result, 2) for result in scores.values()]
    return ["all, human-normalised", where, seeds, *texts, ahead(scores)]


def equal_returns(runs: Runs, axis: Axis) -> dict[str, list[float]]:
    """Returns the training returns where all arms have come, of the runs that have."""
    limit = common(runs, axis)
    return {
        arm: [run.return_at(axis, limit) for run in of_arm if run.last(axis) >= limit]
        for arm, of_arm in runs.items()
    }


def common(runs: Runs, axis: Axis) -> float:
    """Returns the most steps or seconds that all arms have reached; nan without runs."""
    return min((reach(of_arm, axis) for of_arm in runs.values() if of_arm), default=math.nan)


def reach(runs: list[Run], axis: Axis) -> float:
    """Returns how far an arm has come; a run more than are needed does not hold the others back.

    That is where all its finished runs have come, if they are as many as an interval needs, else
    where as many of its runs have come. An arm with fewer runs than that has come as far as the
    finished ones, or, if there are none, as its furthest.
    """
    finished = [run.last(axis) for run in runs if run.finished]
    few = len(runs) < SEEDS_FOR_INTERVAL
    if len(finished) >= SEEDS_FOR_INTERVAL or (few and finished):
        return min(finished)
    furthest = sorted((run.last(axis) for run in runs), reverse=True)
    return furthest[0 if few else SEEDS_FOR_INTERVAL - 1]
