"""The arms that `agents.py` compares: what their agents see, and how they are trained."""

import sys
from pathlib import Path
from typing import Literal, NamedTuple

from measure import ROOT

sys.path.insert(0, str(ROOT / "agents"))

from dqn_settings import DQN_CONFIGS
from environments import Obs
from ppo_settings import PPO_CONFIGS

Preset = Literal["fast", "best"]


class Arm(NamedTuple):
    """What the agents of an arm see, what trains them, and whether visits bring a bonus."""

    obs: Obs
    algorithm: Literal["ppo", "dqn"] = "ppo"
    bonus: bool = True

    @property
    def needs_model(self) -> bool:
        """Whether a sprite model finds what the agents see."""
        return self.obs in ("objects", "sprites")

    @property
    def has_presets(self) -> bool:
        """Whether its hyper-parameters are those of a preset."""
        return self.algorithm == "ppo" and self.obs != "pixels"

    def config_file(self, preset: Preset) -> Path:
        """Returns the file of its hyper-parameters."""
        if self.algorithm == "dqn":
            return DQN_CONFIGS / "fast.yaml"
        return PPO_CONFIGS / f"{preset if self.has_presets else 'pixels'}.yaml"


ARMS = {
    "objects": Arm("objects"),
    "objects_no_bonus": Arm("objects", bonus=False),
    "objects_dqn": Arm("objects", "dqn"),
    "sprites": Arm("sprites"),
    "pixels": Arm("pixels"),
    "ram": Arm("ram"),
}
"""By their names; `objects_no_bonus` is PPO without the bonus for visits."""


def training_command(
    name: str, game: str, preset: Preset, max_sprites: int, steps: int, seed: int
) -> list[str]:
    """Returns the script that trains an agent of an arm, and its flags but for the folder."""
    arm = ARMS[name]
    flags: list[object] = ["--env", f"ALE/{game}-v5", "--obs", arm.obs]
    flags += ["--max-sprites", max_sprites, "--seed", seed]
    flags += ["--model", game] if arm.needs_model else []
    flags += ["--preset", preset] if arm.has_presets else []
    flags += [] if arm.bonus else [f"--{arm.algorithm}.visit-bonus", 0]
    flags += ["--total-timesteps", steps, "--eval-every", 0]
    return [f"train_{arm.algorithm}.py", *map(str, flags)]
