"""One model of an experiment: learned from some frames, judged by others."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from detection import pretrain
from measure import ROOT, Usage, number, write_text

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.detect import chunks, join
from sprite_obs.detections import Detections
from sprite_obs.evaluate import SOFT_BATCH, Evaluation, evaluate
from sprite_obs.files import write_atomically
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.metrics.reconstruction import psnr
from sprite_obs.model.scroll import ScrollBackground
from sprite_obs.view.comparison import comparison_sheet
from sprite_obs.view.picture import to_png
from synthetic.figures import shown_sprites
from synthetic.scenes import save_frames

CONFIGS = ROOT / "configs" / "pretrain" / "paper"
COLUMNS = ("PSNR soft, dB", "PSNR hard, dB", "sprites used", "training, s", "CPU, s")
"""What every experiment says of its models; see `Trial.cells`."""
NUM_COMPARED = 4


class Data(NamedTuple):
    """Frames of an experiment; both kinds also lie in files, as `sprite-obs` reads them.

    Attributes:
        train: the file to learn from.
        unseen: `(N, H, W, 3)` uint8, other frames.
    """

    train: Path
    unseen: np.ndarray


class Trial(NamedTuple):
    """A learned model, and what it found in unseen frames by the paper's hard selection.

    Attributes:
        folder: of the model.
        usage: what learning took.
        encoder: the model.
        figures: what `sprite-obs evaluate` says.
        unseen: `(N, H, W, 3)` uint8, the frames.
        found: the sprites in them.
    """

    folder: Path
    usage: Usage
    encoder: FrozenEncoder
    figures: Evaluation
    unseen: np.ndarray
    found: Detections

    def cells(self) -> list[str]:
        """Returns the figures of `COLUMNS` as text."""
        used = f"{self.figures.num_sprites_used} of {self.figures.num_sprites}"
        hard = psnr(self.unseen, self.render_hard())
        times = number(self.usage.seconds, 0), number(self.usage.cpu_seconds, 0)
        return [number(self.figures.psnr_soft, 1), number(hard, 1), used, *times]

    def shown(self) -> np.ndarray:
        """Returns which sprite each pixel of the unseen frames shows: `(N, H, W)` int32."""
        return shown_sprites(self.found, self.encoder.bank, *self.unseen.shape[:3])

    def render_hard(self) -> np.ndarray:
        """Draws the found sprites over the learned background: `(N, H, W, 3)` uint8.

        `figures.psnr_hard` lets frames that are mostly foreground show the background in other
        colours, which the paper does not.
        """
        background = np.broadcast_to(self.encoder.background, self.unseen.shape)
        if isinstance(self.encoder.network.model.background, ScrollBackground):
            background = self.encoder.backgrounds(self.unseen)  # each frame shows another part
        return self.encoder.reconstruct(self.found, background)

    def render_soft(self) -> np.ndarray:
        """Renders the unseen frames without rounding the scene: `(N, H, W, 3)` uint8."""
        parts = [
            self.encoder.network.render(images, max_active=None).round().astype(np.uint8)
            for _, images in chunks(self.unseen, "rendering", SOFT_BATCH)
        ]
        return np.concatenate(parts)

    def pictures(self) -> list[Path]:
        """Returns the pictures that every model comes with."""
        return [self.folder / "dictionary.png", self.folder / "unseen.png"]


def store(folder: Path, name: str, train: np.ndarray, unseen: np.ndarray) -> Data:
    """Writes both kinds of frames, `(N, H, W, 3)` uint8, to a folder."""
    data = Data(folder / f"{name}_train.npz", unseen)
    save_frames(data.train, train)
    save_frames(folder / f"{name}_test.npz", unseen)
    return data


def run_trial(
    config: str, data: Data, folder: Path, iterations: int | None = None, name: str | None = None
) -> Trial:
    """Learns a model, unless that is done, and judges it.

    Args:
        config: name of the configuration in `configs/pretrain/paper`, or the absolute path of
            another; either without `.yaml`.
        data: the frames.
        folder: where the model's own folder goes.
        iterations: overrides the configuration.
        name: of the model's folder, if not that of the configuration.

    Raises:
        SpriteObsError: when learning fails.
    """
    model = folder / (name or Path(config).name)
    usage = pretrain(data.train, _settings(config, folder, iterations), model)
    checkpoint = load_checkpoint(model)
    frames = Frames(data.unseen, np.zeros(len(data.unseen), np.int32), checkpoint.env_id)
    figures = evaluate(checkpoint, frames, "auto", "network")
    encoder = FrozenEncoder(checkpoint, "auto", "network")
    found = find(encoder, data.unseen)
    trial = Trial(model, usage, encoder, figures, data.unseen, found)
    write_picture(model / "unseen.png", _comparison(trial))
    return trial


def find(encoder: FrozenEncoder, images: np.ndarray) -> Detections:
    """Finds the sprites of `(N, H, W, 3)` uint8 frames, piece by piece."""
    return join([(start, encoder.encode(part)) for start, part in chunks(images, "encoding")])


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Writes an `(H, W, 3)` uint8 RGB picture to a PNG file."""
    write_atomically(path, to_png(picture))


def _settings(config: str, folder: Path, iterations: int | None) -> Path:
    """Returns the configuration file, or another one with the iterations that were asked for."""
    file = CONFIGS / f"{config}.yaml"
    if iterations is None:
        return file
    values = yaml.safe_load(file.read_text())
    values.setdefault("train", {})["iterations"] = iterations
    shorter = folder / f"{file.stem}-{iterations}.yaml"
    write_text(shorter, yaml.safe_dump(values))
    return shorter


def _comparison(trial: Trial) -> np.ndarray:
    """Draws a few unseen frames beside their hard reconstructions."""
    places = np.linspace(0, len(trial.unseen) - 1, NUM_COMPARED).round().astype(int)
    frames, rebuilt = trial.unseen[places], trial.render_hard()[places]
    captions = [
        f"frame {place}, {number(psnr(frame, again), 1)} dB"
        for place, frame, again in zip(places, frames[:, None], rebuilt[:, None], strict=True)
    ]
    return comparison_sheet(frames, rebuilt, captions)
