import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

sys.path.insert(0, str(Path(__file__).parent.parent / "agents"))

import callbacks
import ppo_settings
import runs
import train_ppo
from episodes import HEADER, SECONDS, EpisodeLog


def log_an_episode(path: Path, begun: int, ended: int, **kept: float) -> None:
    """Trains, as far as a log can tell, from one count of steps to another, where a game ends."""
    log = EpisodeLog(path)
    model = SimpleNamespace(num_timesteps=begun, **kept)
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
    log_an_episode(path, begun=250, ended=260, **{SECONDS: 110.0})
    kept = np.loadtxt(path, delimiter=",", skiprows=1)
    assert kept[:, 0].tolist() == [100, 200, 260], "what is played again is not there twice"
    assert kept[:2, 1].tolist() == [50, 90]
    assert 110 <= kept[2, 1] < 120, "from the agent that was kept, not from the last episode"
    assert kept[2, 2:].tolist() == [3, 7]


def test_an_agent_that_does_not_know_its_seconds_goes_on_from_the_last_episode(tmp_path):
    path = tmp_path / "episodes.csv"
    path.write_text(HEADER + "100,50.0,1.0,10\n100,50.0,1.0,10\n")
    log_an_episode(path, begun=250, ended=260)
    kept = np.loadtxt(path, delimiter=",", skiprows=1)
    assert kept[:, 0].tolist() == [100, 100, 260], "games that end alike are two"
    assert 50 <= kept[2, 1] < 60


class Slow(BaseCallback):
    """Lets time pass, so that seconds can be told apart."""

    def _on_step(self) -> bool:
        time.sleep(0.01)
        return True


def test_checkpoints_keep_the_seconds_of_the_training(tmp_path):
    flags = ["--model", "pong", "--max-sprites", "4", "--eval-every", "0", "--num-envs", "1"]
    sizes = ["--total-timesteps", "16", "--ppo.n-steps", "16", "--ppo.batch-size", "16"]
    args = ppo_settings.parse_args([*flags, *sizes, "--checkpoint-every", "12"])
    env = train_ppo.build_envs(args, 1, 0)
    agent = train_ppo.build_agent(env, args, train_ppo.choose_device("cpu"))
    callbacks = [*train_ppo.build_callbacks(args, tmp_path, None), Slow()]
    train_ppo.learn(agent, args, tmp_path, callbacks)
    kept = [PPO.load(runs.newest_agent(tmp_path)), PPO.load(tmp_path / "agent.zip")]
    first, last = (getattr(agent, SECONDS) for agent in kept)
    assert 0.11 <= first <= last - 0.03, "of the step at which it was kept"


class Interrupted(BaseCallback):
    """Is interrupted, as by Ctrl-C, at the first step, and notes which threads were running."""

    def __init__(self):
        super().__init__()
        self.threads: set[threading.Thread] = set()

    def _on_step(self) -> bool:
        self.threads = set(threading.enumerate())
        raise KeyboardInterrupt


def test_an_interrupted_training_leaves_no_thread_that_could_keep_it_from_ending(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    flags = ["--model", "pong", "--max-sprites", "4", "--eval-every", "0", "--num-envs", "1"]
    args = ppo_settings.parse_args(flags)
    env = train_ppo.build_envs(args, 1, 0)
    agent = train_ppo.build_agent(env, args, train_ppo.choose_device("cpu"))
    interrupted = Interrupted()
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        train_ppo.learn(agent, args, tmp_path, [interrupted])
    bars = [thread for thread in interrupted.threads if thread.__module__.startswith("rich")]
    assert bars and not any(thread.is_alive() for thread in bars)


@pytest.mark.parametrize(
    "damage",
    [b"300", b"\n", b"200,9", b"\0\0\0\0", b"\0\0\n", b"nan,1,2,3\n", b"1,2,3\n", b"\xff\xfe\n"],
)
def test_a_run_goes_on_after_damage(damage, tmp_path):
    path = tmp_path / "episodes.csv"
    path.write_bytes(HEADER.encode() + b"100,50.0,1.0,10\n" + damage)
    log_an_episode(path, begun=250, ended=260)
    assert np.loadtxt(path, delimiter=",", skiprows=1)[:, 0].tolist() == [100, 260]


def test_a_file_that_was_cut_in_its_header_begins_anew(tmp_path):
    (tmp_path / "episodes.csv").write_bytes(HEADER.encode()[:9])
    log_an_episode(tmp_path / "episodes.csv", begun=250, ended=260)
    assert (tmp_path / "episodes.csv").read_text().startswith(HEADER + "260,")


def test_a_new_run_begins_a_file(tmp_path):
    log_an_episode(tmp_path / "episodes.csv", begun=0, ended=8)
    header, line = (tmp_path / "episodes.csv").read_text().splitlines(keepends=True)
    assert header == HEADER and line.startswith("8,0.0,3.0,7")


def test_a_log_file_says_how_far_the_training_is(tmp_path, capsys):
    flags = ["--model", "pong", "--max-sprites", "4", "--eval-every", "0", "--num-envs", "2"]
    sizes = ["--total-timesteps", "100", "--ppo.n-steps", "25", "--ppo.batch-size", "50"]
    train_ppo.train(ppo_settings.parse_args([*flags, *sizes, "--out", str(tmp_path / "run")]))
    told = capsys.readouterr()
    first, *lines = told.err.strip().splitlines()
    assert first == f"the run's folder is {tmp_path / 'run'}"
    assert len(lines) == 50 and lines[0].startswith("2 of 100 steps, ")
    assert lines[-1].startswith("100 of 100 steps, ")
    assert lines[-1].endswith(" steps/s, no episode has ended")
    assert told.out.startswith("trained 100 steps in ") and "no episode has ended: " in told.out


def test_the_mean_return_is_that_of_the_last_episodes():
    agent = SimpleNamespace(ep_info_buffer=[{"r": 3.0}, {"r": 4.1}])
    assert callbacks.mean_return(agent) == ", mean return 3.5 of the last 2 episodes"
    agent.ep_info_buffer.pop()
    assert callbacks.mean_return(agent) == ", mean return 3.0 of one episode"


def test_the_speed_is_that_since_the_line_before(capsys, monkeypatch):
    now = iter([0.0, 1.0, 11.0])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(now))
    lines = callbacks.ProgressLines(100)
    lines.model = SimpleNamespace(ep_info_buffer=None)
    lines._on_training_start()
    for lines.num_timesteps in (50, 100):
        lines._on_step()
    ends = [line.split(", ")[1] for line in capsys.readouterr().err.splitlines()]
    assert ends == ["50 steps/s", "5 steps/s"]
