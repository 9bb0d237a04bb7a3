"""Measures how the cost of a frame grows: with the dictionary, the active objects and the frame.

python benchmarks/growth.py --plot docs/growth.png

Scenes are made here: rectangles of random colours, each a sprite of its own, walk over a plain
background, each in a cell of a grid. One size is changed at a time, doubled in each row, and what
the encoder, the tracks and the slots take for a frame is measured in CPU time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from growth_plot import draw_growth
from measure import markdown_table, number, run_benchmark

from sprite_obs.checkpoint import Checkpoint, Tables
from sprite_obs.config import ModelConfig
from sprite_obs.files import write_atomically
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.bank import make_bank, to_canvases
from sprite_obs.lookup.palette import Palette
from sprite_obs.model.build import build_model
from sprite_obs.observations import ObservationBuilder
from sprite_obs.view.picture import to_png

HEADER = ("what grows", "to", "µs per frame", "times the row before", "times the smallest")
SPRITES, OBJECTS, HEIGHT, WIDTH = 64, 8, 208, 160
CELL = 16
"""Pixels of a cell's side; drawings are smaller, so that they never touch."""
CANVAS = 16


@dataclass(frozen=True)
class Args:
    """Measures how the cost of a frame grows with dictionary, active objects and frame."""

    doublings: int = 4
    """How often the number of sprites and of objects is doubled; the area is quadrupled half as
    often."""
    frames: int = 200
    """Frames of a scene."""
    repeats: int = 7
    """Runs over each scene, in turns."""
    seed: int = 0
    """Seed of the scenes."""
    plot: Path | None = None
    """PNG file for a picture of the growth."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


@dataclass(frozen=True)
class Size:
    """What a scene holds.

    Attributes:
        sprites: of the dictionary.
        objects: that are active in each frame, each of another sprite.
        scale: the frame's sides are so many times those of an Atari game's.
    """

    sprites: int = SPRITES
    objects: int = OBJECTS
    scale: int = 1


def sizes(doublings: int) -> dict[str, list[tuple[int, Size]]]:
    """Returns what grows, with the figure that is shown and the sizes in rising order."""
    factors = [2**step for step in range(doublings + 1)]
    scales = factors[: doublings // 2 + 1]
    area = HEIGHT * WIDTH
    return {
        "sprites in the dictionary": [(16 * n, Size(sprites=16 * n)) for n in factors],
        "active objects": [(4 * n, Size(sprites=4 * factors[-1], objects=4 * n)) for n in factors],
        "pixels of the frame": [(area * n * n, Size(scale=n)) for n in scales],
    }


def make_drawings(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Returns rectangles of random colours, `(h, w)` uint8 palette indices."""
    shapes = rng.integers(5, CELL - 5, (count, 2))
    return [rng.integers(2, 10, shape).astype(np.uint8) for shape in shapes]


def make_frames(
    drawings: list[np.ndarray], size: Size, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Lets the first drawings walk at random: `(N, H, W)` uint8 palette indices."""
    height, width = HEIGHT * size.scale, WIDTH * size.scale
    frames = np.ones((count, height, width), np.uint8)
    cells = rng.permutation(HEIGHT // CELL * (WIDTH // CELL))[: size.objects]
    for drawing, cell in zip(drawings, cells.tolist(), strict=False):
        corner = np.array(divmod(cell, WIDTH // CELL)) * CELL * size.scale
        room = CELL - 2 - np.array(drawing.shape)
        place = rng.integers(0, room + 1)
        for frame in frames:
            place = np.clip(place + rng.integers(-1, 2, 2), 0, room)
            top, left = (corner + 1 + place).tolist()
            frame[top : top + drawing.shape[0], left : left + drawing.shape[1]] = drawing
    return frames


def make_encoder(drawings: list[np.ndarray], palette: Palette, size: Size) -> FrozenEncoder:
    """Returns an encoder that knows the drawings, each a type of its own."""
    count, frame_size = len(drawings), (HEIGHT * size.scale, WIDTH * size.scale)
    config = ModelConfig(num_sprites=count, sprite_size=CANVAS, code_dim=8, encoder_width=8)
    checkpoint = Checkpoint(
        model=build_model(config, count, frame_size),
        config=config,
        sprites=to_canvases(make_bank(drawings), palette, CANVAS),
        background=palette.rgb(np.ones(frame_size, np.uint8)),
        palette=palette.colors,
        exact_palette=True,
        sprite_type=np.arange(1, count + 1, dtype=np.int32),
        type_capacity=np.ones(count + 1, np.int32),
        tables=Tables.unknown(count, count, frame_size),
        decoder="lookup",
        env_id=None,
        settings={"discover": {"min_visible": 0.5, "min_explained": 0.6, "max_foreground": 0.5}},
    )
    return FrozenEncoder(checkpoint)


def make_run(size: Size, args: Args) -> Callable[[], float]:
    """Makes a scene; returns what reads it once and returns the CPU seconds of a frame."""
    rng = np.random.default_rng(args.seed)
    drawings = make_drawings(size.sprites, rng)
    palette = Palette(rng.permutation(np.arange(10 * 3).reshape(10, 3).astype(np.uint8) * 8))
    frames = palette.rgb(make_frames(drawings, size, args.frames, rng))  # (N, H, W, 3)
    encoder = make_encoder(drawings, palette, size)
    builder = ObservationBuilder(encoder, 1, size.sprites, "object", True)

    def run() -> float:
        builder.reset(0)
        started = time.process_time()
        for frame in frames:
            found, _ = encoder.explain(frame)
            observation = builder.build(found, [0])
        seconds = (time.process_time() - started) / len(frames)
        seen = int(observation["presence"].sum())
        assert seen == size.objects, f"{seen} of {size.objects} objects were found"
        return seconds

    return run


def series(steps: list[tuple[int, Size]], args: Args) -> list[float]:
    """Returns the median microseconds of a frame at each size, all measured in turns."""
    runs = [make_run(size, args) for _, size in steps]
    for run in runs:  # compiles what is compiled, and fills what remembers
        run()
    taken = np.array([[run() for run in runs] for _ in range(args.repeats)])
    return (np.median(taken, 0) * 1e6).tolist()


def rows(name: str, figures: list[int], taken: list[float]) -> list[list[str]]:
    """Returns the table's rows of one thing that grows."""
    before = [None, *taken[:-1]]
    return [
        [
            name,
            str(figure),
            number(micros, 0),
            number(micros / last, 2) if last else "-",
            number(micros / taken[0], 2),
        ]
        for figure, micros, last in zip(figures, taken, before, strict=True)
    ]


def measure(args: Args) -> str:
    """Measures all growth; returns the table."""
    torch.set_num_threads(1)
    growing = sizes(args.doublings)
    figures = {name: [figure for figure, _ in steps] for name, steps in growing.items()}
    taken = {name: series(steps, args) for name, steps in growing.items()}
    if args.plot:
        picture = draw_growth([(name, figures[name], taken[name]) for name in growing])
        write_atomically(args.plot, to_png(picture))
    lines = [line for name in growing for line in rows(name, figures[name], taken[name])]
    return markdown_table(HEADER, lines)


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: measure(args), args.out)
