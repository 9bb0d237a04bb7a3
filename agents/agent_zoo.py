"""Which file a user means by an agent: one of their own, or a trained one of the project."""

import os
from pathlib import Path

from runs import AGENT

from sprite_obs.errors import SpriteObsError
from sprite_obs.games import named_game

ZOO = Path(__file__).parent / "zoo"


def agent_names() -> list[str]:
    """Returns the names of the trained agents that come with the project, sorted."""
    return sorted(file.parent.name for file in ZOO.glob(f"*/{AGENT}"))


def find_agent(agent: str | os.PathLike[str]) -> Path:
    """Returns the file of an agent; nothing is read from it.

    Args:
        agent: a file, the folder of a finished run, or else the name of a trained agent: a game
            such as ``pong``, or the id of its environment. What begins with ``./`` is no name.

    Raises:
        SpriteObsError: when it is none of them.
    """
    for path in (Path(agent), Path(agent, AGENT)):
        if path.is_file():
            return path
    name = None if os.fspath(agent).startswith("./") else named_game(agent)
    if name in agent_names():
        return ZOO / name / AGENT
    raise SpriteObsError(
        f"no agent at {agent}; train one with agents/train_ppo.py or agents/train_dqn.py, or name "
        f"a trained one: {', '.join(agent_names())}"
    )
