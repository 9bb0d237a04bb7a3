"""Lets a trained agent play and reports its returns as JSON.

python agents/evaluate.py --agent runs/pong
python agents/evaluate.py --agent pong

A name is a trained agent of the project, in `agents/zoo`; its settings and scores lie beside it.

An agent's file is SB3's own and holds pickled Python objects: load only files that you trust.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from agent_zoo import find_agent
from environments import build_vec_env
from evaluation_settings import Args, as_it_sees, with_settings_of_training
from film import Film
from run_settings import check_range
from sight import Take, fits, slots_seen, taken_by
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv

from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.files import write_atomically
from sprite_obs.frames import trained


def evaluate(args: Args) -> dict[str, Any]:
    """Plays the episodes and returns the result as plain values.

    Raises:
        SpriteObsError: when agent, model and environment do not exist or do not fit together.
    """
    for name, least in (("episodes", 1), ("num_envs", 1), ("num_threads", 1), ("seed", 0)):
        check_range(name, getattr(args, name), least)
    if args.video and Path(args.video).suffix.lower() != ".mp4":
        raise ConfigError(f"expected --video with a name that ends in .mp4, got {args.video}")
    torch.set_num_threads(args.num_threads)
    asked, args = args.agent, dataclasses.replace(args, agent=str(find_agent(args.agent)))
    agent = load_agent(args.agent)
    args = with_settings_of_training(as_it_sees(agent, args))
    env = fitting_env(agent, args)
    take = taken_by(agent, env)
    film = Film(Path(args.video), agent, env, args.model) if args.video else None
    seeds = range(args.seed, args.seed + args.episodes)
    returns: list[float] = []
    while len(returns) < len(seeds):
        together = seeds[len(returns) :][: args.num_envs]
        returns += play(agent, env, take, together, args.deterministic, film)
        if film:
            film.close()
            film = None  # only the first episode
            print(f"filmed an episode: {args.video}", file=sys.stderr)
    report = {
        "agent": asked,
        "env": args.env,
        "model": args.model,
        "obs": args.obs,
        "display": args.display if slots_seen(agent.observation_space) else None,
        "sticky_actions": _sticky_actions(args, env),
        "join_frames": args.join_frames,
        "deterministic": args.deterministic,
        "mean": float(np.mean(returns)),
        "std": float(np.std(returns)),
        "num_envs": env.num_envs,
        "returns": returns,
        "seeds": list(seeds),
    }
    env.close()
    return report


def _sticky_actions(args: Args, env: VecEnv) -> float | None:
    """Returns the probability that was played with, None for games that have none."""
    if args.sticky_actions is not None:
        return args.sticky_actions
    spec = env.get_attr("spec", [0])[0]
    return spec.kwargs.get("repeat_action_probability") if spec else None


def load_agent(path: str) -> BaseAlgorithm:
    """Reads an agent of PPO, A2C, DQN or QR-DQN; its file says which.

    Raises:
        SpriteObsError: when the file is truncated or no agent.
    """
    try:
        return trained.load_agent(path)
    except SpriteObsError as error:
        if error.__cause__ is None:  # nothing is wrong with the file
            raise
        reason = str(error.__cause__).partition("\n")[0]
        raise SpriteObsError(f"{path} is truncated or no agent ({reason}); train again") from error


def fitting_env(agent: BaseAlgorithm, args: Args) -> VecEnv:
    """Builds the environment with the observation that the agent was trained on.

    Args:
        agent: the agent; its file says how many slots it sees.
        args: filled in by `as_it_sees` and `with_settings_of_training`.

    Raises:
        SpriteObsError: when there is no such environment, or the agent does not fit it.
    """
    num_slots = slots_seen(agent.observation_space)
    assert args.env and args.obs and args.display is not None  # or they were not filled in
    env = build_vec_env(
        args.env,
        args.obs,
        args.model,
        max_sprites=num_slots,
        num_envs=min(args.num_envs, args.episodes),
        seed=args.seed,
        rendered=args.video is not None,
        display=args.display,
        sticky_actions=args.sticky_actions,
        join_frames=bool(args.join_frames),
    )
    if not fits(agent, env):
        raise SpriteObsError(
            f"{args.agent} was trained on other observations or actions than those of {args.env} "
            f"with model {args.model}; use the environment, the model, --display and --join-frames "
            "of its training, and train an agent of an earlier version again"
        )
    return env


def play(
    agent: BaseAlgorithm,
    env: VecEnv,
    take: Take,
    seeds: range,
    deterministic: bool,
    film: Film | None,
) -> list[float]:
    """Plays episodes together, one in each environment, and returns their scores.

    Args:
        agent: the agent.
        env: at least as many environments as there are seeds; those beyond play for nothing.
        take: turns what the environment shows into what the agent takes.
        seeds: of the episodes.
        deterministic: whether the most probable actions are played.
        film: of the first episode.
    """
    set_random_seed(seeds[0])
    env.seed(seeds[0])
    observation: Any = env.reset()
    scores: dict[int, float] = {}
    while len(scores) < len(seeds):
        action, _ = agent.predict(take(observation), deterministic=deterministic)
        if film and 0 not in scores:
            film.add(observation, action)
        observation, _, _, infos = env.step(action)
        # The Monitor's: the game's own score, no matter what ends above. Only the first episode
        # counts: those who end sooner would play more, and these are the short ones.
        for index, info in enumerate(infos[: len(seeds)]):
            if "episode" in info:
                scores.setdefault(index, float(info["episode"]["r"]))
    return [scores[index] for index in range(len(seeds))]


def main() -> None:
    """Runs the command; what the user can mend ends in one line and exit code 2."""
    args = tyro.cli(Args)
    try:
        for file in filter(None, (args.video, args.out)):  # complain before the first step
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        result = json.dumps(evaluate(args), indent=2)
        if args.out:
            write_atomically(Path(args.out), (result + "\n").encode())
        print(result)
    except (SpriteObsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
