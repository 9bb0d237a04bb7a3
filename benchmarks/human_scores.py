"""What random and human players score in Atari games, to put games on one scale.

From the tables of Wang et al. (2016), "Dueling Network Architectures for Deep Reinforcement
Learning", for episodes that begin with up to 30 idle steps; DQN Zoo uses the same numbers in its
`atari_data.py`. Carnival is not among their 57 games.
"""

HUMAN_SCORES = {
    "Asterix": (210.0, 8503.3),
    "Bowling": (23.1, 160.7),
    "Boxing": (0.1, 12.1),
    "Breakout": (1.7, 30.5),
    "Freeway": (0.0, 29.6),
    "Frostbite": (65.2, 4334.7),
    "Kangaroo": (52.0, 3035.0),
    "MsPacman": (307.3, 6951.6),
    "Pong": (-20.7, 14.6),
    "Seaquest": (68.4, 42054.7),
    "SpaceInvaders": (148.0, 1668.7),
}
"""Of each game: score of a random player, score of a human."""


def human_normalised(game: str, score: float) -> float:
    """Returns a score as a share of the way from a random player, 0, to a human, 1."""
    random, human = HUMAN_SCORES[game]
    return (score - random) / (human - random)
