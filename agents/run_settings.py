"""The settings that all trainings have: what is played, what is seen, what is written."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import Obs

from sprite_obs.errors import ConfigError
from sprite_obs.games import game_name

CONFIGS = Path(__file__).parent.parent / "configs"
ANY = math.inf
RANGES = {
    "total_timesteps": (1, ANY),
    "num_envs": (1, ANY),
    "num_threads": (1, ANY),
    "max_sprites": (1, ANY),
    "seed": (0, 2**32 - 1),
    "eval_every": (0, ANY),
    "eval_episodes": (1, ANY),
    "checkpoint_every": (0, ANY),
}
"""The least and the most that a setting of a run may be."""


@dataclass(frozen=True)
class RunArgs:
    """What all trainings have: what is played, what is seen, how long, and what is written."""

    env: str = "ALE/Pong-v5"
    """Id of the environment."""
    obs: Obs = "objects"
    """What the agent sees: a slot for each object, or for each of the sprites that objects are
    drawn from; pixels is SB3's Atari pipeline, and ram are the objects in the console's memory,
    which the others are not told; these two need no model."""
    model: str | None = None
    """Folder of the checkpoint that finds the sprites, or a name of the zoo."""
    display: bool = False
    """Whether score, lives and logos have slots, too."""
    sticky_actions: float | None = None
    """Probability that a game of Atari repeats the last action; its own, .25, if not given."""
    join_frames: bool | None = None
    """Whether the agent sees the last two frames of a step, not the last one only, which lacks what
    is drawn in every other frame, such as the bombs of SpaceInvaders. If not given: of pixels yes,
    as in SB3's pipeline, of sprites where the game is seen to do so. Not used with ram."""
    max_sprites: int = 32
    """Slots of the observation."""
    total_timesteps: int = 1_000_000
    """Environment steps of all environments together."""
    num_envs: int = 8
    """Environments that are stepped together."""
    seed: int = 0
    """Seed of environments, initial weights and exploration."""
    out: str | None = None
    """Folder of the run; `runs/GAME-OBS-SEED-TIME` if not given."""
    config: str | None = None
    """YAML file of hyper-parameters; flags override it."""
    eval_every: int = 100_000
    """Environment steps between two evaluations, 0 for none."""
    eval_episodes: int = 5
    """Episodes of an evaluation, played with the most probable actions."""
    checkpoint_every: int = 100_000
    """Environment steps between two checkpoints of the agent, 0 for none."""
    resume: str | None = None
    """Folder of an interrupted run that goes on with its own settings; other flags are ignored."""
    device: str = "cpu"
    """Where the policy is trained: cpu, fastest for sprites, or cuda or auto, for pixels."""
    num_threads: int = 1
    """CPU threads of PyTorch."""


def run_name(args: RunArgs) -> str:
    """Names a run that was not given a folder."""
    return f"{game_name(args.env)}-{args.obs}-{args.seed}-{time.strftime('%Y%m%d-%H%M%S')}"


def check_run(args: RunArgs) -> None:
    """Refuses settings that leave nothing to do or to do it with, or that make no sense.

    Raises:
        ConfigError: when there is such a setting.
    """
    check_ranges("", args, RANGES)


def check_ranges(group: str, settings: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Does that for numbers and the least and the most that they may be.

    Args:
        group: what stands before their names in flags, such as ``ppo.``.
        settings: has the numbers.
        ranges: by their names.

    Raises:
        ConfigError: likewise.
    """
    for name, (least, most) in ranges.items():
        check_range(f"{group}{name}", getattr(settings, name), least, most)


def check_range(name: str, value: float, least: float, most: float = ANY) -> None:
    """Refuses a number that a setting cannot be.

    Raises:
        ConfigError: when it is below `least`, above `most` or not finite.
    """
    if not least <= value <= most or math.isinf(value):
        flag, kind = name.replace("_", "-"), "a finite " if isinstance(value, float) else ""
        limit = "" if most == ANY else f" and at most {most}"
        raise ConfigError(f"expected {kind}--{flag} of at least {least}{limit}, got {value}")
