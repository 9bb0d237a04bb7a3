"""What the trainings of all algorithms share: environments, the run's folder, learning, the end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from callbacks import ProgressLines, mean_return
from environments import build_vec_env
from episodes import EpisodeLog
from run_settings import RunArgs, run_name
from runs import (
    AGENT,
    CONFIG,
    EPISODES,
    INTERRUPTED,
    RESULT,
    VISITS,
    make_folder,
    save_agent,
    write_json,
)
from sight import fits
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, ProgressBarCallback
from stable_baselines3.common.logger import Logger, make_output_format
from stable_baselines3.common.vec_env import VecEnv, unwrap_vec_wrapper

from sprite_obs.config import to_dict
from sprite_obs.errors import SpriteObsError
from sprite_obs.vector.visit_bonus import VecVisitBonus


def build_envs(args: RunArgs, num_envs: int, seed: int) -> VecEnv:
    """Builds environments as the run's settings say."""
    content = args.env, args.obs, args.model, args.max_sprites
    return build_vec_env(
        *content,
        num_envs,
        seed,
        display=args.display,
        sticky_actions=args.sticky_actions,
        join_frames=bool(args.join_frames),
    )


def evaluation_env(args: RunArgs) -> VecEnv | None:
    """Returns an environment to evaluate in while training, None if that is not asked for."""
    if not args.eval_every:
        return None
    return build_envs(args, 1, args.seed + args.num_envs)  # not one of the training's seeds


def check_fits(agent: BaseAlgorithm, env: VecEnv, args: RunArgs) -> None:
    """Refuses to go on with an agent in environments that are not those of its training.

    Raises:
        SpriteObsError: when observations or actions differ, as with a model made anew.
    """
    if not fits(agent, env):
        raise SpriteObsError(
            f"the agent was trained on other observations or actions than those of {args.env} with "
            f"model {args.model}; bring that model back, or train anew"
        )


def begin_run(args: RunArgs) -> Path:
    """Makes the folder of a new run, writes its settings there and says where it is.

    Raises:
        SpriteObsError: when it holds an agent, whole or not.
    """
    out = Path(args.out or Path("runs", run_name(args)))
    make_folder(out)
    print(f"the run's folder is {out}", file=sys.stderr)
    write_json(out / CONFIG, to_dict(args))
    return out


def learn(agent: BaseAlgorithm, args: RunArgs, out: Path, callbacks: list[BaseCallback]) -> None:
    """Trains until all steps are done, or keeps the agent when it is interrupted."""
    done = agent.num_timesteps
    env = agent.get_env()
    assert env is not None  # it was built with one
    if bonus := unwrap_vec_wrapper(env, VecVisitBonus):
        setattr(agent, VISITS, bonus.visits)  # so that whatever is kept of the agent has them
    suffix = f"-{done}" if done else ""  # what is there already is not overwritten
    formats = [make_output_format(kind, str(out), suffix) for kind in ("csv", "tensorboard")]
    agent.set_logger(Logger(str(out), formats))
    bar = ProgressBarCallback() if sys.stderr.isatty() else ProgressLines(args.total_timesteps)
    # The log comes first, for checkpoints keep the seconds that it counts.
    callbacks = [EpisodeLog(out / EPISODES), *callbacks, bar]
    started = time.monotonic()
    try:
        agent.learn(args.total_timesteps - done, callbacks, reset_num_timesteps=not done)
    except KeyboardInterrupt:
        save_agent(agent, out / INTERRUPTED)
        kept = f"interrupted after {agent.num_timesteps} steps; go on with --resume {out}"
        raise KeyboardInterrupt(kept) from None
    finally:
        close_bar(bar)
    seconds = time.monotonic() - started
    save_agent(agent, out / AGENT)
    (out / INTERRUPTED).unlink(missing_ok=True)
    write_json(out / RESULT, summary(agent, done, seconds))
    in_all = f", {agent.num_timesteps} in all" if done else ""
    done_in = f"trained {agent.num_timesteps - done} steps in {seconds:.0f} s{in_all}"
    print(f"{done_in}{mean_return(agent)}: {out / AGENT}")


def close_bar(bar: BaseCallback) -> None:
    """Ends the bar's thread; SB3 leaves it when it is interrupted, and then Python may not end."""
    if isinstance(bar, ProgressBarCallback) and hasattr(bar, "pbar"):
        bar.pbar.close()


def summary(agent: BaseAlgorithm, done: int, seconds: float) -> dict[str, Any]:
    """Returns figures of the sitting that began after `done` steps.

    `mean_return` is that of the last 100 episodes.
    """
    returns = [episode["r"] for episode in agent.ep_info_buffer or ()]
    return {
        "timesteps": agent.num_timesteps,
        "seconds": round(seconds, 1),
        "steps_per_second": round((agent.num_timesteps - done) / seconds, 1),
        "episodes": len(returns),
        "mean_return": float(np.mean(returns)) if returns else None,
    }


@contextmanager
def fail_in_one_line() -> Iterator[None]:
    """Ends the program with one line and exit code 2, or 130 when it is interrupted."""
    try:
        yield
    except (SpriteObsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "interrupted", file=sys.stderr)
        sys.exit(130)
