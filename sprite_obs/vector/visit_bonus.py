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
        visits: `(T + 1, CELLS, CELLS)` int64 for T types, rows from top to bottom; counted on in
            place. Keep them to go on with them.
    """

    def __init__(self, venv: VecEnv, weight: float, visits: np.ndarray | None = None):
        """Begins to count.

        Args:
            venv: vector environments that observe slots, as a dictionary.
            weight: the bonus for the first visit of a cell, in units of the reward.
            visits: counts to go on with, `visits` of another one.

        Raises:
            ValueError: when the environments observe no slots, or the counts are of others.
        """
        super().__init__(venv)
        space = venv.observation_space
        if not isinstance(space, spaces.Dict) or not {"type", "position"} <= space.keys():
            raise ValueError(
                f"expected environments that observe slots, got observations {space}; put "
                "VecVisitBonus around sprite environments without flatten"
            )
        kinds, positions = space["type"], space["position"]
        assert isinstance(kinds, spaces.Box) and isinstance(positions, spaces.Box)
        shape = int(kinds.high.max()) + 1, CELLS, CELLS
        self.visits = np.zeros(shape, np.int64) if visits is None else visits
        if self.visits.shape != shape:
            raise ValueError(
                f"expected counts {shape} of visits to cells, got {self.visits.shape} of another "
                "model; leave visits out to begin anew"
            )
        self._weight = weight
        self._cell_size = positions.high[0] / CELLS  # (2,)
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
        columns, rows = np.minimum(seen["position"] / self._cell_size, CELLS - 1).astype(int).T
        cells = (seen["type"] * CELLS + rows.T) * CELLS + columns.T  # (B, M)
        return np.where(seen["presence"], cells, -1)

    def _bonus(self, cells: np.ndarray, entered: np.ndarray) -> np.ndarray:
        """Counts the visits and returns the bonus of each environment, `(B,)` float32."""
        np.add.at(self.visits.reshape(-1), cells[entered], 1)
        counts = self.visits.reshape(-1)[np.where(entered, cells, 0)]
        weights = np.where(entered, self._weight / np.maximum(counts, 1), 0)
        return weights.sum(1).astype(np.float32)
