"""Which runs `agents.py` may compare: those of its hyper-parameters that see the same frames."""

import sys
from dataclasses import replace
from pathlib import Path

from measure import ROOT

from sprite_obs.config import from_dict, load_yaml
from sprite_obs.errors import SpriteObsError

sys.path.insert(0, str(ROOT / "agents"))

from run_settings import CONFIGS, Args, PPOConfig
from runs import CONFIG, read_config

NO_BONUS = "objects_no_bonus"
"""The arm without the bonus for visits."""


def check_trained_alike(preset: str, arm: str, folder: Path) -> None:
    """Refuses a run of other hyper-parameters, such as those of an older preset.

    Raises:
        SpriteObsError: when it is one.
    """
    if not (folder / CONFIG).exists():
        return
    file = CONFIGS / f"{'pixels' if arm == 'pixels' else preset}.yaml"
    ours = load_yaml(PPOConfig, file)
    if arm == NO_BONUS:
        ours = replace(ours, visit_bonus=0.0)
    theirs = vars(from_dict(Args, read_config(folder)).ppo)
    if others := [name for name, value in vars(ours).items() if theirs[name] != value]:
        expected, came = ({name: of[name] for name in others} for of in (vars(ours), theirs))
        raise SpriteObsError(
            f"expected a run trained with {expected} ({arm} by {file.name}), got {came} in "
            f"{folder}; delete it to train again, or use another --folder"
        )


def check_seen_alike(folders: list[Path]) -> None:
    """Refuses runs of an arm some of which see the last two frames of a step, others the last one.

    Raises:
        SpriteObsError: when they do, as runs of an older version may.
    """
    configs = {folder: read_config(folder) for folder in folders if (folder / CONFIG).exists()}
    joins = {folder: bool(config.get("join_frames")) for folder, config in configs.items()}
    if len(set(joins.values())) > 1:
        each = ", ".join(f"{folder.name}: {value}" for folder, value in joins.items())
        raise SpriteObsError(
            f"expected runs that see the same frames, got join_frames of {each}; delete those that "
            "differ to train them again, or use another --folder"
        )
