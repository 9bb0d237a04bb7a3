"""Records games together with the objects that are truly there, as OCAtari reads them from memory.

python benchmarks/ground_truth.py --out DIR --games Skiing,Bowling

Writes DIR/<Game>_train.npz, of successive steps, and DIR/<Game>_test.npz, of other seeds, which
`detection.py --data DIR` reads. A file that is there is not recorded again. docs/detection.md says
what is in the files, and how far the objects of which game can be trusted.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tyro
from measure import ROOT, markdown_table, run_benchmark
from truth.environment import ENVIRONMENT, OCATARI, ocatari_python
from truth.games import are_placed, display_rects, on_display
from truth.tracks import link
from truth.visible import are_visible, background_of

from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.files import replacing
from sprite_obs.metrics.ground_truth import BOX

HEADER = ("game", "category", "per frame", "moving, %", "visible, %", "display, %")


@dataclass(frozen=True)
class Args:
    """Records games together with the objects that are truly there."""

    out: Path
    """Folder for <Game>_train.npz and <Game>_test.npz."""
    games: str
    """Names as in ALE/<Game>-v5, with commas between them."""
    train: int = 3000
    """Successive steps of the train files."""
    test: int = 500
    """Frames of the test files."""
    stride: int = 3
    """Steps from one test frame to the next."""
    seed: int = 0
    """Of the train files; the test files have others."""
    environment: Path = ENVIRONMENT
    """Folder of OCAtari's own Python environment, which is made if it is not there."""


@dataclass(frozen=True)
class Split:
    """How the frames of one file are taken."""

    num_frames: int
    every: int
    episode_steps: int
    seed: int


def splits(args: Args) -> dict[str, Split]:
    """Returns what to record; several episodes each, as most games begin alike."""
    return {
        "train": Split(args.train, 1, 750, 1000 + args.seed),
        "test": Split(args.test, args.stride, 375, 900_000 + args.seed),
    }


def record_games(args: Args) -> str:
    """Records what is missing; returns a table of the objects of all test files.

    Raises:
        SpriteObsError: when OCAtari cannot be installed, or does not know a game.
    """
    if min(args.train, args.test, args.stride) < 1:
        raise ConfigError("expected --train, --test and --stride of at least 1; raise them")
    args.out.mkdir(parents=True, exist_ok=True)
    games = args.games.split(",")
    for game in games:
        for name, split in splits(args).items():
            if not (args.out / f"{game}_{name}.npz").exists():
                record(game, name, split, args)
    tables = [statistics(game, np.load(args.out / f"{game}_test.npz")) for game in games]
    return markdown_table(HEADER, [row for rows in tables for row in rows])


def record(game: str, name: str, split: Split, args: Args) -> None:
    """Records one file of a game; the test file needs the train file's background."""
    raw = play(game, split, ocatari_python(args.environment))
    if name == "train":
        background = background_of(raw["frames"])
    else:
        background = np.load(args.out / f"{game}_train.npz")["background"]
    about = {"game": game, "ocatari": OCATARI, **vars(split)}
    arrays = labelled(game, raw, background)
    if name == "test":  # only these are measured, and looking takes as long as playing
        arrays["gt_visible"] = visible_objects(game, arrays)
    with replacing(args.out / f"{game}_{name}.npz") as file:
        np.savez_compressed(file, **arrays, meta=np.array(json.dumps(about)))  # type: ignore[arg-type]


def play(game: str, split: Split, python: Path) -> dict[str, np.ndarray]:
    """Plays in OCAtari's environment and returns the arrays of `truth/play.py`."""
    script = ROOT / "benchmarks" / "truth" / "play.py"
    numbers = (split.num_frames, split.every, split.episode_steps, split.seed)
    with TemporaryDirectory() as folder:
        out = Path(folder, "raw.npz")
        command = [str(part) for part in (python, script, game, out, *numbers)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise SpriteObsError(f"{OCATARI} cannot play {game}: {reason}; leave it out of --games")
        with np.load(out) as arrays:
            return dict(arrays)


def labelled(
    game: str, raw: dict[str, np.ndarray], background: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns the arrays of a file: frames, and a row for each object in each of them.

    Args:
        game: its name.
        raw: what `truth/play.py` wrote; objects of all steps, frames of some.
        background: `(H, W, 3)` uint8.
    """
    names, rects = raw["category_names"], display_rects(game)
    time, episode, category, *box_columns, is_display = raw["objects"].T
    box = np.stack(box_columns, axis=1)
    track, moving = link(time, episode * len(names) + category, box)
    # Things that move may fly over the display; what rests there belongs to it.
    hud = is_display.astype(bool) | (~moving & on_display(box, rects))
    times = raw["kept"][:, 0]  # (N,), rising
    rows = np.flatnonzero(np.isin(time, times))
    frame = np.searchsorted(times, time[rows])
    category, box, moving, hud = category[rows], box[rows], moving[rows], hud[rows]
    columns = dict(zip(BOX, box.T.astype(np.int16), strict=True))
    return {
        "frames": raw["frames"],
        "episode": raw["kept"][:, 1].astype(np.int32),
        "step": raw["kept"][:, 2].astype(np.int32),
        "background": background,
        "frame_hw": np.array(background.shape[:2]),
        "category_names": names,
        "hud_rects": rects,
        "gt_frame": frame.astype(np.int32),
        "gt_cat": category.astype(np.int16),
        **columns,
        "gt_hud": hud,
        "gt_moving": moving,
        "gt_track": track[rows],
    }


def visible_objects(game: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Returns `(M,)` bool, the objects that are to be found in the frames of a file."""
    box = np.stack([arrays[name] for name in BOX], axis=1).astype(int)
    still = ~arrays["gt_moving"] | arrays["gt_hud"]
    seen = are_visible(arrays["frames"], arrays["background"], arrays["gt_frame"], box, still)
    # Where a box is wrong, nothing is asked for, and nothing found there is punished.
    return seen & are_placed(game, arrays["gt_cat"], arrays["category_names"])


def statistics(game: str, arrays: dict[str, np.ndarray]) -> list[list[str]]:
    """Returns a row for each category of a file."""
    rows = []
    for number, name in enumerate(arrays["category_names"]):
        mine = arrays["gt_cat"] == number
        if mine.any():
            shares = (arrays[flag][mine].mean() for flag in ("gt_moving", "gt_visible", "gt_hud"))
            per_frame = mine.sum() / len(arrays["step"])
            rows.append([game, name, f"{per_frame:.2f}", *(f"{100 * part:.0f}" for part in shares)])
    return rows


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: record_games(args), None)
