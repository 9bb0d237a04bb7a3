"""Whether agents see the last two frames of a step, where the user leaves it open."""

import dataclasses
import sys
from typing import TypeVar

from environments import Obs
from run_settings import RunArgs

from sprite_obs.envs.last_two_frames import frames_per_step, make_last_two_frames
from sprite_obs.envs.make import make_env
from sprite_obs.flicker_share import flicker_share
from sprite_obs.frozen import FrozenEncoder

Settings = TypeVar("Settings", bound=RunArgs)

FLICKERS = 0.05
"""A game flickers if something does in at least this share of its steps."""


def settle_join_frames(args: Settings) -> Settings:
    """Returns the settings of a run with yes or no for `join_frames`.

    Raises:
        SpriteObsError: when environment or model cannot be used.
    """
    if args.join_frames is not None:
        return args
    joins = needs_joined_frames(args.env, args.obs, args.model)
    return dataclasses.replace(args, join_frames=joins)


def needs_joined_frames(env_id: str, obs: Obs, model: str | None) -> bool:
    """Tells whether agents should see the last two frames of a step instead of the last one.

    Pixels are joined wherever the game skips frames, as in SB3's Atari pipeline. For sprites, which
    take longer to find in two frames, the game is played for a moment to see whether it flickers.

    Args:
        env_id: the game.
        obs: what the agents see.
        model: folder of the checkpoint that finds the sprites, or a name of the zoo.

    Raises:
        SpriteObsError: when environment or model cannot be used.
    """
    with make_env(env_id) as env:
        skips_frames = frames_per_step(env) is not None
    if obs == "ram" or not skips_frames:
        return False
    if obs == "pixels":
        return True
    return model is not None and _flickers(env_id, model)


def _flickers(env_id: str, model: str) -> bool:
    encoder = FrozenEncoder.load(model)
    with make_last_two_frames(env_id) as env:
        share = flicker_share(env, encoder)
    if share < FLICKERS:
        return False
    print(
        f"in {share:.0%} of the steps, things flicker that the last frame lacks: agents see the "
        "last two frames; with --join-frames False, they see the last one, and train faster",
        file=sys.stderr,
    )
    return True
