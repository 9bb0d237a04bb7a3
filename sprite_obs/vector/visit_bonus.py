"""VecVisitBonus: rewards things in places where they have rarely been, so that agents explore."""

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

CELLS = 16
"""Cells of the frame along each side; things that move cross one in a few steps."""


class VecVisitBonus(VecEnvWrapper):
    """Adds `weight / N` to the reward for each thing that enters a cell of the frame.

    N counts how often things of its type have entered this cell, in all environments, this time
    included (Kolter and Ng 2009, near-Bayesian exploration, with cells of things for states). A
    game whose points are too far away for chance is so explored place by place, and the bonus
    fades where everything has been seen. What stands still earns nothing, nor what an episode
    begins or ends with; what blinks enters its cell each time that it is back. Visits of one step
    are counted together: all of them get the N of the last.

    Put a `Monitor` or `VecMonitor` below it, as `make_sb3_sprite_vec_env` does, and the returns
    that SB3 reports are the game's own.

    Example:
        >>> import sprite_obs
        >>> venv = sprite_obs.make_sb3_sprite_vec_env("ALE/Freeway-v5", "freeway", num_envs=8)
        >>> venv = sprite_obs.VecVisitBonus(venv, weight=0.3)

    Attributes:
        visits: `(T + 1, CELLS, CELLS)` int64, T the last type that has slots, rows from top to
            bottom; counted on in place. Keep them, and give them to another one to go on.
    """

    def __init__(self, venv: VecEnv, weight: float, visits: np.ndarray | None = None):
        """Begins to count.

        Args:
            venv: vector environments that observe slots, as a dictionary.
            weight: the bonus for the first visit of a cell, in units of the reward.
            visits: counts to go on with, `visits` of another one; they are copied.

        Raises:
            TypeError: when `venv` is none of SB3's vector environments.
            ValueError: when the environments observe no slots, the weight is no bonus, or the
                counts are of others.
        """
        if not isinstance(venv, VecEnv):
            raise TypeError(
                f"VecVisitBonus expects a VecEnv of Stable-Baselines3, got {type(venv).__name__}; "
                "make_sb3_sprite_vec_env builds one"
            )
        if not 0 <= weight < np.inf:
            raise ValueError(f"expected a finite weight of at least 0, got {weight}")
        super().__init__(venv)
        highest = _highest(venv.observation_space)
        shape = int(highest["type"].max()) + 1, CELLS, CELLS
        counts = np.zeros(shape, np.int64) if visits is None else visits
        if counts.shape != shape:
            raise ValueError(
                f"expected counts {shape} of visits to cells, got {counts.shape} of another "
                "model or of other slots; leave visits out to begin anew"
            )
        self.visits = np.array(counts, np.int64, order="C")
        self._weight = weight
        self._cell_size = highest["position"][0] / CELLS  # (2,)
        self._cells = np.zeros((0, 0), np.int64)

    def reset(self) -> Any:
        """Resets the environments."""
        seen: Any = self.venv.reset()
        self._cells = self._cells_of(seen)
        return seen

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Waits for the step and adds the bonus to its rewards, `(B,)` float32."""
        seen, rewards, dones, infos = self.venv.step_wait()
        cells = self._cells_of(seen)
        entered = (cells != self._cells) & (cells >= 0) & ~dones[:, None]  # (B, M)
        self._cells = cells
        return seen, rewards + self._bonus(cells, entered), dones, infos

    def _cells_of(self, seen: Any) -> np.ndarray:
        """Returns the cell of each slot, an index of the flat counts; -1 for empty slots."""
        places = np.minimum(seen["position"] / self._cell_size, CELLS - 1).astype(int)  # (B, M, 2)
        cells = (seen["type"] * CELLS + places[..., 1]) * CELLS + places[..., 0]  # (B, M)
        return np.where(seen["presence"], cells, -1)

    def _bonus(self, cells: np.ndarray, entered: np.ndarray) -> np.ndarray:
        """Counts the visits and returns the bonus of each environment, `(B,)` float32."""
        np.add.at(self.visits.reshape(-1), cells[entered], 1)
        counts = self.visits.reshape(-1)[np.where(entered, cells, 0)]
        weights = np.where(entered, self._weight / np.maximum(counts, 1), 0)
        return weights.sum(1).astype(np.float32)


def _highest(space: spaces.Space[Any]) -> dict[str, np.ndarray]:
    """Returns the largest values of the keys that places are made of.

    Raises:
        ValueError: when it is no space of slots.
    """
    keys = ("type", "position", "presence")
    found = space.spaces if isinstance(space, spaces.Dict) else {}
    boxes = {key: box.high for key in keys if isinstance(box := found.get(key), spaces.Box)}
    if len(boxes) < len(keys):
        raise ValueError(
            f"expected environments that observe slots, got observations {space}; put "
            "VecVisitBonus around sprite environments without flatten"
        )
    return boxes
