"""Which game an environment's id stands for."""

import re


def game_name(env_id: str) -> str:
    """Returns the game that an environment id stands for, in lower case.

    Namespace, version and the Atari suffixes are left out: ``ALE/Pong-v5``, ``PongNoFrameskip-v4``
    and ``SpriteObs/Pong-v5`` are all the game ``pong``.
    """
    name = env_id.rpartition("/")[2]
    return re.sub(r"(-ram)?(NoFrameskip|Deterministic)?(-v\d+)?$", "", name).lower()
