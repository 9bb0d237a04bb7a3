"""What is said about the trained agents of the project: `agents/zoo/README.md`."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from measure import ROOT, markdown_table, number

sys.path.insert(0, str(ROOT / "agents"))

import ppo_settings
from runs import AGENT, read_config

from sprite_obs.config import from_dict

HEADER = (
    "name",
    "environment",
    "sees",
    "most probable actions",
    "drawn actions",
    "drawn, without sticky actions",
    "steps",
    "seed",
    "trained at",
    "size, kB",
)
ELSEWHERE = ("preset", "ppo", "eval_every", "eval_episodes", "checkpoint_every")
"""Settings that are told as hyper-parameters, or that do not change the agent."""
LEFT_OPEN = ("join_frames",)
"""Settings that are yes, no, or what the game needs."""
INTRODUCTION = """# Trained agents

```
python agents/evaluate.py --agent pong --deterministic --video pong.mp4
```

PPO on objects that a sprite model of [the zoo](../../docs/zoo.md) finds. Scores are means of
episodes with the standard deviation behind them, frame skip 4 and, but for the last score, sticky
actions .25 as in `ALE/*-v5`, seeds from 10,000; every return is in the JSON files beside the agent.
Each is the best of three training runs by these scores, so that another run would score somewhat
less; [RESULTS.md](../../benchmarks/RESULTS.md#agents) has what three seeds reach. Without sticky
actions, the most probable ones would end in the same episode each time. An agent belongs to the
model that it was trained with: when that is made anew, train the agent anew. Files are those of
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
    commands = "\n".join(training_command(read_config(agent)) for agent in agents)
    trained = f"They were trained by\n\n```\n{commands}\n```"
    return "\n\n".join([INTRODUCTION, table, trained, OUTRO]) + "\n"


def row(folder: Path) -> list[str]:
    """Returns an agent's row, in the order of `HEADER`."""
    config = read_config(folder)
    return [
        f"`{folder.name}`",
        f"`{config['env']}`",
        f"{config['obs']}, model `{config['model']}`",
        scores(folder, "deterministic"),
        scores(folder, "drawn"),
        scores(folder, "unsticky"),
        str(config["total_timesteps"]),
        str(config["seed"]),
        config["commit"],
        number((folder / AGENT).stat().st_size / 1e3, 0),
    ]


def scores(folder: Path, kind: str) -> str:
    """Returns mean and standard deviation of an evaluation, and of how many episodes."""
    results = [json.loads(file.read_text()) for file in folder.glob(f"{kind}-*.json")]
    if not results:
        return "-"
    result = max(results, key=lambda result: len(result["returns"]))
    mean, deviation = number(result["mean"], 1), number(result["std"], 1)
    return f"{mean} ± {deviation} ({len(result['returns'])} episodes)"


def training_command(config: dict[str, Any]) -> str:
    """Returns the command that trains such an agent."""
    known = {key: value for key, value in config.items() if key != "commit"}
    args = from_dict(ppo_settings.Args, known)
    default = vars(ppo_settings.Args())
    changed = {name: value for name, value in vars(args).items() if value != default[name]}
    changed = {"env": args.env} | {name: changed[name] for name in changed if name not in ELSEWHERE}
    flags = " ".join(flag(name, value) for name, value in changed.items())
    return f"python agents/train_ppo.py {flags} {hyper_parameters(args)}"


def flag(name: str, value: Any) -> str:
    """Returns a setting as a shell and tyro read it."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool) and name not in LEFT_OPEN:
        return f"--{dashed}" if value else f"--no-{dashed}"
    return f"--{dashed} {shlex.quote(str(value))}"


def hyper_parameters(args: ppo_settings.Args) -> str:
    """Returns the flags for a run's hyper-parameters: a preset, or what is not as in a preset."""
    presets = {name: ppo_settings.parse_args(["--preset", name]).ppo for name in ("fast", "best")}
    for name, ppo in presets.items():
        if ppo == args.ppo:
            return f"--preset {name}"
    usual = vars(presets["fast"])
    changed = {name: value for name, value in vars(args.ppo).items() if value != usual[name]}
    flags = [flag(f"ppo.{name}", value) for name, value in changed.items()]
    return " ".join(["--preset fast", *flags])
