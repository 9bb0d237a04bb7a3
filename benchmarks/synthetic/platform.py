"""A platform game of many levels, one per frame, on a solid background (paper, section 4.1)."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from synthetic.platform_drawings import platform_drawings
from synthetic.scenes import Placement, Scenes, make_scenes

SIDE = 128
SKY = (152, 200, 232)
PROPS = ("key", "coin", "ring", "heart", "mushroom", "spikes", "door")
POSES = ("stand", "walk")
HEADROOM = 40, 48
"""Least and most pixels, exclusive, from one floor up to the next one at a ladder."""
LOWEST, HIGHEST = 114, 26
"""Where a floor's upper edge may be; the figure fits above the highest."""
NUM_STEPS = 3
ATTEMPTS = 40
DRAWINGS = platform_drawings()
NUMBER = {name: number for number, name in enumerate(DRAWINGS)}


def _size(name: str) -> tuple[int, int]:
    height, width, _ = DRAWINGS[name].shape
    return width, height


TILE, STEP, RUNG = _size("tile"), _size("step"), _size("rung")


class Sprite(NamedTuple):
    """A drawing by its name, and where its left upper corner is."""

    name: str
    left: int
    top: int


@dataclass
class Floor:
    """A row of tiles, and the stretches of it on which something stands."""

    left: int
    top: int
    num_tiles: int
    taken: list[tuple[int, int]] = field(default_factory=list)

    @property
    def right(self) -> int:
        """Where it ends, exclusive."""
        return self.left + self.num_tiles * TILE[0]

    def is_inside(self) -> bool:
        """Returns whether the frame shows all of it, and some room above."""
        return self.left >= 0 and self.right <= SIDE and self.top >= HIGHEST

    def tiles(self) -> list[Sprite]:
        """Returns what it is made of."""
        return [Sprite("tile", left, self.top) for left in range(self.left, self.right, TILE[0])]


@dataclass
class Level:
    """What a frame shows, from the lowest floor to the highest, and what leads up to them."""

    floors: list[Floor]
    tiles: list[Sprite] = field(default_factory=list)
    ways: list[Sprite] = field(default_factory=list)
    props: list[Sprite] = field(default_factory=list)
    beings: list[Sprite] = field(default_factory=list)

    def placements(self) -> list[Placement]:
        """Returns the instances, back to front."""
        sprites = [*self.tiles, *self.ways, *self.props, *self.beings]
        return [(NUMBER[name], left, top) for name, left, top in sprites]


def platform_game(num_frames: int, seed: int) -> Scenes:
    """Builds random levels: floors of tiles, ladders, stairs, props, an enemy and a figure.

    Each tile, each step of a stair and each rung of a ladder is an instance. Floors start at any
    pixel, so that no grid fits all frames.

    Args:
        num_frames: N, frames of 128 x 128 pixels.
        seed: of all random numbers.
    """
    rng = np.random.default_rng(seed)
    frames = [_level(rng).placements() for _ in range(num_frames)]
    return make_scenes(frames, list(DRAWINGS.values()), SKY, SIDE)


def _level(rng: np.random.Generator) -> Level:
    num_tiles = int(rng.integers(5, 7))
    left = int(rng.integers(SIDE - num_tiles * TILE[0] + 1))
    ground = Floor(left, int(rng.integers(LOWEST - 14, LOWEST + 1)), num_tiles)
    level = Level([ground], tiles=ground.tiles())
    while _add_floor(level, rng):
        pass
    _put("ghost", level.floors[rng.integers(len(level.floors))], level.beings, rng)
    for floor in level.floors:
        for name in rng.choice(PROPS, rng.integers(1, 4), replace=False):
            _put(name, floor, level.props, rng)
    _add_figure(level, rng)
    return level


def _add_floor(level: Level, rng: np.random.Generator) -> bool:
    """Adds a floor above the highest one; False when none fits."""
    for _ in range(ATTEMPTS):
        add = _add_ladder if rng.random() < 0.6 else _add_stairs
        if add(level, rng):
            return True
    return False


def _add_ladder(level: Level, rng: np.random.Generator) -> bool:
    """Adds a floor and a ladder, which takes the place of one of its tiles and reaches higher."""
    lower = level.floors[-1]
    climb, num_tiles = int(rng.integers(*HEADROOM)), int(rng.integers(2, 6))
    left = int(rng.integers(lower.left, lower.right - RUNG[0] + 1))
    hole = int(rng.integers(num_tiles))
    upper = Floor(left - hole * TILE[0], lower.top - climb, num_tiles)
    span = left, left + RUNG[0]
    if not upper.is_inside() or not _is_free(span, lower):
        return False
    lower.taken.append(span)
    upper.taken.append(span)
    rungs = -(-climb // RUNG[1])
    level.ways += [Sprite("rung", left, lower.top - (i + 1) * RUNG[1]) for i in range(rungs)]
    level.tiles += [tile for tile in upper.tiles() if tile.left != left]
    level.floors.append(upper)
    return True


def _add_stairs(level: Level, rng: np.random.Generator) -> bool:
    """Adds a floor and the steps that lead to its left or right end."""
    lower = level.floors[-1]
    direction, num_tiles = int(rng.choice([-1, 1])), int(rng.integers(1, 4))
    first = int(rng.integers(lower.left, lower.right - STEP[0] + 1))
    last = first + direction * (NUM_STEPS - 1) * STEP[0]
    left = last + STEP[0] if direction > 0 else last - num_tiles * TILE[0]
    upper = Floor(left, lower.top - NUM_STEPS * STEP[1], num_tiles)
    span = min(first, last), max(first, last) + STEP[0]
    if not upper.is_inside() or not _is_free(span, lower) or span[0] < 0 or span[1] > SIDE:
        return False
    lower.taken.append(span)
    level.ways += [
        Sprite("step", first + direction * i * STEP[0], lower.top - (i + 1) * STEP[1])
        for i in range(NUM_STEPS)
    ]
    level.tiles += upper.tiles()
    level.floors.append(upper)
    return True


def _is_free(span: tuple[int, int], floor: Floor) -> bool:
    return all(span[1] <= start or span[0] >= end for start, end in floor.taken)


def _put(name: str, floor: Floor, sprites: list[Sprite], rng: np.random.Generator) -> None:
    """Stands something on a floor, at any pixel, if there is room for it."""
    width, height = _size(name)
    for _ in range(ATTEMPTS):
        left = int(rng.integers(floor.left, max(floor.right - width, floor.left) + 1))
        span = left, left + width
        if _is_free(span, floor) and span[1] <= floor.right and floor.top >= height:
            floor.taken.append(span)
            sprites.append(Sprite(name, left, floor.top - height))
            return


def _add_figure(level: Level, rng: np.random.Generator) -> None:
    """Adds the figure in front of all else: on a ladder, or on a floor."""
    rungs = [way for way in level.ways if way.name == "rung"]
    if rungs and rng.random() < 0.4:
        rung = rungs[rng.integers(len(rungs))]
        feet = rung.top + int(rng.integers(RUNG[1] + 1))
        top = max(feet - _size("climb")[1], 0)
        level.beings.append(Sprite("climb", rung.left, top))
        return
    floor = level.floors[rng.integers(len(level.floors))]
    anywhere = Floor(floor.left, floor.top, floor.num_tiles)
    _put(str(rng.choice(POSES)), anywhere, level.beings, rng)
