"""Trains a PPO agent on sprites or, for comparison, on pixels.

python agents/train_ppo.py --env ALE/Pong-v5 --model models/pong --total-timesteps 1000000
python agents/train_ppo.py --env ALE/Pong-v5 --obs pixels --total-timesteps 1000000

Writes into the run's folder: `config.json` (all settings), `agent.zip` (SB3), `result.json`,
`progress.csv` and TensorBoard's events, `evaluations.npz`, `best_model.zip`, `checkpoints/`.
"""

import dataclasses
import io
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import tyro
from environments import build_vec_env
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CheckpointCallback, EvalCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv

from sprite_obs.config import load_yaml, to_dict
from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.extractors.pairs import SpriteExtractor
from sprite_obs.files import write_atomically
from sprite_obs.frozen import choose_device
from sprite_obs.games import game_name

CONFIGS = Path(__file__).parent.parent / "configs" / "ppo"
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}


@dataclass(frozen=True)
class PPOConfig:
    """Hyper-parameters, named and preset as in Stable-Baselines3."""

    learning_rate: float = 3e-4
    """Adam's step size at the start."""
    final_rate: float = 1.0
    """Share of `learning_rate` at the end; linear in between."""
    n_steps: int = 2048
    """Steps of each environment between two updates."""
    batch_size: int = 64
    """Steps per gradient step."""
    n_epochs: int = 10
    """Passes over the steps of an update."""
    gamma: float = 0.99
    """Discount."""
    gae_lambda: float = 0.95
    """Bias against variance of the advantages."""
    clip_range: float = 0.2
    """How far an update may move the policy's probabilities."""
    ent_coef: float = 0.0
    """Weight of the entropy."""
    vf_coef: float = 0.5
    """Weight of the value's loss."""
    max_grad_norm: float = 0.5
    """Longer gradients are cut to this length."""
    hidden_layers: int = 2
    """Layers of policy and value network each, after the features."""
    hidden_size: int = 64
    """Units of such a layer."""
    activation: Literal["tanh", "relu"] = "tanh"
    """What follows such a layer."""
    num_pairs_slots: int = 8
    """Slots between which the features of sprites take differences; not used with pixels."""


@dataclass(frozen=True)
class Args:
    """Trains a PPO agent on sprites or on pixels."""

    env: str = "ALE/Pong-v5"
    """Id of the environment."""
    obs: Literal["sprites", "pixels"] = "sprites"
    """What the agent sees; pixels is SB3's Atari pipeline and needs no model."""
    model: str | None = None
    """Folder of the checkpoint that finds the sprites."""
    max_sprites: int = 32
    """Slots of the observation."""
    total_timesteps: int = 1_000_000
    """Environment steps of all environments together."""
    num_envs: int = 8
    """Environments that are stepped together."""
    seed: int = 0
    """Seed of environments, initial weights and exploration."""
    out: str | None = None
    """Folder of the run; `runs/GAME-OBS-SEED-TIME` if not given."""
    config: str | None = None
    """YAML file of hyper-parameters; `configs/ppo/OBS.yaml` if not given. Flags override it."""
    eval_every: int = 100_000
    """Environment steps between two evaluations, 0 for none."""
    eval_episodes: int = 5
    """Episodes of an evaluation, played with the most probable actions."""
    checkpoint_every: int = 100_000
    """Environment steps between two checkpoints of the agent, 0 for none."""
    device: str = "cpu"
    """Where the policy is trained: cpu, fastest for sprites, or cuda or auto, for pixels."""
    num_threads: int = 1
    """CPU threads of PyTorch."""
    ppo: PPOConfig = field(default_factory=PPOConfig)


def parse_args(argv: list[str]) -> Args:
    """Reads the flags twice: to learn which file to read, then again to override what it says."""
    args = tyro.cli(Args, args=argv)
    ppo = load_yaml(PPOConfig, args.config or CONFIGS / f"{args.obs}.yaml")
    return tyro.cli(Args, args=argv, default=dataclasses.replace(args, ppo=ppo))


def train(args: Args) -> None:
    """Trains an agent and writes the run's folder.

    Raises:
        SpriteObsError: when model, environment, device, folder or a setting cannot be used.
    """
    check_counts(args)
    torch.set_num_threads(args.num_threads)
    device = choose_device(args.device)  # SB3 would silently replace one that is not there
    env = build_vec_env(args.env, args.obs, args.model, args.max_sprites, args.num_envs, args.seed)
    out = new_folder(args)
    write_json(out / "config.json", to_dict(args))
    callbacks = build_callbacks(args, out)
    agent = build_agent(env, args, device)  # seeds all random numbers, so it comes last
    agent.set_logger(configure(str(out), ["csv", "tensorboard"]))
    started = time.monotonic()
    try:
        agent.learn(args.total_timesteps, callback=callbacks, progress_bar=True)
    except KeyboardInterrupt:
        save_agent(agent, out / "interrupted.zip")
        kept = f"interrupted after {agent.num_timesteps} steps; kept {out / 'interrupted.zip'}"
        raise KeyboardInterrupt(kept) from None
    seconds = time.monotonic() - started
    save_agent(agent, out / "agent.zip")
    write_json(out / "result.json", summary(agent, seconds))
    print(f"trained {agent.num_timesteps} steps in {seconds:.0f} s: {out / 'agent.zip'}")


def check_counts(args: Args) -> None:
    """Refuses settings that leave nothing to do or to do it with."""
    for name in ("total_timesteps", "num_envs", "num_threads", "max_sprites"):
        if getattr(args, name) < 1:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(f"expected {flag} of at least 1, got {getattr(args, name)}")


def new_folder(args: Args) -> Path:
    """Makes the folder of the run."""
    name = f"{game_name(args.env)}-{args.obs}-{args.seed}-{time.strftime('%Y%m%d-%H%M%S')}"
    out = Path(args.out or Path("runs", name))
    if (out / "agent.zip").exists():
        raise SpriteObsError(f"{out} holds a trained agent already; choose another folder as --out")
    out.mkdir(parents=True, exist_ok=True)
    return out


def build_agent(env: VecEnv, args: Args, device: torch.device) -> PPO:
    """Builds SB3's PPO with the features extractor that fits the observation."""
    config = args.ppo
    policy_kwargs: dict[str, Any] = {
        "net_arch": [config.hidden_size] * config.hidden_layers,
        "activation_fn": ACTIVATIONS[config.activation],
    }
    if args.obs == "sprites":
        policy_kwargs["features_extractor_class"] = SpriteExtractor
        policy_kwargs["features_extractor_kwargs"] = {"num_pairs_slots": config.num_pairs_slots}
    return PPO(
        "MultiInputPolicy" if args.obs == "sprites" else "CnnPolicy",
        env,
        learning_rate=LinearSchedule(
            config.learning_rate, config.learning_rate * config.final_rate, end_fraction=1
        ),
        n_steps=config.n_steps,
        batch_size=config.batch_size,
        n_epochs=config.n_epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip_range,
        ent_coef=config.ent_coef,
        vf_coef=config.vf_coef,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs=policy_kwargs,
        seed=args.seed,
        device=device,
    )


def build_callbacks(args: Args, out: Path) -> list[BaseCallback]:
    """Returns what happens while the agent learns; callbacks count steps of one environment."""
    callbacks: list[BaseCallback] = []
    if args.checkpoint_every:
        every = max(args.checkpoint_every // args.num_envs, 1)
        callbacks.append(CheckpointCallback(every, str(out / "checkpoints"), name_prefix="agent"))
    if args.eval_every:
        seed = args.seed + args.num_envs  # not one of the training environments'
        env = build_vec_env(args.env, args.obs, args.model, args.max_sprites, 1, seed)
        every = max(args.eval_every // args.num_envs, 1)
        folder = str(out)
        callbacks.append(
            EvalCallback(
                env,
                eval_freq=every,
                n_eval_episodes=args.eval_episodes,
                log_path=folder,
                best_model_save_path=folder,
            )
        )
    return callbacks


def save_agent(agent: PPO, path: Path) -> None:
    """Writes SB3's zip file, whole or not at all."""
    data = io.BytesIO()
    agent.save(data)
    write_atomically(path, data.getvalue())


def summary(agent: PPO, seconds: float) -> dict[str, Any]:
    """Returns the figures of a finished run; `mean_return` is that of the last 100 episodes."""
    returns = [episode["r"] for episode in agent.ep_info_buffer or ()]
    return {
        "timesteps": agent.num_timesteps,
        "seconds": round(seconds, 1),
        "steps_per_second": round(agent.num_timesteps / seconds, 1),
        "episodes": len(returns),
        "mean_return": float(np.mean(returns)) if returns else None,
    }


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes plain values as readable JSON."""
    write_atomically(path, (json.dumps(values, indent=2) + "\n").encode())


def main() -> None:
    """Runs the command; what the user can mend ends in one line and exit code 2."""
    try:
        train(parse_args(sys.argv[1:]))
    except (SpriteObsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
