"""Which runs `agents.py` may compare: those that are trained as it trains them now."""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from measure import ROOT

from sprite_obs.config import from_dict, load_yaml
from sprite_obs.errors import SpriteObsError

sys.path.insert(0, str(ROOT / "agents"))

from environments import Obs
from joined_frames import needs_joined_frames
from ppo_settings import PPO_CONFIGS, Args, PPOConfig
from runs import CONFIG, read_config

NO_BONUS = "objects_no_bonus"
"""The arm without the bonus for visits."""


def check_trained_alike(folder: Path, game: str, arm: str, preset: str, max_sprites: int) -> None:
    """Refuses a run of other hyper-parameters, slots or frames, such as one of an older version.

    Raises:
        SpriteObsError: when it is one.
    """
    if not (folder / CONFIG).exists():
        return
    file = PPO_CONFIGS / f"{'pixels' if arm == 'pixels' else preset}.yaml"
    ours = _settings_of_arm(game, arm, load_yaml(PPOConfig, file), max_sprites)
    run = from_dict(Args, read_config(folder))
    theirs: dict[str, Any] = {**vars(run), **vars(run.ppo), "join_frames": bool(run.join_frames)}
    if others := [name for name, value in ours.items() if theirs[name] != value]:
        expected, came = ({name: of[name] for name in others} for of in (ours, theirs))
        raise SpriteObsError(
            f"expected a run trained with {expected} ({arm} by {file.name}), got {came} in "
            f"{folder}; delete it to train again, or use another --folder"
        )


def _settings_of_arm(game: str, arm: str, ppo: PPOConfig, max_sprites: int) -> dict[str, Any]:
    if arm == NO_BONUS:
        ppo = replace(ppo, visit_bonus=0.0)
    slots = {} if arm == "pixels" else {"max_sprites": max_sprites}
    obs: Any = "objects" if arm == NO_BONUS else arm
    return {**vars(ppo), **slots, "join_frames": _joins_frames(game, obs)}


@cache
def _joins_frames(game: str, obs: Obs) -> bool:
    """Returns whether agents see the last two frames; the game is played once to find out."""
    return needs_joined_frames(f"ALE/{game}-v5", obs, game)
