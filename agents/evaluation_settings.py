"""The settings of an evaluation: what the user asks for, and what the training says of the rest."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runs import CONFIG, find_config
from sight import slots_seen
from stable_baselines3.common.base_class import BaseAlgorithm

from sprite_obs.envs.last_two_frames import frames_per_step
from sprite_obs.envs.make import make_env
from sprite_obs.errors import ConfigError, SpriteObsError


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
    its settings are not there or a step of another game has one frame."""
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
        join_frames=_joins_frames(config, env) if args.join_frames is None else args.join_frames,
    )


def _joins_frames(config: dict[str, Any], env_id: str) -> bool:
    """Returns whether frames are joined as in the training, where the game has several per step."""
    if not config.get("join_frames") or env_id == config["env"]:
        return bool(config.get("join_frames"))
    with make_env(env_id) as env:
        frames = frames_per_step(env)
    return frames is not None
