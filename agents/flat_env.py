"""VecFlatFeatures: the features of slots as one vector, for agents that take nothing else."""

from typing import Any

import numpy as np
from sight import flat_view
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper


class VecFlatFeatures(VecEnvWrapper):
    """Shows the features of slots, as ``flatten=True`` does, above what needs the slots themselves.

    Args:
        venv: environments that observe slots.
    """

    def __init__(self, venv: VecEnv):
        self._flat = flat_view(venv.observation_space)
        super().__init__(venv, observation_space=self._flat.space)

    def reset(self) -> np.ndarray:
        """Resets the environments."""
        return self._flattened(self.venv.reset())

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Waits for the step; last observations of episodes are flat, too."""
        slots, rewards, dones, infos = self.venv.step_wait()
        infos = [dict(info) for info in infos]
        for env in np.flatnonzero(dones):
            last = infos[env]["terminal_observation"]
            one = {key: array[None] for key, array in last.items()}
            infos[env]["terminal_observation"] = self._flattened(one)[0]
        return self._flattened(slots), rewards, dones, infos

    def _flattened(self, slots: Any) -> np.ndarray:
        keys = ("type", "presence", "position", "velocity")
        return self._flat.flatten(*(slots[key] for key in keys))
