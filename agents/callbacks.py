"""What happens while an agent learns: checkpoints, evaluations and a word on how far it is."""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
from run_settings import RunArgs
from runs import CHECKPOINTS
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CheckpointCallback, EvalCallback
from stable_baselines3.common.vec_env import VecEnv

EVALUATIONS = "evaluations.npz"
"""File of SB3's evaluations."""


class ProgressLines(BaseCallback):
    """Prints a line now and then: a bar in a log file says nothing before the end.

    The speed is that since the line before.

    Args:
        total_steps: steps after which the training ends.
    """

    NUM_LINES = 50

    def __init__(self, total_steps: int):
        super().__init__()
        self._total_steps = total_steps
        self._next, self._told_at, self._told = 0, 0, 0.0

    def _on_training_start(self) -> None:
        self._told_at, self._told = self.num_timesteps, time.monotonic()
        self._next = self._told_at + self._total_steps // self.NUM_LINES

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next:
            self._next += max(self._total_steps // self.NUM_LINES, 1)
            print(f"{self._progress()}{mean_return(self.model)}", file=sys.stderr, flush=True)
        return True

    def _progress(self) -> str:
        now = time.monotonic()
        speed = (self.num_timesteps - self._told_at) / max(now - self._told, 1e-3)
        self._told_at, self._told = self.num_timesteps, now
        return f"{self.num_timesteps} of {self._total_steps} steps, {speed:.0f} steps/s"


def mean_return(agent: BaseAlgorithm) -> str:
    """Returns what the last episodes, at most 100, returned, as the end of a sentence."""
    returns = [episode["r"] for episode in agent.ep_info_buffer or ()]
    if not returns:
        return ", no episode has ended"
    last = "one episode" if len(returns) == 1 else f"the last {len(returns)} episodes"
    return f", mean return {np.mean(returns):.1f} of {last}"


def build_callbacks(
    args: RunArgs, out: Path, evaluation_env: VecEnv | None, num_steps: int = 0
) -> list[BaseCallback]:
    """Returns the callbacks of a run; they count steps of one environment.

    Args:
        args: settings of the run.
        out: its folder.
        evaluation_env: where the agent is evaluated, if it is.
        num_steps: steps that a resumed run goes on from.
    """
    callbacks: list[BaseCallback] = []
    if args.checkpoint_every:
        every = max(args.checkpoint_every // args.num_envs, 1)
        callbacks.append(CheckpointCallback(every, str(out / CHECKPOINTS), name_prefix="agent"))
    if evaluation_env:
        evaluation = _evaluation(args, out, evaluation_env)
        if num_steps and (out / EVALUATIONS).exists():
            _go_on(evaluation, out / EVALUATIONS, num_steps)
        callbacks.append(evaluation)
    return callbacks


def _evaluation(args: RunArgs, out: Path, env: VecEnv) -> EvalCallback:
    # The bonus is there to learn from: returns are the game's own with and without it.
    warnings.filterwarnings("ignore", "Training and eval env are not of the same type")
    return EvalCallback(
        env,
        eval_freq=max(args.eval_every // args.num_envs, 1),
        n_eval_episodes=args.eval_episodes,
        log_path=str(out),
        best_model_save_path=str(out),
    )


def _go_on(evaluation: EvalCallback, file: Path, num_steps: int) -> None:
    """Keeps the evaluations of before, which SB3 would overwrite, and what the best model returned.

    What was evaluated beyond the steps that the run goes on from will be evaluated again.
    """
    with np.load(file) as before:
        kept = before["timesteps"] <= num_steps
        evaluation.evaluations_timesteps = before["timesteps"][kept].tolist()
        evaluation.evaluations_results = before["results"][kept].tolist()
        evaluation.evaluations_length = before["ep_lengths"][kept].tolist()
        evaluation.best_mean_reward = float(before["results"].mean(1).max())
