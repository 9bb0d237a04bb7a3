"""The arms that `agents.py` compares: what their agents see, and how they are trained."""

import sys
from typing import Literal, NamedTuple

from measure import ROOT

sys.path.insert(0, str(ROOT / "agents"))

from environments import Obs
from ppo_settings import Preset


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


ARMS = {
    "objects": Arm("objects"),
    "objects_no_bonus": Arm("objects", bonus=False),
    "objects_dqn": Arm("objects", "dqn"),
    "sprites": Arm("sprites"),
    "pixels": Arm("pixels"),
    "ram": Arm("ram"),
}
"""By their names; `objects_no_bonus` is PPO without the bonus for visits."""


def flags_of_arm(
    name: str, game: str, preset: Preset, max_sprites: int, steps: int, seed: int
) -> list[str]:
    """Returns the flags with which an arm's script trains one of its agents, but the folder."""
    arm = ARMS[name]
    flags: list[object] = ["--env", f"ALE/{game}-v5", "--obs", arm.obs]
    flags += ["--max-sprites", max_sprites, "--seed", seed]
    flags += ["--model", game] if arm.needs_model else []
    flags += ["--preset", preset] if arm.has_presets else []
    flags += [] if arm.bonus else [f"--{arm.algorithm}.visit-bonus", 0]
    flags += ["--total-timesteps", steps, "--eval-every", 0]
    return [str(flag) for flag in flags]
