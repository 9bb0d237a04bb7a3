"""What pictures of OCAtari's objects showed: displays that it lacks, boxes that it misplaces."""

import numpy as np

DISPLAYS: dict[str, list[tuple[int, int, int, int]]] = {
    "Assault": [(0, 0, 160, 14), (0, 190, 160, 20)],
    "Asterix": [(0, 166, 160, 44)],
    "Atlantis": [(0, 186, 160, 24)],
    "Berzerk": [(0, 181, 160, 29)],
    "Bowling": [(0, 0, 160, 45)],
    "Boxing": [(0, 0, 160, 28), (0, 188, 160, 22)],
    "Breakout": [(0, 0, 160, 17)],
    "Carnival": [(0, 0, 160, 13), (0, 198, 160, 16)],
    "DemonAttack": [(0, 0, 160, 20), (0, 187, 160, 23)],
    "Enduro": [(0, 155, 160, 55)],
    "FishingDerby": [(0, 0, 160, 18), (0, 189, 160, 21)],
    "Freeway": [(0, 0, 160, 14), (0, 195, 160, 15)],
    "Frostbite": [(0, 0, 160, 32), (0, 188, 160, 22)],
    "Kangaroo": [(0, 180, 160, 30)],
    "MsPacman": [(0, 172, 160, 38)],
    "Pong": [(0, 0, 160, 24)],
    "Qbert": [(0, 0, 160, 30)],
    "Riverraid": [(0, 162, 160, 48)],
    "Seaquest": [(0, 0, 160, 32), (0, 170, 160, 40)],
    "Skiing": [(0, 0, 160, 28), (0, 184, 160, 26)],
    "SpaceInvaders": [(0, 0, 160, 22)],
    "Tennis": [(0, 0, 160, 14), (0, 190, 160, 20)],
}
"""Areas with score, lives, time and logos: left, top, width, height in pixels."""

MISPLACED: dict[str, set[str]] = {
    "Assault": {"EnemyMissile", "PlayerMissileHorizontal"},
    "Atlantis": {"Deathray"},
    "Carnival": {"PlayerMissile"},
    "DemonAttack": {"EnemyMissile", "EnemyPart"},
    "Enduro": {"Car"},
    "FishingDerby": {"PlayerOneHook", "PlayerTwoHook"},
    "Qbert": {"Coily"},
    "Riverraid": {"House", "Tanker"},
}
"""Categories whose boxes are mostly beside their objects, or far larger."""


def display_rects(game: str) -> np.ndarray:
    """Returns the areas of a game's display, `(R, 4)` int16."""
    return np.array(DISPLAYS.get(game, []), np.int16).reshape(-1, 4)


def are_placed(game: str, category: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Returns `(M,)` bool, whether boxes of these categories can be trusted.

    Args:
        game: its name, as in `ALE/<game>-v5`.
        category: `(M,)` integers, indices into `names`.
        names: `(C,)` text.
    """
    return ~np.isin(names, list(MISPLACED.get(game, ())))[category]


def on_display(box: np.ndarray, rects: np.ndarray) -> np.ndarray:
    """Returns `(M,)` bool, whether at least half of a box lies in one of the areas.

    Args:
        box: `(M, 4)` integers, left, top, width, height.
        rects: `(R, 4)` integers, likewise.
    """
    corner, far = box[:, None, :2], box[:, None, :2] + box[:, None, 2:]
    overlap = np.minimum(far, rects[:, :2] + rects[:, 2:]) - np.maximum(corner, rects[:, :2])
    common = overlap.clip(0).prod(axis=2)  # (M, R)
    return (2 * common >= box[:, 2:].prod(axis=1)[:, None]).any(axis=1)
