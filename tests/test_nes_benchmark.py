"""Runs benchmarks/nes.py by its command line, in a tiny setting, agents included."""

from test_benchmarks import config, run, table  # noqa: F401


def test_nes_benchmark_measures_and_trains(config, tmp_path):  # noqa: F811
    small = "--frames", 150, "--unseen", 30, "--steps", 5, "--repeats", 1, "--config", config
    agents = "--agent-steps", 512, "--agent-episodes", 1
    out = tmp_path / "nes.md"
    done = run("nes.py", *small, *agents, "--folder", tmp_path / "game", "--out", out)
    assert done.returncode == 0, done.stderr
    figures = {row["figure"]: row["value"] for row in table(out.read_text())}
    assert float(figures["precision, recall"].split()[1]) > 0.5, "150 frames show most actors"
    assert float(figures["exact pixels of the hard reconstruction, %"]) > 90
    assert float(figures["camera right up to a constant, % of frames"]) > 50
    assert 0 < float(figures["share"]) < 1.5
    assert figures["PPO, steps"] == "512"
    assert "±" in figures["return of PPO"] and "±" in figures["return of random actions"]
    assert (tmp_path / "game" / "report.html").exists()
