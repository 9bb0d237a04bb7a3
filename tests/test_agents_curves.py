"""The curves that the repository keeps: what RESULTS.md says of them is what they say."""

import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
for folder in ("agents", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))

import agents as benchmark  # noqa: E402

CURVES = ROOT / "benchmarks" / "curves"
ARMS = Counter(folder.name.rpartition("-")[0] for folder in CURVES.iterdir())
"""Seeds of each game, arm and number of steps."""


@pytest.mark.parametrize("name", sorted(ARMS))
def test_results_are_those_of_the_curves(name):
    game, arm, *best, steps = name.split("-")
    preset = "best" if best else "fast"
    asked = benchmark.Args(game, arm, ARMS[name], preset=preset, folder=CURVES, partial=True)
    runs = benchmark.runs_of(asked, game, arm, int(steps))
    row = f"| {' | '.join(benchmark.table_row(game, arm, runs))} |"
    assert row in (ROOT / "benchmarks" / "RESULTS.md").read_text()
