"""Episodes that are played together, and games with other sticky actions."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from sprite_obs.errors import SpriteObsError

ROOT = Path(__file__).parent.parent
for folder in ("agents", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))

import agent_zoo  # noqa: E402
import agents_runs  # noqa: E402
import environments  # noqa: E402
import evaluate  # noqa: E402
import ppo_settings  # noqa: E402
import train_ppo  # noqa: E402
from film import Film  # noqa: E402

GAME = "ALE/Pong-v5"


class Agent:
    """Always does the same."""

    def predict(self, observation, deterministic):
        return np.zeros(len(observation), int), None


class Envs:
    """Environment i has episodes of `lengths[i]` steps; the n-th one scores n."""

    def __init__(self, *lengths: int):
        self.lengths, self.num_envs, self.seeds = lengths, len(lengths), []

    def seed(self, seed):
        self.seeds.append(seed)

    def reset(self):
        self.step_count = 0
        return np.zeros(self.num_envs)

    def step(self, actions):
        self.step_count += 1
        ended = [divmod(self.step_count, length) for length in self.lengths]
        infos = [{} if rest else {"episode": {"r": count}} for count, rest in ended]
        return np.zeros(self.num_envs), None, None, infos


def test_of_each_environment_the_first_episode_counts():
    envs = Envs(1, 2, 3, 4)
    assert evaluate.play(Agent(), envs, lambda seen: seen, range(7, 11), True, None) == [1.0] * 4
    assert envs.seeds == [7] and envs.step_count == 4


def test_environments_beyond_the_seeds_play_for_nothing():
    envs = Envs(4, 3, 2, 1)
    assert evaluate.play(Agent(), envs, lambda seen: seen, range(7, 9), True, None) == [1.0] * 2
    assert envs.step_count == 4


def test_episodes_are_played_together_each_with_its_seed(monkeypatch):
    together = []

    def play(agent, env, take, seeds, deterministic, film):
        together.append((env.num_envs, list(seeds)))
        return [float(seed) for seed in seeds]

    monkeypatch.setattr(evaluate, "play", play)
    report = evaluate.evaluate(evaluate.Args("pong", episodes=5, num_envs=2, seed=3))
    assert together == [(2, [3, 4]), (2, [5, 6]), (2, [7])]
    assert report["returns"] == report["seeds"] == [3, 4, 5, 6, 7]


class Counter:
    """A film that only counts its pictures."""

    pictures = 0

    def add(self, observation, action):
        self.pictures += 1


def test_the_film_ends_with_the_first_episode():
    film = Counter()
    evaluate.play(Agent(), Envs(1, 2, 3), lambda seen: seen, range(3), True, film)
    assert film.pictures == 1


def film_of(obs: str, num_envs: int, path: Path) -> bytes:
    """Returns a film of 30 steps in which nothing is done."""
    model = "pong" if obs == "objects" else None
    envs = environments.build_vec_env(GAME, obs, model, 32, num_envs, 5, rendered=True)
    agent = PPO("CnnPolicy", envs) if obs == "pixels" else trained_agent()
    seen, film = envs.reset(), Film(path, agent, envs, model)
    for _ in range(30):
        action = np.zeros(num_envs, int)
        film.add(seen, action)
        seen, *_ = envs.step(action)
    film.close()
    envs.close()
    return path.read_bytes()


def trained_agent() -> BaseAlgorithm:
    return evaluate.load_agent(str(agent_zoo.find_agent("pong")))


@pytest.mark.parametrize("obs", ["objects", "pixels"])
def test_of_several_environments_the_first_is_filmed(obs, tmp_path):
    one, first = (film_of(obs, num_envs, tmp_path / f"{num_envs}.mp4") for num_envs in (1, 2))
    assert one == first


@pytest.mark.parametrize("obs", ["objects", "pixels"])
@pytest.mark.parametrize(("asked", "there"), [(None, 0.25), (0, 0), (0.5, 0.5)])
def test_sticky_actions_are_the_games_own_or_as_asked_for(obs, asked, there):
    model = None if obs == "pixels" else "pong"
    envs = environments.build_vec_env(GAME, obs, model, 8, 2, 0, sticky_actions=asked)
    games = envs.get_attr("unwrapped")
    assert [game.ale.getFloat("repeat_action_probability") for game in games] == [there] * 2
    envs.close()


@pytest.mark.parametrize(
    ("env_id", "asked", "message"),
    [
        (GAME, 1.5, "expected --sticky-actions between 0 and 1, got 1.5"),
        (GAME, float("nan"), "between 0 and 1, got nan"),
        ("CartPole-v1", 0.0, r"games ALE/\*-v5 only, got CartPole-v1; leave"),
    ],
)
def test_other_sticky_actions_are_refused(env_id, asked, message):
    with pytest.raises(SpriteObsError, match=message):
        environments.build_vec_env(env_id, "objects", "pong", 8, 1, 0, sticky_actions=asked)


def test_an_agent_is_evaluated_with_the_sticky_actions_of_its_training(tmp_path, monkeypatch):
    run = tmp_path / "run"
    sizes = ["--total-timesteps", "16", "--num-envs", "1", "--eval-every", "0"]
    ppo = ["--ppo.n-steps", "16", "--ppo.batch-size", "16", "--ppo.n-epochs", "1"]
    flags = ["--model", "pong", "--sticky-actions", "0.5", *sizes, *ppo, "--out", str(run)]
    train_ppo.train(ppo_settings.parse_args(flags))
    assert json.loads((run / "config.json").read_text())["sticky_actions"] == 0.5

    built = []
    build = environments.build_vec_env
    monkeypatch.setattr(
        evaluate,
        "build_vec_env",
        lambda *a, **k: built.append(k["sticky_actions"]) or build(*a, **k),
    )
    monkeypatch.setattr(evaluate, "play", lambda *_: [0.0])
    for asked in (None, 0.0):
        args = evaluate.Args(str(run), episodes=1, sticky_actions=asked)
        assert evaluate.evaluate(args)["sticky_actions"] == built[-1]
    assert built == [0.5, 0.0]


@pytest.mark.parametrize("joins", [True, False])
def test_an_agent_is_evaluated_with_the_frames_of_its_training(joins, tmp_path, monkeypatch):
    run = tmp_path / "run"
    sizes = ["--total-timesteps", "16", "--num-envs", "1", "--eval-every", "0"]
    ppo = ["--ppo.n-steps", "16", "--ppo.batch-size", "16", "--ppo.n-epochs", "1"]
    asked = ["--join-frames", "True"] if joins else []
    flags = ["--model", "pong", *asked, *sizes, *ppo, "--out", str(run)]
    train_ppo.train(ppo_settings.parse_args(flags))
    settings = json.loads((run / "config.json").read_text())
    assert settings["join_frames"] == joins
    monkeypatch.setattr(evaluate, "play", lambda *_: [0.0])
    assert evaluate.evaluate(evaluate.Args(str(run), episodes=1))["join_frames"] == joins
    with pytest.raises(SpriteObsError, match="--display and --join-frames of its training"):
        evaluate.evaluate(evaluate.Args(str(run), episodes=1, join_frames=not joins))
    if not joins:  # settings of a training that could not join frames
        del settings["join_frames"]
        (run / "config.json").write_text(json.dumps(settings))
        assert evaluate.evaluate(evaluate.Args(str(run), episodes=1))["join_frames"] is False


def test_the_evaluations_of_the_benchmark_are_what_their_names_say():
    read = {}
    for kind in agents_runs.KINDS:
        flags = agents_runs.evaluation_flags(Path("run"), 3, kind)
        read[kind] = evaluate.tyro.cli(evaluate.Args, args=flags)
    assert all(args.episodes == 3 and args.seed == 10_000 for args in read.values())
    asked = {kind: (args.deterministic, args.sticky_actions) for kind, args in read.items()}
    assert asked == {
        "deterministic": (True, 0.25),
        "drawn": (False, 0.25),
        "unsticky": (False, 0.0),
    }
