"""Runs that are not finished, and which arm is ahead: tables over run folders that are made up."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from sprite_obs.config import to_dict
from sprite_obs.errors import SpriteObsError

ROOT = Path(__file__).parent.parent
for folder in ("agents", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))

import agents_games  # noqa: E402
import agents_scores  # noqa: E402
import dqn_settings  # noqa: E402
import ppo_settings  # noqa: E402
from agents_scores import Score  # noqa: E402
from human_scores import human_normalised  # noqa: E402

import agents as benchmark  # noqa: E402

EPISODES = 40
UNTUNED = ("objects_dqn", "pixels")
"""Arms whose hyper-parameters are those of no preset."""


def write_run(folder: Path, per_second: float, first: float, last: float, done: bool) -> None:
    """Makes a run whose episodes of 100 steps have returns from `first` to `last`."""
    folder.mkdir()
    steps = 100 * np.arange(1, EPISODES + 1)
    rows = zip(steps, steps / per_second, np.linspace(first, last, EPISODES), strict=True)
    lines = [f"{step},{seconds:.1f},{score},100\n" for step, seconds, score in rows]
    (folder / "episodes.csv").write_text("timesteps,seconds,return,length\n" + "".join(lines))
    if done:
        (folder / "result.json").touch()


@pytest.fixture
def folder(tmp_path) -> Path:
    """Objects reach 20 in 40 s; pixels reach 5 in 200 s, and two of their runs go on."""
    for seed in range(3):
        write_run(tmp_path / f"Pong-objects-5000-{seed}", 100, -20, 19 + seed, True)
        write_run(tmp_path / f"Pong-pixels-4000-{seed}", 20, -20, 4 + seed, seed == 0)
    (tmp_path / "Pong-pixels-4000-3").mkdir()
    (tmp_path / "Pong-pixels-4000-3" / "episodes.csv").write_text("timesteps,seconds\n")
    return tmp_path


def tables(folder: Path, **settings: object) -> list[list[list[str]]]:
    """Returns the rows of the tables of partial runs, headers first."""
    asked = {"arms": "objects:5000,pixels:4000", "partial": True, "folder": folder} | settings
    text = benchmark.measure(benchmark.Args(**asked))
    return [
        [line.strip("| ").split(" | ") for line in part.splitlines() if "---" not in line]
        for part in text.split("\n\n")
    ]


def test_unfinished_runs_are_said_to_be_partial(folder):
    header, objects, pixels = tables(folder, seeds=4)[0]
    rows = [dict(zip(header, row, strict=True)) for row in (objects, pixels)]
    assert [row["seeds"] for row in rows] == ["3", "3"]
    assert [row["finished"] for row in rows] == ["all", "partial, 1 of 3"]
    assert [row["deterministic, IQM"] for row in rows] == ["-", "-"]
    assert [row["steps"] for row in rows] == ["4000", "4000"]
    assert rows[0]["training return, IQM"].startswith("10.3 [")
    assert [row["minutes"] for row in rows] == ["0.7", "3.3"]


def test_evaluations_that_were_made_are_reported_of_partial_arms_too(folder):
    for seed in range(3):
        file = folder / f"Pong-objects-5000-{seed}" / "drawn-20.json"
        file.write_text(json.dumps({"mean": 7.0}))
    header, objects, _ = tables(folder)[0]
    row = dict(zip(header, objects, strict=True))
    assert (row["deterministic, IQM"], row["with drawn actions, IQM"]) == ("-", "7.0")


def test_arms_are_compared_at_equal_steps_and_equal_minutes(folder):
    header, steps, minutes = tables(folder)[1]
    assert header == ["game", "at equal", "seeds", "objects", "pixels", "ahead"]
    assert steps[1] == "4000 steps" and minutes[1] == "0.7 minutes"
    assert steps[-1] == minutes[-1] == "objects"
    assert steps[2] == minutes[2] == "3, 3"
    assert steps[3] == minutes[3], "where objects have ended"
    assert steps[4].startswith("-1.1 [") and minutes[4].startswith("-17.8 [")


def test_without_seeds_enough_nobody_is_ahead(folder):
    _, steps, minutes = tables(folder, seeds=2)[1]
    assert steps[-1] == minutes[-1] == "too few seeds"
    assert steps[2] == "2, 2" and "[" not in steps[3]


def test_arms_without_runs_are_dashes(folder):
    first, second = tables(folder, arms="objects:5000,sprites,pixels:4000")
    assert first[2] == ["Pong", "sprites", "0", "partial", *"-------"]
    assert second[1][2:5:2] == ["3, 0, 3", "-"] and second[1][-1] == "objects"


def test_runs_that_have_just_begun_hold_nobody_back(folder):
    for arm, steps in (("objects", 5000), ("pixels", 4000)):
        begun = folder / f"Pong-{arm}-{steps}-3"
        begun.mkdir(exist_ok=True)
        (begun / "episodes.csv").write_text("timesteps,seconds,return,length\n100,1.0,-21,100\n")
    first, second = tables(folder, seeds=4)
    assert first[1][2:4] == ["4", "partial, 3 of 4"]
    assert second[1][1:3] == ["4000 steps", "3, 3"]
    for seed in range(3):
        (folder / f"Pong-objects-5000-{seed}" / "result.json").unlink()
    assert tables(folder, seeds=4)[1][1][1:3] == ["4000 steps", "3, 3"], "three that go on"
    for seed in (1, 2):
        (folder / f"Pong-objects-5000-{seed}" / "episodes.csv").unlink()
    assert tables(folder, seeds=4)[1][1][1:3] == ["4000 steps", "1, 3"], "the furthest of two"


def test_seeds_that_end_one_after_another_are_compared_together(folder):
    for seed, episodes in ((1, 30), (2, 20)):
        run = folder / f"Pong-objects-5000-{seed}"
        (run / "result.json").unlink()
        lines = (run / "episodes.csv").read_text().splitlines(keepends=True)
        (run / "episodes.csv").write_text("".join(lines[: episodes + 1]))
    _, steps, minutes = tables(folder)[1]
    assert steps[1:3] == ["2000 steps", "3, 3"], "where the third of them has come"
    assert minutes[1:3] == ["0.3 minutes", "3, 3"]
    (folder / "Pong-objects-5000-1" / "result.json").touch()
    assert tables(folder)[1][1][1:3] == ["2000 steps", "3, 3"], "two that have ended"
    (folder / "Pong-objects-5000-2" / "result.json").touch()
    assert tables(folder)[1][1][1:3] == ["2000 steps", "3, 3"], "all of them"
    assert tables(folder, seeds=2)[1][1][1:3] == ["3000 steps", "2, 2"], "too few for an interval"


def test_nobody_is_ahead_where_intervals_overlap():
    scores = {"objects": Score(5, 3, 7), "pixels": Score(4, 2, 6)}
    assert agents_scores.ahead(scores) == "-"
    assert agents_scores.ahead(scores | {"pixels": Score(1, 0, 2)}) == "objects"
    assert agents_scores.ahead(scores | {"objects": Score(1, 0, 1.5)}) == "pixels"


def test_true_objects_are_no_rival():
    scores = {"objects": Score(5, 4, 6), "pixels": Score(1, 0, 2), "ram": Score(9, 8, 10)}
    assert agents_scores.ahead(scores) == "objects"


def test_the_interquartile_mean_ignores_outliers():
    scores = np.array([-100.0, 1, 2, 3, 4, 5, 6, 1000])
    assert agents_scores.interquartile_mean(scores) == pytest.approx(3.5)


def test_an_interval_needs_seeds_and_holds_the_mean():
    assert agents_scores.as_text(agents_scores.score([1.0, 2.0])) == "1.5"
    assert agents_scores.as_text(agents_scores.score([2.0, 2.0, 2.0])) == "2.0"
    text = agents_scores.as_text(agents_scores.score([1.0, 2.0, 6.0]))
    mean, low, high = (float(part.strip("[],")) for part in text.split())
    assert low <= mean <= high and low < high


def test_scores_of_humans_and_of_random_players_are_1_and_0():
    assert human_normalised("Pong", 14.6) == pytest.approx(1)
    assert human_normalised("Pong", -20.7) == pytest.approx(0)


def test_games_together_have_the_seeds_that_all_have():
    returns = {"Pong": [14.6, 14.6, 14.6], "Boxing": [0.1, 0.1], "Carnival": [500.0]}
    assert agents_games.score_of_games(returns)[0] == pytest.approx(0.5), "mean of 1, 1, 0, 0"
    assert np.isnan(agents_games.score_of_games({"Pong": [1.0], "Boxing": []}).mean)


def needs_rliable() -> None:
    """Skips a test where rliable is not installed, or not beside a pandas that it works with."""
    try:
        import rliable.library  # noqa: F401
    except Exception as error:
        pytest.skip(f"rliable: {error}")


def test_rliable_agrees_with_scipy_on_one_game():
    needs_rliable()
    scores = np.random.default_rng(0).normal(10, 3, 5)
    expected = agents_scores.score(list(scores))
    low, high = agents_games.stratified_interval(scores[:, None])
    assert low == pytest.approx(expected.low, abs=0.1)
    assert high == pytest.approx(expected.high, abs=0.1)


def test_all_games_together_are_the_last_rows(folder):
    needs_rliable()
    for seed in range(3):
        write_run(folder / f"Boxing-objects-5000-{seed}", 100, 0, 12.1 + seed, True)
        write_run(folder / f"Boxing-pixels-4000-{seed}", 20, 0, 1 + seed, True)
    rows = tables(folder, games="Pong,Boxing")[1][-2:]
    assert [row[:2] for row in rows] == [
        ["all, human-normalised", "steps"],
        ["all, human-normalised", "minutes"],
    ]
    assert [row[-1] for row in rows] == ["objects", "objects"]


def test_without_rliable_the_other_rows_are_told(folder, monkeypatch):
    for seed in range(3):
        write_run(folder / f"Boxing-objects-5000-{seed}", 100, 0, 12.1 + seed, True)
        write_run(folder / f"Boxing-pixels-4000-{seed}", 20, 0, 1 + seed, True)
    monkeypatch.setitem(sys.modules, "rliable", None)
    parts = tables(folder, games="Pong,Boxing")
    assert len(parts[1]) == 5
    assert "sprite-obs[rliable]" in parts[2][0][0]


def test_damaged_files_end_in_one_line(folder):
    (folder / "Pong-objects-5000-0" / "episodes.csv").write_text("a\n1,2\n")
    with pytest.raises(SpriteObsError, match=r"episodes\.csv"):
        tables(folder)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("100,50.0,1,100\n200,0.5,1,100\n", "seconds that never fall .* got 50 and then 0.5"),
        ("200,50.0,1,100\n100,60.0,1,100\n", "steps that never fall .* got 200 and then 100"),
    ],
)
def test_logs_that_count_anew_are_refused(lines, message, folder):
    run = folder / "Pong-objects-5000-0"
    (run / "episodes.csv").write_text("timesteps,seconds,return,length\n" + lines)
    with pytest.raises(SpriteObsError, match=f"{message}; .* delete {run}, train again"):
        tables(folder)


@pytest.mark.parametrize(
    ("arm", "settings", "obs", "model", "bonus"),
    [
        ("objects", ppo_settings, "objects", "Pong", 0.01),
        ("objects_no_bonus", ppo_settings, "objects", "Pong", 0),
        ("objects_dqn", dqn_settings, "objects", "Pong", 0),
        ("sprites", ppo_settings, "sprites", "Pong", 0.01),
        ("pixels", ppo_settings, "pixels", None, 0),
        ("ram", ppo_settings, "ram", None, 0.01),
    ],
)
def test_arms_are_trained_by_their_scripts(arm, settings, obs, model, bonus, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(benchmark, "run_agents", lambda *flags: commands.append(flags))
    asked = benchmark.Args(arms=arm, preset="best", max_sprites=9)
    benchmark.train(asked, "Pong", arm, 5000, 1, tmp_path)
    script, *flags = map(str, commands.pop())
    trained = settings.parse_args(flags)
    algorithm = settings.__name__.partition("_")[0]
    assert script == f"train_{algorithm}.py"
    assert (trained.env, trained.obs, trained.seed) == ("ALE/Pong-v5", obs, 1)
    assert (trained.total_timesteps, trained.out) == (5000, str(tmp_path))
    assert getattr(trained, algorithm).visit_bonus == bonus
    assert (trained.model, trained.max_sprites, trained.eval_every) == (model, 9, 0)
    tuned = benchmark.run_folder(asked, "Pong", arm, 5000, 1).name == f"Pong-{arm}-best-5000-1"
    assert tuned == (getattr(trained, "preset", None) == "best") == (arm not in UNTUNED)
    (tmp_path / "interrupted.zip").touch()
    benchmark.train(asked, "Pong", arm, 5000, 1, tmp_path)
    assert commands == [(script, "--resume", tmp_path)]


NO_CHANGE: dict = {}


@pytest.mark.parametrize(
    ("game", "arm", "changed", "message"),
    [
        ("SpaceInvaders", "objects", {"join_frames": True}, None),
        ("SpaceInvaders", "objects", {"join_frames": False}, r"'join_frames': True\}.* False\}"),
        ("Pong", "objects", {"join_frames": False}, None),
        ("Pong", "objects", NO_CHANGE, None),  # a version that could not join frames
        ("Pong", "objects", {"join_frames": True}, r"'join_frames': False\}"),
        ("Pong", "pixels", {"join_frames": True}, None),
        ("Pong", "pixels", {"join_frames": True, "max_sprites": 8}, None),
        ("Pong", "pixels", NO_CHANGE, r"'join_frames': True\}"),
        ("Pong", "objects", {"max_sprites": 8}, r"'max_sprites': 32\}.*'max_sprites': 8\}"),
        ("Pong", "objects", {"ppo.visit_bonus": 0.0}, r"'visit_bonus': 0\.3\}.* 0\.0\}"),
        ("Pong", "objects_no_bonus", {"ppo.visit_bonus": 0.0}, None),
        ("Pong", "objects_no_bonus", NO_CHANGE, r"'visit_bonus': 0\.0\}.* 0\.3\}"),
        ("Pong", "ram", NO_CHANGE, None),
        ("Pong", "objects_dqn", NO_CHANGE, None),
        ("Pong", "objects_dqn", {"dqn.n_steps": 1}, r"'n_steps': 3\} \(objects_dqn\).*1\}"),
    ],
)
def test_only_runs_that_are_trained_alike_are_compared(game, arm, changed, message, tmp_path):
    obs = arm.partition("_")[0]
    of_algorithm = dqn_settings if arm.endswith("dqn") else ppo_settings
    settings = to_dict(of_algorithm.parse_args(["--obs", obs]))
    del settings["join_frames"]
    for name, value in changed.items():
        algorithm, _, hyper_parameter = name.rpartition(".")
        of = settings[algorithm] if algorithm else settings
        of[hyper_parameter] = value
    run = tmp_path / f"{game}-{arm}-300-0"
    run.mkdir()
    (run / "config.json").write_text(json.dumps(settings))
    (run / "episodes.csv").write_text("timesteps,seconds,return,length\n100,1.0,5,100\n")
    asked = benchmark.Args(game, f"{arm}:300", seeds=1, folder=tmp_path, partial=True)
    if message is None:
        assert f"| {game} | {arm} | 1 |" in benchmark.measure(asked)
    else:
        with pytest.raises(SpriteObsError, match=message):
            benchmark.measure(asked)


def test_runs_of_another_algorithm_are_not_compared(tmp_path):
    run = tmp_path / "Pong-objects_dqn-300-0"
    run.mkdir()
    (run / "config.json").write_text(json.dumps(to_dict(ppo_settings.parse_args([]))))
    asked = benchmark.Args(arms="objects_dqn:300", seeds=1, folder=tmp_path, partial=True)
    with pytest.raises(SpriteObsError, match=r"of train_dqn\.py .* one of train_ppo\.py; delete"):
        benchmark.measure(asked)


def test_runs_are_checked_before_any_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "run_agents", None)
    run = tmp_path / "Pong-pixels-300-2"
    run.mkdir()
    (run / "config.json").write_text(json.dumps(to_dict(ppo_settings.parse_args([]))))
    asked = benchmark.Args(arms="objects,pixels", seeds=3, steps=300, folder=tmp_path)
    with pytest.raises(SpriteObsError, match="Pong-pixels-300-2; delete it to train again"):
        benchmark.measure(asked)


def test_kept_curves_make_the_same_tables(folder, tmp_path):
    for seed in range(3):
        for arm, steps in (("objects", 5000), ("pixels", 4000)):
            run = folder / f"Pong-{arm}-{steps}-{seed}"
            settings = to_dict(ppo_settings.parse_args(["--obs", arm, "--out", str(run)]))
            (run / "config.json").write_text(
                json.dumps(settings | {"join_frames": arm == "pixels"})
            )
            (run / "drawn-20.json").write_text(json.dumps({"mean": 7.0 + seed}))
            (run / "interrupted.zip").touch()
    kept = tmp_path / "kept"
    runs = tables(folder, keep=kept)
    assert tables(kept) == runs and "8.0 [" in runs[0][1][7]
    texts = [file.read_text() for file in kept.glob("*/*")]
    assert len(texts) == 3 * 2 * 3 + 4, "settings, episodes, an evaluation, and results of four"
    assert not any(str(tmp_path) in text for text in texts), "where the runs lay"
    with pytest.raises(SpriteObsError, match="another folder than --folder"):
        tables(kept, keep=kept)
