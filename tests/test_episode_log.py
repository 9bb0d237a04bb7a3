import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "agents"))

from episodes import HEADER, EpisodeLog


def log_an_episode(path: Path, begun: int, ended: int) -> None:
    """Trains, as far as a log can tell, from one count of steps to another, where a game ends."""
    log = EpisodeLog(path)
    model = SimpleNamespace(num_timesteps=begun)
    log.model = model
    log.on_training_start({}, {})
    model.num_timesteps = ended
    log.locals = {"infos": [{}, {"episode": {"r": 3.0, "l": 7}}]}
    log.on_step()
    log.on_training_end()


def test_a_resumed_run_goes_on_in_steps_and_seconds(tmp_path):
    path = tmp_path / "episodes.csv"
    lines = ["100,50.0,1.0,10\n", "200,90.0,2.0,10\n", "300,130.0,2.5,10\n"]
    path.write_text(HEADER + "".join(lines))
    log_an_episode(path, begun=250, ended=260)
    kept = np.loadtxt(path, delimiter=",", skiprows=1)
    assert kept[:, 0].tolist() == [100, 200, 260], "what is played again is not there twice"
    assert kept[:2, 1].tolist() == [50, 90] and 90 <= kept[2, 1] < 100
    assert kept[2, 2:].tolist() == [3, 7]


def test_a_new_run_begins_a_file(tmp_path):
    log_an_episode(tmp_path / "episodes.csv", begun=0, ended=8)
    header, line = (tmp_path / "episodes.csv").read_text().splitlines(keepends=True)
    assert header == HEADER and line.startswith("8,0.0,3.0,7")
