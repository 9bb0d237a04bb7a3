"""Repeats an experiment of the paper (arXiv 2104.14553, section 4) on data made by code.

python benchmarks/paper.py table1 --out table1.md

Frames, models and pictures go to a folder. Sprites are chosen as the paper does at test time: the
likeliest one at each anchor that is switched on; `PSNR soft` is without rounding.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import tyro
from measure import ROOT, markdown_table, number, percent, run_benchmark, run_sprite_obs
from synthetic.clip import read_video, tennis_clip, write_video
from synthetic.figures import mask_iou, recovered, shown_sprites, sprite_rates
from synthetic.floating import floating
from synthetic.photo import grid_crops, join_crops, photograph, random_crops
from synthetic.platform import platform_game
from synthetic.scenes import Scenes
from synthetic.segmentation import choose_sprites, parse_sprites, write_segmentation
from synthetic.text import pages
from synthetic.trial import COLUMNS, Data, Trial, find, run_trial, store, write_picture

from sprite_obs.frames.sources import read_frames

Experiment = Literal[
    "table1", "figure6", "figure7", "figure9", "figure10", "figure11", "random-start"
]
TRAIN_SEED, TEST_SEED = 0, 1
UNSEEN_SHARE = 10
"""One frame to judge by for so many to learn from."""
CLIP_FRAMES = 400
NUM_ANNOTATED = 8
"""Frames in which the player's pixels are given, to choose his sprites by."""
NUM_PAGES = 6
FLOATING_COLUMNS = ("recovered, of 11", "mean best IoU", "colour error, levels", *COLUMNS)


@dataclass(frozen=True)
class Args:
    """Repeats an experiment of the paper on data made by code."""

    experiment: tyro.conf.Positional[Experiment]
    """Table or figure of the paper; random-start: small floating sprites within minutes."""
    folder: Path = ROOT / "models" / "paper"
    """Folder for frames, models and pictures. A finished model is not learned again."""
    frames: int = 4000
    """Frames to learn from; a tenth as many others to judge by."""
    iterations: int | None = None
    """Overrides the configuration, for a quick try."""
    video: Path | None = None
    """figure9: a video to segment, any file that OpenCV reads, instead of the one made by code."""
    sprites: str | None = None
    """figure9: ids of the sprites that make up the segment, as dictionary.png shows them, with
    commas between them. Needed with a video of one's own, when its model is there."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""

    @property
    def unseen_frames(self) -> int:
        """Frames to judge by."""
        return max(self.frames // UNSEEN_SHARE, 1)


def table1(args: Args) -> str:
    """A platform game: are its sprites found, one by one?"""
    scenes, data = _scenes(args, "table1", platform_game)
    trial = run_trial("table1", data, args.folder, args.iterations)
    rates = sprite_rates(trial.found, scenes)
    overlap = mask_iou(trial.shown() > 0, scenes.foreground_mask())
    header = ("method", "precision, %", "recall, %", "foreground IoU", *COLUMNS)
    figures = percent(rates.precision, 1), percent(rates.recall, 1), number(overlap, 3)
    rows = [
        _published(header, "SPACE (paper)", ("97.5", "2.17", "0.042"), hard="31.9"),
        _published(header, "MarioNette (paper)", ("53.5", "35.6", "0.843"), hard="23.5"),
        ["ours", *figures, *trial.cells()],
    ]
    return _report(header, rows, trial.pictures())


def figure6(args: Args) -> str:
    """Floating sprites: what sprite size, dictionary size and normalisation do."""
    scenes, data = _scenes(args, "figure6", floating)
    rows, pictures = [], []
    for variant in ("full", "k16", "k64", "five-sprites", "no-layernorm"):
        trial = run_trial(f"figure6-{variant}", data, args.folder, args.iterations)
        rows.append([variant, *_floating_cells(trial, scenes)])
        pictures += trial.pictures()
    return _report(("variant", *FLOATING_COLUMNS), rows, pictures)


def random_start(args: Args) -> str:
    """Small floating sprites, learned within minutes from a random start."""

    def small(num_frames: int, seed: int) -> Scenes:
        return floating(num_frames, seed, side=64, scale=1, count=(2, 5))

    scenes, data = _scenes(args, "random-start", small)
    trial = run_trial("random-start", data, args.folder, args.iterations)
    header = ("method", *FLOATING_COLUMNS)
    rows = [
        _published(header, "published code", ["0"], soft="20.5", hard="17.7", seconds="600"),
        ["ours", *_floating_cells(trial, scenes)],
    ]
    return _report(header, rows, trial.pictures())


def figure7(args: Args) -> str:
    """Atari games: a solid background, and a learned one where it is textured."""
    rows, pictures = [], []
    for name, game in (("space-invaders", "SpaceInvaders"), ("background", "Kangaroo")):
        seen = _recorded(game, args.frames, TRAIN_SEED)
        unseen = _recorded(game, args.unseen_frames, TEST_SEED)
        data = store(args.folder, f"figure7-{name}", seen, unseen)
        trial = run_trial(f"figure7-{name}", data, args.folder, args.iterations)
        rows.append([game, *trial.cells()])
        pictures += trial.pictures()
    return _report(("game", *COLUMNS), rows, pictures)


def figure9(args: Args) -> str:
    """A video: choosing sprites gives a segmentation of every frame."""
    images, masks = _video(args)
    num_seen = len(images) - max(len(images) // UNSEEN_SHARE, 1)
    name = f"figure9-{args.video.stem}" if args.video else "figure9"
    data = store(args.folder, name, images[:num_seen], images[num_seen:])
    trial = run_trial("figure9", data, args.folder, args.iterations, name)
    shown = shown_sprites(find(trial.encoder, images), trial.encoder.bank, *images.shape[:3])
    if args.sprites:
        chosen = parse_sprites(args.sprites, trial.encoder.num_sprites)
    else:
        annotated = np.linspace(0, num_seen - 1, NUM_ANNOTATED).round().astype(int)
        chosen = choose_sprites(shown[annotated], masks[annotated])
    segment = np.isin(shown, chosen)
    written = write_segmentation(trial.folder, images, segment)
    overlap = math.nan if args.video else mask_iou(segment[num_seen:], masks[num_seen:])
    header = ("video", "sprites chosen", "IoU of the segment", *COLUMNS)
    video = args.video.name if args.video else "made by code"
    row = [video, str(len(chosen)), number(overlap, 3), *trial.cells()]
    return _report(header, [row], [*trial.pictures(), *written])


def figure10(args: Args) -> str:
    """A photograph: how much of it do a few sprites keep?"""
    photo = photograph()
    seen = random_crops([photo], args.frames, TRAIN_SEED)
    data = store(args.folder, "figure10", seen, grid_crops(photo))
    trial = run_trial("figure10", data, args.folder, args.iterations)
    soft = join_crops(trial.render_soft(), photo.shape[1] // seen.shape[2])
    picture = trial.folder / "photograph.png"
    write_picture(picture, np.concatenate([photo[: len(soft), : soft.shape[1]], soft]))
    sizes = trial.encoder.sprites[..., 0].size, photo[..., 0].size
    header = ("method", "pixels of the dictionary", "pixels of the photograph", *COLUMNS)
    rows = [
        _published(header, "MarioNette (paper)", ("51200", "393216"), used="50"),
        ["ours", *map(str, sizes), *trial.cells()],
    ]
    return _report(header, rows, [*trial.pictures(), picture])


def figure11(args: Args) -> str:
    """Pages of text: letters are many, small and dense."""
    seen, unseen = (
        random_crops(pages(NUM_PAGES, seed), num_frames, seed)
        for seed, num_frames in ((TRAIN_SEED, args.frames), (TEST_SEED, args.unseen_frames))
    )
    data = store(args.folder, "figure11", seen, unseen)
    trial = run_trial("figure11", data, args.folder, args.iterations)
    uses = np.bincount(trial.found.sprite) / len(unseen)
    frequent = str(int((uses[1:] >= 1).sum()))
    per_frame = number(trial.figures.sprites_per_frame, 1)
    header = ("data", "sprites used once per frame or more", "sprites per frame", *COLUMNS)
    rows = [["pages of text", frequent, per_frame, *trial.cells()]]
    return _report(header, rows, trial.pictures())


EXPERIMENTS: dict[Experiment, Callable[[Args], str]] = {
    "table1": table1,
    "figure6": figure6,
    "figure7": figure7,
    "figure9": figure9,
    "figure10": figure10,
    "figure11": figure11,
    "random-start": random_start,
}


def _scenes(args: Args, name: str, make: Callable[[int, int], Scenes]) -> tuple[Scenes, Data]:
    """Returns unseen frames with their truth, and all frames as they were stored."""
    seen, unseen = make(args.frames, TRAIN_SEED), make(args.unseen_frames, TEST_SEED)
    return unseen, store(args.folder, name, seen.images, unseen.images)


def _floating_cells(trial: Trial, scenes: Scenes) -> list[str]:
    figures = recovered(trial.encoder.sprites, scenes.drawings)
    best, error = number(figures.best_iou.mean(), 3), number(figures.color_error, 1)
    return [str(figures.num_recovered), best, error, *trial.cells()]


def _recorded(game: str, num_frames: int, seed: int) -> np.ndarray:
    """Plays an Atari game: `(N, 210, 160, 3)` uint8."""
    with TemporaryDirectory() as folder:
        flags = "--frames", num_frames, "--seed", seed, "--out", folder
        run_sprite_obs("record", "--env", f"ALE/{game}-v5", *flags)
        return read_frames(folder).images


def _video(args: Args) -> tuple[np.ndarray, np.ndarray]:
    """Returns a video, and its object's pixels; none where they are not known."""
    if args.video:
        images = read_video(args.video, args.frames)
        return images, np.zeros(images.shape[:3], bool)
    clip = tennis_clip(min(args.frames, CLIP_FRAMES), TRAIN_SEED)
    file = args.folder / "figure9.mp4"
    write_video(file, clip.images)
    return read_frames(file).images, clip.masks


def _published(
    header: Sequence[str],
    method: str,
    first: Sequence[str],
    soft: str = "-",
    hard: str = "-",
    used: str = "-",
    seconds: str = "-",
) -> list[str]:
    """Returns what others published as a row: `first` after the method, and some of `COLUMNS`."""
    known = dict(zip(COLUMNS, (soft, hard, used, seconds), strict=False))
    known |= dict(zip(header, (method, *first), strict=False))
    return [known.get(column, "-") for column in header]


def _report(header: Sequence[str], rows: Sequence[Sequence[str]], files: Sequence[Path]) -> str:
    """Returns the table, and below it where pictures and videos are."""
    return "\n".join([markdown_table(header, rows), "", *(f"look at {file}" for file in files)])


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: EXPERIMENTS[args.experiment](args), args.out)
