"""The second table of `agents.py`: which agents are ahead at equal steps and equal minutes."""

from agents_games import score_of_games
from agents_runs import Axis, Run
from agents_scores import Score, ahead, as_text, score
from measure import markdown_table, number

from sprite_obs.errors import SpriteObsError

AXES: tuple[Axis, ...] = ("steps", "seconds")
Runs = dict[str, list[Run]]
"""The runs of one game by what their agents see."""


def ahead_table(games: dict[str, Runs]) -> str:
    """Returns training returns where all runs of a game have come, and who is ahead.

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
    return markdown_table(("game", "at equal", *arms, "ahead"), rows) + note


def game_row(game: str, runs: Runs, axis: Axis) -> list[str]:
    """Returns a game's returns at equal steps or equal minutes."""
    scores = {arm: score(values) for arm, values in equal_returns(runs, axis).items()}
    limit = common(runs, axis)
    where = f"{number(limit, 0)} steps" if axis == "steps" else f"{number(limit / 60, 1)} minutes"
    return [game, where, *map(as_text, scores.values()), ahead(scores)]


def all_games_row(games: dict[str, Runs], arms: list[str], axis: Axis) -> list[str]:
    """Returns the human-normalised scores over games, each where its runs are equal.

    Raises:
        SpriteObsError: when rliable is needed and cannot be used.
    """
    returns = {game: equal_returns(runs, axis) for game, runs in games.items()}
    scores: dict[str, Score] = {
        arm: score_of_games({game: values[arm] for game, values in returns.items()}) for arm in arms
    }
    where = "steps" if axis == "steps" else "minutes"
    texts = [as_text(result, 2) for result in scores.values()]
    return ["all, human-normalised", where, *texts, ahead(scores)]


def equal_returns(runs: Runs, axis: Axis) -> dict[str, list[float]]:
    """Returns each run's training return where all runs have come."""
    limit = common(runs, axis)
    return {arm: [run.return_at(axis, limit) for run in of_arm] for arm, of_arm in runs.items()}


def common(runs: Runs, axis: Axis) -> float:
    """Returns the most steps or seconds that all runs have reached; nan without runs."""
    return min((run.last(axis) for of_arm in runs.values() for run in of_arm), default=float("nan"))
