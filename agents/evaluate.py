"""Lets a trained agent play and reports its returns as JSON.

python agents/evaluate.py --agent runs/pong
python agents/evaluate.py --agent pong

A name is a trained agent of the project, in `agents/zoo`; its settings and scores lie beside it.

An agent's file is SB3's own and holds pickled Python objects: load only files that you trust.
"""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import tyro
from agent_zoo import find_agent
from environments import build_vec_env
from film import Film
from runs import CONFIG, find_config
from sight import Take, fits, slots_seen, taken_by
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv

from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.files import write_atomically
from sprite_obs.frames import trained


@dataclass(frozen=True)
class Args:
    """Lets a trained agent play and reports its returns as JSON."""

    agent: str
    """File of the agent, the folder of a training run, or the name of a trained agent: pong."""
    env: str | None = None
    """Id of the environment; that of the training if not given."""
    model: str | None = None
    """Folder of the checkpoint that finds the sprites, or a name of the zoo; that of the training
    if not given."""
    obs: Literal["objects", "sprites", "ram"] | None = None
    """What has a slot; as in the training if not given, objects where its settings are not there.
    Whether the agent sees slots, features of them or pixels is read off its file; of pixels, there
    is nothing to choose."""
    display: bool | None = None
    """Whether score, lives and logos have slots; as in the training if not given, yes where its
    settings are not there: these are what SpriteObservation does by itself."""
    sticky_actions: float | None = None
    """Probability that a game of Atari repeats the last action; as in the training if not given,
    and the game's own, .25, in another game or where the settings are not there."""
    join_frames: bool | None = None
    """Whether the last two frames of a step are seen; as in the training if not given, no where
    its settings are not there."""
    episodes: int = 20
    """Episodes to play."""
    num_envs: int = 1
    """Episodes that are played together, which takes less time. Drawn actions depend on how many
    they are; DQN and QR-DQN then act at random in all of them at once."""
    deterministic: bool = False
    """Play the most probable actions instead of drawing them."""
    seed: int = 0
    """Episode i is seeded with `seed + i`."""
    video: str | None = None
    """MP4 file of the first episode: the things that an agent of sprites sees and how much it
    attends to each, beside what is rebuilt from them; or what an agent of pixels or ram plays."""
    out: str | None = None
    """File for the result; it is printed in any case."""
    num_threads: int = 1
    """CPU threads of PyTorch."""


def evaluate(args: Args) -> dict[str, Any]:
    """Plays the episodes and returns the result as plain values.

    Raises:
        SpriteObsError: when agent, model and environment do not exist or do not fit together.
    """
    for flag, count in (("--episodes", args.episodes), ("--num-envs", args.num_envs)):
        if count < 1:
            raise ConfigError(f"expected {flag} of at least 1, got {count}")
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
    return {
        "agent": asked,
        "env": args.env,
        "model": args.model,
        "obs": args.obs,
        "display": args.display if slots_seen(agent.observation_space) else None,
        "sticky_actions": args.sticky_actions,
        "join_frames": args.join_frames,
        "deterministic": args.deterministic,
        "mean": float(np.mean(returns)),
        "std": float(np.std(returns)),
        "num_envs": env.num_envs,
        "returns": returns,
        "seeds": list(seeds),
    }


def load_agent(path: str) -> BaseAlgorithm:
    """Reads an agent of PPO, A2C, DQN or QR-DQN; its file says which.

    Raises:
        SpriteObsError: when the file is truncated or no agent.
    """
    try:
        return trained.load_agent(path)
    except SpriteObsError as error:
        reason = str(error.__cause__).partition("\n")[0]
        raise SpriteObsError(f"{path} is truncated or no agent ({reason}); train again") from error


def as_it_sees(agent: BaseAlgorithm, args: Args) -> Args:
    """Fills in that an agent sees pixels, which its file says; nothing has a slot then.

    Raises:
        ConfigError: when it is asked what has a slot.
    """
    if slots_seen(agent.observation_space):
        return args
    if args.obs:
        raise ConfigError(
            f"--obs says what has a slot, but {args.agent} was trained on pixels, without slots; "
            f"leave --obs {args.obs} out"
        )
    pixels: Any = "pixels"  # nothing to ask for, so --obs does not offer it
    return dataclasses.replace(args, obs=pixels)


def with_settings_of_training(args: Args) -> Args:
    """Fills in what was not given from the settings beside the agent.

    Raises:
        SpriteObsError: when neither names an environment.
    """
    config = find_config(Path(args.agent))
    env, display, sticky = args.env or config.get("env"), args.display, args.sticky_actions
    joins = args.join_frames
    if sticky is None and env == config.get("env"):  # another game may have none
        sticky = config.get("sticky_actions")
    if env is None:
        raise SpriteObsError(
            f"expected --env, for {args.agent} has no {CONFIG} of its training beside it"
        )
    return dataclasses.replace(
        args,
        env=env,
        model=args.model or config.get("model"),
        obs=args.obs or config.get("obs", "objects"),
        display=config.get("display", not config) if display is None else display,
        sticky_actions=sticky,
        join_frames=config.get("join_frames", False) if joins is None else joins,
    )


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
