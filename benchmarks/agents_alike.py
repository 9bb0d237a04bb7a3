"""Which runs `agents.py` may compare: those that are trained as it trains them now."""

from functools import cache
from pathlib import Path
from typing import Any

from agents_arms import ARMS, flags_of_arm  # finds those of `agents/`, so it comes first
from algorithms import ALGORITHMS, algorithm_of
from environments import Obs
from joined_frames import needs_joined_frames
from ppo_settings import Preset
from runs import CONFIG, read_config

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
    ours = settings_of_arm(name, game, preset, max_sprites)
    theirs = settings_of_run(folder, name)
    if others := [setting for setting, value in ours.items() if theirs[setting] != value]:
        tuned = f"{name} by --preset {preset}" if arm.has_presets else name
        expected, came = ({setting: of[setting] for setting in others} for of in (ours, theirs))
        raise SpriteObsError(
            f"expected a run trained with {expected} ({tuned}), got {came} in {folder}; delete it "
            "to train again, or use another --folder"
        )


def settings_of_arm(name: str, game: str, preset: Preset, max_sprites: int) -> dict[str, Any]:
    """Returns the settings that all runs of an arm must have."""
    arm = ARMS[name]
    flags = flags_of_arm(name, game, preset, max_sprites, steps=1, seed=0)
    args = ALGORITHMS[arm.algorithm].parse_args(flags)
    slots = {} if arm.obs == "pixels" else {"max_sprites": max_sprites}
    hyper_parameters = vars(getattr(args, arm.algorithm))
    return {**hyper_parameters, **slots, "join_frames": _joins_frames(game, arm.obs)}


def settings_of_run(folder: Path, name: str) -> dict[str, Any]:
    """Returns the same of a run, and more.

    Raises:
        SpriteObsError: when another algorithm has trained it than the arm's.
    """
    config, algorithm = read_config(folder), ALGORITHMS[ARMS[name].algorithm]
    if algorithm_of(config) is not algorithm:
        raise SpriteObsError(
            f"expected a run of {algorithm.script} ({name}) in {folder}, got one of "
            f"{algorithm_of(config).script}; delete it to train again, or use another --folder"
        )
    run, hyper_parameters = algorithm.read_settings(config)
    return {**vars(run), **vars(hyper_parameters), "join_frames": bool(run.join_frames)}


@cache
def _joins_frames(game: str, obs: Obs) -> bool:
    """Returns whether agents see the last two frames; the game is played once to find out."""
    return needs_joined_frames(f"ALE/{game}-v5", obs, game)
