"""Plays one environment with random actions, and takes the CPU time of a step."""

import time

import gymnasium


class Player:
    """Plays an environment with random actions, run after run."""

    def __init__(self, env: gymnasium.Env, seed: int):
        self._env = env
        env.reset(seed=seed)
        env.action_space.seed(seed)

    def run(self, steps: int) -> float:
        """Plays so many steps and returns the CPU seconds that each took, resets included."""
        actions = [self._env.action_space.sample() for _ in range(steps)]
        started = time.process_time()  # not disturbed by what else the machine does
        for action in actions:
            _, _, terminated, truncated, _ = self._env.step(action)
            if terminated or truncated:
                self._env.reset()
        return (time.process_time() - started) / steps

    def close(self) -> None:
        """Closes the environment."""
        self._env.close()
