"""VectorAsVecEnv: lets Stable-Baselines3 learn from a Gymnasium vector environment."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices


class VectorAsVecEnv(VecEnv):
    """A Gymnasium vector environment as a ``VecEnv`` of Stable-Baselines3.

    Infos become one dictionary per environment. Where an episode ended, they are those of its last
    step, with ``terminal_observation`` and ``TimeLimit.truncated`` as SB3 wants them; those of the
    reset are in ``reset_infos``.

    Args:
        envs: an environment that resets in the step in which an episode ends.

    Raises:
        ValueError: when it resets at another time.

    Example:
        >>> from gymnasium.vector import AutoresetMode
        >>> from sprite_obs.vector.adapter import VectorAsVecEnv
        >>> from sprite_obs.vector.make import make_sprite_vec_env
        >>> mode = AutoresetMode.SAME_STEP
        >>> envs = make_sprite_vec_env("ALE/Pong-v5", "models/pong", 8, autoreset_mode=mode)
        >>> venv = VectorAsVecEnv(envs)
    """

    def __init__(self, envs: VectorEnv):
        mode = envs.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(
                "VectorAsVecEnv expects a vector environment with autoreset mode SAME_STEP, as "
                f"Stable-Baselines3 resets, got {mode}; pass autoreset_mode to its constructor"
            )
        self.envs = envs
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> Any:
        """Resets all environments; seeds and options are used once.

        Raises:
            ValueError: when environments were given different options.
        """
        seed, options = self._seeds[0], self._options[0] or None
        if any((each or None) != options for each in self._options):
            raise ValueError(
                "VectorAsVecEnv expects the same options for all environments, got "
                f"{self._options}; Gymnasium resets them with one"
            )
        observations, infos = self.envs.reset(seed=seed, options=options)
        self.reset_infos = _split(infos, self.num_envs)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Keeps the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Steps all environments."""
        observations, rewards, terminated, truncated, infos = self.envs.step(self._actions)
        dones = terminated | truncated
        final_obs, final_info = infos.pop("final_obs", None), infos.pop("final_info", {})
        split = _split(infos, self.num_envs)
        last = _split(final_info, self.num_envs)
        for env in np.flatnonzero(dones):
            self.reset_infos[env] = split[env]
            split[env] = {**last[env], "terminal_observation": final_obs[env]}
        for info, cut in zip(split, (truncated & ~terminated).tolist(), strict=True):
            info["TimeLimit.truncated"] = cut
        return observations, rewards.astype(np.float32), dones, split

    def close(self) -> None:
        """Closes the environments."""
        self.envs.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Returns a picture of each environment, None where they do not render."""
        if self.envs.render_mode is None:
            return [None] * self.num_envs
        pictures: Any = self.envs.render()
        return pictures

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Returns an attribute of the vector environment, once for each environment asked for."""
        return [getattr(self.envs, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refuses: there may be no object for each environment.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"VectorAsVecEnv cannot set {attr_name!r} in single environments")

    def env_method(
        self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Refuses: there may be no object for each environment.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"VectorAsVecEnv cannot call {method_name!r} of single environments")

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Returns False for each environment: what wraps single ones is not seen from here."""
        return [False] * len(list(self._get_indices(indices)))


def _split(infos: dict[str, Any], num_envs: int) -> list[dict[str, Any]]:
    """Returns the infos of each environment; without a mask, a key holds for all of them."""
    split: list[dict[str, Any]] = [{} for _ in range(num_envs)]
    for key, values in infos.items():
        if key.startswith("_"):
            continue
        mask = infos.get(f"_{key}", np.ones(num_envs, bool))
        if isinstance(values, dict):
            values = _split(values, num_envs)
        plain = values.tolist() if isinstance(values, np.ndarray) and values.ndim == 1 else values
        for env in np.flatnonzero(mask):
            split[env][key] = plain[env]
    return split
