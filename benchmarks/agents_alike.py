"""Which runs `agents.py` may compare: those that are trained as it trains them now."""

from functools import cache
from pathlib import Path
from typing import Any

from agents_arms import ARMS, Arm, Preset  # finds those of `agents/`, so it comes first
from algorithms import ALGORITHMS
from environments import Obs
from joined_frames import needs_joined_frames
from runs import CONFIG, config_to_resume

from sprite_obs.config import load_yaml
from sprite_obs.errors import SpriteObsError


def check_trained_alike(
    folder: Path, game: str, name: str, preset: Preset, max_sprites: int
) -> None:
    """Refuses a run of other hyper-parameters, slots or frames, such as one of an older version.

    Raises:
        SpriteObsError: when it is one.
    """
    if not (folder / CONFIG).exists():
        return
    arm = ARMS[name]
    ours = settings_of_arm(arm, game, preset, max_sprites)
    theirs = settings_of_run(folder, arm)
    if others := [setting for setting, value in ours.items() if theirs[setting] != value]:
        expected, came = ({setting: of[setting] for setting in others} for of in (ours, theirs))
        raise SpriteObsError(
            f"expected a run trained with {expected} ({name} by {arm.config_file(preset).name}), "
            f"got {came} in {folder}; delete it to train again, or use another --folder"
        )


def settings_of_arm(arm: Arm, game: str, preset: Preset, max_sprites: int) -> dict[str, Any]:
    """Returns the settings that all runs of an arm must have."""
    hyper_parameters = ALGORITHMS[arm.algorithm].hyper_parameters
    values = vars(load_yaml(hyper_parameters, arm.config_file(preset)))
    bonus = {} if arm.bonus else {"visit_bonus": 0.0}
    slots = {} if arm.obs == "pixels" else {"max_sprites": max_sprites}
    return {**values, **bonus, **slots, "join_frames": _joins_frames(game, arm.obs)}


def settings_of_run(folder: Path, arm: Arm) -> dict[str, Any]:
    """Returns the same of a run, and more.

    Raises:
        SpriteObsError: when they are no settings of a run of the arm's algorithm.
    """
    config = config_to_resume(folder, arm.algorithm)
    run, hyper_parameters = ALGORITHMS[arm.algorithm].read_settings(config)
    return {**vars(run), **vars(hyper_parameters), "join_frames": bool(run.join_frames)}


@cache
def _joins_frames(game: str, obs: Obs) -> bool:
    """Returns whether agents see the last two frames; the game is played once to find out."""
    return needs_joined_frames(f"ALE/{game}-v5", obs, game)
