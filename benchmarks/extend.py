"""Learns the beginning of a game, extends the model with the rest, and measures what that gives.

python benchmarks/extend.py --env ALE/Phoenix-v5 --split 400

Plays the game twice, once to learn from and once to measure. The frames of each episode up to a
step are the old ones, those from it on the new ones, which show more: further waves, levels,
colours. Three models are measured on both kinds: the one of old frames, the same extended with new
ones, and one learned from both at once. No ground truth is needed: what counts is whether frames
are rebuilt, and whether what is found in old ones stays the same.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro
from measure import ROOT, markdown_table, number, percent, run_benchmark, run_sprite_obs

from sprite_obs.detections import Detections
from sprite_obs.errors import ConfigError
from sprite_obs.frames.sources import Frames, read_frames
from sprite_obs.frozen import FrozenEncoder

HEADER = (
    "game",
    "model",
    "decoder",
    "sprites",
    "types",
    "sprite_error old, %",
    "sprite_error new, %",
    "exact frames old, %",
    "exact frames new, %",
    "old frames unchanged, %",
    "of those explained before, %",
    "seconds",
)
MODELS = {"old": "old frames", "extended": "extended with new frames", "both": "both at once"}
JUDGED = 400
"""Frames of each kind that are measured, spread over all."""


@dataclass(frozen=True)
class Args:
    """Learns the beginning of a game, extends the model with the rest, and measures both."""

    env: str = "ALE/Phoenix-v5"
    """Id of the environment."""
    split: int = 400
    """Step of each episode from which on frames are new."""
    frames: int = 5000
    """Frames to learn from, old and new ones together."""
    test_frames: int = 2500
    """Frames to measure, of other episodes."""
    config: Path = ROOT / "configs" / "pretrain" / "atari.yaml"
    """Settings, the same for all models."""
    folder: Path = ROOT / "models" / "extend"
    """Folder for recordings and models, by games; recordings that are there are not made again."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


class Parts(NamedTuple):
    """The frames of a recording: those of the beginnings of its episodes, and the rest."""

    old: Frames
    new: Frames
    both: Frames


class Figures(NamedTuple):
    """How well a decoder of a model explains frames.

    Attributes:
        found: what it finds.
        error: `(N,)` share of each frame that is not explained.
        exact: `(N,)` bool, which frames are rebuilt to the last pixel.
    """

    found: Detections
    error: np.ndarray
    exact: np.ndarray


def measure(args: Args) -> str:
    """Records, learns, extends and measures; returns the table.

    Raises:
        SpriteObsError: when a command fails, or a part of the recordings has too few frames.
    """
    folder = args.folder / args.env.rpartition("/")[2]
    learned, held_out = (
        split_recording(record(args, folder / name, frames, seed), args.split)
        for name, frames, seed in (("train", args.frames, 0), ("test", args.test_frames, 1))
    )
    seconds = {
        name: pretrain(args, folder, name, frames)
        for name, frames in learned._asdict().items()
        if name != "new"
    }
    seconds["extended"] = pretrain(args, folder, "extended", learned.new, folder / "old")
    held_out, rows = judged(held_out), []
    for decoder in ("lookup", "network"):
        old = figures(folder / "old", decoder, held_out.old)
        for name, what in MODELS.items():
            row = [args.env.rpartition("/")[2], what, decoder]
            rows.append(
                [*row, *cells(folder / name, decoder, held_out, old), f"{seconds[name]:.0f}"]
            )
    return markdown_table(HEADER, rows)


def record(args: Args, out: Path, frames: int, seed: int) -> Path:
    """Plays the game, unless that was done before; returns the recording's folder."""
    if not out.exists():
        run_sprite_obs(
            "record", "--env", args.env, "--frames", frames, "--seed", seed, "--out", out
        )
    return out


def split_recording(recording: Path, split: int) -> Parts:
    """Splits the episodes of a recording at a step.

    Raises:
        ConfigError: when there are no frames before or after it.
    """
    frames = read_frames(recording)
    lengths = np.unique(frames.episode, return_counts=True)[1]
    step = np.concatenate([np.arange(length) for length in lengths])
    if not 0 < (step < split).sum() < len(step):
        raise ConfigError(f"split: expected a step below {lengths.max()}, got {split}")
    return Parts(rows_of(frames, step < split), rows_of(frames, step >= split), frames)


def rows_of(frames: Frames, rows: np.ndarray) -> Frames:
    """Returns some frames, chosen by a mask or by indices."""
    return frames._replace(images=frames.images[rows], episode=frames.episode[rows])


def judged(parts: Parts) -> Parts:
    """Returns as many frames of each kind as are measured."""
    return Parts(
        *(
            rows_of(part, np.arange(len(part.images))[:: -(-len(part.images) // JUDGED)])
            for part in parts
        )
    )


def pretrain(
    args: Args, folder: Path, name: str, frames: Frames, extended: Path | None = None
) -> float:
    """Learns a model in `folder / name`; returns the seconds that took."""
    file = folder / f"{name}.npz"
    np.savez(file, frames=frames.images, episode=frames.episode)
    flags = ("--extend", extended) if extended else ("--config", args.config)
    return run_sprite_obs("pretrain", "--data", file, "--out", folder / name, *flags).seconds


def figures(model: Path, decoder: str, frames: Frames) -> Figures:
    """Explains and rebuilds frames with one decoder of a model."""
    encoder = FrozenEncoder.load(model, decoder=decoder)  # type: ignore[arg-type]
    found, error = encoder.explain(frames.images)
    rebuilt = encoder.reconstruct(found, encoder.backgrounds(frames.images))
    return Figures(found, error, (rebuilt == frames.images).all((1, 2, 3)))


def cells(model: Path, decoder: str, held_out: Parts, before: Figures) -> list[str]:
    """Measures a model and returns its figures as text.

    Args:
        model: its folder.
        decoder: which of its decoders.
        held_out: frames that no model has seen.
        before: what the model of old frames says of the old ones.
    """
    encoder = FrozenEncoder.load(model)
    old, new = (figures(model, decoder, frames) for frames in (held_out.old, held_out.new))
    same = unchanged(before.found, old.found, len(old.error))
    known = before.error == 0
    return [
        str(encoder.num_sprites),
        str(encoder.num_types),
        *(number(100 * float(part.error.mean()), 3) for part in (old, new)),
        *(percent(float(part.exact.mean()), 1) for part in (old, new)),
        percent(float(same.mean()), 1),
        percent(float(same[known].mean()), 1) if known.any() else "-",
    ]


def unchanged(before: Detections, after: Detections, num_frames: int) -> np.ndarray:
    """Returns `(N,)` bool, frames in which ids, types, layers and boxes are the same."""
    same = np.zeros(num_frames, bool)
    for frame in range(num_frames):
        one, other = before.of_frame(frame), after.of_frame(frame)
        pairs = [
            (getattr(one, key), getattr(other, key)) for key in ("sprite", "type", "layer", "box")
        ]
        same[frame] = all(np.array_equal(*pair) for pair in pairs)
    return same


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: measure(args), args.out)
