"""Says what features of slots are worth to an agent: each arm lacks something or has it otherwise.

python benchmarks/agent_ablations.py --arms pairs,pairs_alone,deep_set,deep_set_shuffled

Every arm is trained by PPO as `agents/train_ppo.py` does it, on the same environments and seeds:

* `pairs`: the features of all slots and what lies between each two of the first ones;
* `pairs_alone`: only what lies between them, so that nothing says where a thing is on the screen;
* `deep_set`, `attention`: features of the set of things;
* `<arm>_shuffled`: in each step, the things stand in the first slots in an order drawn at random.

A run that is complete is not repeated, unless its hyper-parameters are others.
"""

import hashlib
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import tyro
from gymnasium import spaces
from measure import ROOT, markdown_table, number, run_benchmark
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from torch import Tensor

from sprite_obs.config import load_yaml, to_dict
from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.extractors.attention import AttentionExtractor
from sprite_obs.extractors.deep_set import DeepSetExtractor
from sprite_obs.extractors.pairs import SpriteExtractor

sys.path.insert(0, str(ROOT / "agents"))

import ppo_settings
import train_ppo
from episodes import EpisodeLog

PARTS = 4
"""Points of a run at which its return is told, at equal distances."""
LAST = 20
"""Episodes before such a point over which the return is a mean."""
HEADER = ("game", "features", "slots", "seed", *(f"{part}/{PARTS}" for part in range(1, PARTS + 1)))


@dataclass(frozen=True)
class Args:
    """Trains agents on features that lack something, and compares their returns."""

    game: str = "Pong"
    """The game; it needs a model in the zoo."""
    arms: str = "pairs,pairs_alone,pairs_shuffled,deep_set,deep_set_shuffled"
    """Arms, separated by commas."""
    steps: int = 100_000
    """Environment steps of a run, four frames each."""
    seeds: int = 1
    """Runs of each arm, with seeds from 0."""
    join_frames: bool = False
    """Whether the agents see the last two frames of a step."""
    config: Path = ppo_settings.PPO_CONFIGS / "fast.yaml"
    """Hyper-parameters of all runs."""
    folder: Path = ROOT / "runs" / "ablations"
    """Folder of the runs."""
    out: Path | None = None
    """Markdown file for the table; it is printed in any case."""


class PairsAlone(SpriteExtractor):
    """What lies between things, without the things themselves."""

    def __init__(self, observation_space: spaces.Space):
        super().__init__(observation_space)
        self._features_dim = 6 * len(self.first)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Returns `(B, features_dim)` float32 features of a batch of observations."""
        return super().forward(observations)[:, -self.features_dim :]


class ShuffledSlots(VecEnvWrapper):
    """Puts the things of each observation into the first slots, in an order drawn at random.

    The space still says whose each slot was, for ranks of types are read off it.

    Args:
        venv: environments that observe slots.
        seed: of the order.
    """

    def __init__(self, venv: VecEnv, seed: int):
        super().__init__(venv)
        self._random = np.random.default_rng(seed)

    def reset(self) -> Any:
        """Resets the environments."""
        return self._shuffled(self.venv.reset())

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Waits for the step."""
        seen, rewards, dones, infos = self.venv.step_wait()
        for env in np.flatnonzero(dones):
            last = {key: array[None] for key, array in infos[env]["terminal_observation"].items()}
            last = {key: array[0] for key, array in self._shuffled(last).items()}
            infos[env]["terminal_observation"] = last
        return self._shuffled(seen), rewards, dones, infos

    def _shuffled(self, seen: Any) -> dict[str, np.ndarray]:
        rows = np.arange(len(seen["presence"]))[:, None]
        order = (self._random.random(seen["presence"].shape) - seen["presence"]).argsort(
            1
        )  # (B, M)
        return {key: array[rows, order] for key, array in seen.items()}


class Arm(NamedTuple):
    """What an agent gets: features, of slots that are stable or shuffled."""

    features: str
    extractor: type[BaseFeaturesExtractor]
    shuffled: bool = False


STABLE = {
    "pairs": Arm("slots and pairs", SpriteExtractor),
    "pairs_alone": Arm("pairs alone", PairsAlone),
    "deep_set": Arm("deep set", DeepSetExtractor),
    "attention": Arm("attention", AttentionExtractor),
}
ARMS = STABLE | {f"{name}_shuffled": arm._replace(shuffled=True) for name, arm in STABLE.items()}


def measure(args: Args) -> str:
    """Trains what is missing and returns the table.

    Raises:
        SpriteObsError: when a setting cannot be used.
    """
    names = args.arms.split(",")
    if unknown := set(names) - set(ARMS):
        raise ConfigError(f"expected --arms of {', '.join(ARMS)}, got {unknown.pop()!r}")
    if min(args.steps, args.seeds) < 1:
        raise ConfigError("expected --steps and --seeds of at least 1; raise them")
    rows = [row(args, name, seed) for name in names for seed in range(args.seeds)]
    return markdown_table(HEADER, rows)


def row(args: Args, name: str, seed: int) -> list[str]:
    """Returns the row of a run; trains it if it is not there."""
    arm, file = ARMS[name], run_file(args, name, seed)
    if not file.exists():
        train(args, arm, seed, file)
    lines = file.read_text().splitlines()[1:]
    if not lines:
        raise SpriteObsError(f"no episode ended in {args.steps} steps; use more --steps")
    steps, _, returns, _ = np.loadtxt(lines, delimiter=",", ndmin=2).T
    points = [int((steps <= args.steps * part / PARTS).sum()) for part in range(1, PARTS + 1)]
    means = [returns[max(end - LAST, 0) : end].mean() if end else np.nan for end in points]
    slots = "shuffled" if arm.shuffled else "stable"
    return [args.game, arm.features, slots, str(seed), *(number(mean, 1) for mean in means)]


def run_file(args: Args, name: str, seed: int) -> Path:
    """Returns the file of a run's episodes; other hyper-parameters have another one."""
    values = json.dumps(to_dict(load_yaml(ppo_settings.PPOConfig, args.config)), sort_keys=True)
    settings = f"{args.config.stem}_{hashlib.sha256(values.encode()).hexdigest()[:8]}"
    joined = "-joined" if args.join_frames else ""
    return args.folder / f"{args.game}-{name}{joined}-{settings}-{args.steps}-{seed}.csv"


def train(args: Args, arm: Arm, seed: int, file: Path) -> None:
    """Trains an agent and writes its episodes, when all are there, into a CSV file."""
    torch.set_num_threads(1)
    ppo = load_yaml(ppo_settings.PPOConfig, args.config)
    settings = ppo_settings.Args(f"ALE/{args.game}-v5", model=args.game, seed=seed, ppo=ppo)
    settings = replace(settings, join_frames=args.join_frames)
    env = train_ppo.build_envs(settings, settings.num_envs, seed)
    env = train_ppo.with_bonus(env, settings)
    if arm.shuffled:
        env = ShuffledSlots(env, seed)
    device = torch.device("cpu")
    policy = {"features_extractor_class": arm.extractor, "features_extractor_kwargs": {}}
    agent = train_ppo.build_agent(env, settings, device, **policy)
    partial = file.with_suffix(".partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.unlink(missing_ok=True)
    agent.learn(args.steps, EpisodeLog(partial))
    env.close()
    partial.replace(file)


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: measure(args), args.out)
