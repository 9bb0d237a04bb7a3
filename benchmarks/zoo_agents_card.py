"""What is said about the trained agents of the project: `agents/zoo/README.md`."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from measure import ROOT, markdown_table, number

sys.path.insert(0, str(ROOT / "agents"))

from algorithms import Algorithm, algorithm_of
from run_settings import RunArgs
from runs import AGENT, read_config

HEADER = (
    "name",
    "environment",
    "sees",
    "trained by",
    "most probable actions",
    "drawn actions",
    "drawn, without sticky actions",
    "steps",
    "seed",
    "trained at",
    "size, kB",
)
ELSEWHERE = ("preset", "ppo", "dqn", "eval_every", "eval_episodes", "checkpoint_every")
"""Settings that are told as hyper-parameters, or that do not change the agent."""
LEFT_OPEN = ("join_frames",)
"""Settings that are yes, no, or what the game needs."""
INTRODUCTION = """# Trained agents

```
python agents/evaluate.py --agent pong --deterministic --video pong.mp4
```

Agents that see objects, found by a sprite model of [the zoo](../../docs/zoo.md). Scores are means
of episodes with the standard deviation behind them, frame skip 4 and, but for the last score,
sticky actions .25 as in `ALE/*-v5`, seeds from 10,000; every return is in the JSON files beside the
agent. Where the most probable actions are not asked for, PPO draws them, and DQN acts at random now
and then. Each is the best of three training runs by these scores, so that another run would score
somewhat less; [RESULTS.md](../../benchmarks/RESULTS.md#agents) has what three seeds reach. Without
sticky actions, the most probable ones would end in the same episode each time. An agent belongs to
the model that it was trained with: when that is made anew, train the agent anew. Files are those of
Stable-Baselines3, with pickled parts, without the optimiser's state."""
OUTRO = """An agent is made of the folder of a run, and the commit at which it was trained. The same
command writes this page:

```
python benchmarks/zoo_agents.py --run runs/pong --commit COMMIT
```"""


def agents_card(folder: Path) -> str:
    """Returns the page about all agents of a folder."""
    agents = sorted(file.parent for file in folder.glob(f"*/{AGENT}"))
    table = markdown_table(HEADER, [row(agent) for agent in agents])
    commands = "\n".join(command_of_agent(read_config(agent)) for agent in agents)
    trained = f"They were trained by\n\n```\n{commands}\n```"
    return "\n\n".join([INTRODUCTION, table, trained, OUTRO]) + "\n"


def row(folder: Path) -> list[str]:
    """Returns an agent's row, in the order of `HEADER`."""
    config = read_config(folder)
    return [
        f"`{folder.name}`",
        f"`{config['env']}`",
        f"{config['obs']}, model `{config['model']}`",
        trained_by(config),
        scores(folder, "deterministic"),
        scores(folder, "drawn"),
        scores(folder, "unsticky"),
        str(config["total_timesteps"]),
        str(config["seed"]),
        config["commit"],
        number((folder / AGENT).stat().st_size / 1e3, 0),
    ]


def trained_by(config: dict[str, Any]) -> str:
    """Returns how the algorithm is known that trained an agent, and what it needs."""
    algorithm = algorithm_of(config)
    _, hyper_parameters = algorithm.read_settings(config)
    if getattr(hyper_parameters, "num_quantiles", 0):
        return "QR-DQN, to be played with `sprite-obs[contrib]`"
    return algorithm.name.upper()


def scores(folder: Path, kind: str) -> str:
    """Returns mean and standard deviation of an evaluation, and of how many episodes."""
    results = [json.loads(file.read_text()) for file in folder.glob(f"{kind}-*.json")]
    if not results:
        return "-"
    result = max(results, key=lambda result: len(result["returns"]))
    mean, deviation = number(result["mean"], 1), number(result["std"], 1)
    return f"{mean} ± {deviation} ({len(result['returns'])} episodes)"


def command_of_agent(config: dict[str, Any]) -> str:
    """Returns the command that trains such an agent."""
    algorithm = algorithm_of(config)
    args, hyper_parameters = algorithm.read_settings(config)
    default = vars(algorithm.settings())
    changed = {name: value for name, value in vars(args).items() if value != default[name]}
    changed = {"env": args.env} | {name: changed[name] for name in changed if name not in ELSEWHERE}
    flags = [flag(name, value) for name, value in changed.items()]
    flags += flags_of(algorithm, vars(hyper_parameters))
    return " ".join([f"python agents/{algorithm.script}", *flags])


def flag(name: str, value: Any) -> str:
    """Returns a setting as a shell and tyro read it."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool) and name not in LEFT_OPEN:
        group, dot, last = dashed.rpartition(".")
        return f"--{dashed}" if value else f"--{group}{dot}no-{last}"
    return f"--{dashed} {shlex.quote(str(value))}"


def flags_of(algorithm: Algorithm, values: dict[str, Any]) -> list[str]:
    """Returns the flags for a run's hyper-parameters: a preset, or what is not as in the first."""
    usual = preset_of(algorithm, [])
    for name in algorithm.presets:
        named = ["--preset", name]
        if preset_of(algorithm, named) == values:
            return named
    preset = ["--preset", algorithm.presets[0]] if algorithm.presets else []
    changed = {name: value for name, value in values.items() if value != usual[name]}
    return preset + [flag(f"{algorithm.name}.{name}", value) for name, value in changed.items()]


def preset_of(algorithm: Algorithm, flags: list[str]) -> dict[str, Any]:
    """Returns the hyper-parameters that a script has with these flags."""
    args: RunArgs = algorithm.parse_args(flags)
    return vars(getattr(args, algorithm.name))
