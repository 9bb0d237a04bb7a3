"""What happens while an agent learns: checkpoints and evaluations."""

import warnings
from pathlib import Path

import numpy as np
from run_settings import Args
from runs import CHECKPOINTS
from stable_baselines3.common.callbacks import BaseCallback, CheckpointCallback, EvalCallback
from stable_baselines3.common.vec_env import VecEnv

EVALUATIONS = "evaluations.npz"
"""File of SB3's evaluations."""


def build_callbacks(
    args: Args, out: Path, evaluation_env: VecEnv | None, num_steps: int = 0
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


def _evaluation(args: Args, out: Path, env: VecEnv) -> EvalCallback:
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
