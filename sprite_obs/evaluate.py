"""How well a model explains frames, in figures."""

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sprite_obs.checkpoint import Checkpoint
from sprite_obs.decoders import DecoderName
from sprite_obs.detect import check_game, chunks, join
from sprite_obs.detections import Detections, merge_objects
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.palette import UNKNOWN
from sprite_obs.metrics.detection import DetectionFigures, score_detections
from sprite_obs.metrics.display import DisplayFigures, score_display
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.metrics.reconstruction import ReconstructionScore, json_number
from sprite_obs.metrics.tracking import TrackingFigures, score_tracking
from sprite_obs.objects.tracker import track_ids
from sprite_obs.type_names import NamedTypes

MAX_SOFT_FRAMES = 256
SHOWN_SHOTS = 16
DEGRADED = "approximate: the model's frames were compressed or scaled; lossless ones are better"
MANY_UNKNOWN = 0.01
"""Share of pixels in unknown colours that is worth a warning: other scenes have a few."""
SOFT_BATCH = 8
"""Frames composited at once; a soft scene of one frame takes tens of megabytes."""


@dataclass(frozen=True)
class Evaluation:
    """The figures of one model on one set of frames.

    Attributes:
        decoder: the one that found the sprites.
        num_frames: frames encoded.
        num_soft_frames: evenly spaced ones of them on which `psnr_soft` is measured.
        psnr_soft: dB, of what the network renders in training, without rounding; nan for a compact
            model, which has none.
        psnr_hard: dB, of the found sprites drawn over the background; infinite when exact.
        exact_frames: share of frames whose hard reconstruction is exact in every pixel.
        exact_pixels: share of pixels at which the hard reconstruction is exact.
        num_sprites: entries of the dictionary.
        num_sprites_used: entries found in these frames.
        sprites_per_frame: mean number of sprites found in a frame.
        unknown_per_frame: mean number of things that are no entry of the dictionary.
        frames_per_second: speed of encoding alone.
        exact_palette: whether the model was learned from frames without scaling or compression.
        unknown_colors: share of pixels in colours that the model does not know.
        detection: figures of each variant of `sprite_obs.metrics.detection`; None without ground
            truth.
        tracking: how well tracks keep to objects that move; None without ground truth or where it
            does not tell objects apart.
        display: how well the display is told from the game; None without ground truth or where it
            knows of no display.
    """

    decoder: str
    num_frames: int
    num_soft_frames: int
    psnr_soft: float
    psnr_hard: float
    exact_frames: float
    exact_pixels: float
    num_sprites: int
    num_sprites_used: int
    sprites_per_frame: float
    unknown_per_frame: float
    frames_per_second: float
    exact_palette: bool
    unknown_colors: float
    detection: dict[str, DetectionFigures] | None = None
    tracking: TrackingFigures | None = None
    display: DisplayFigures | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values; an infinite figure becomes the text "Infinity"."""
        values = dataclasses.asdict(self)
        return {k: json_number(v) if isinstance(v, float) else v for k, v in values.items()}

    def to_rows(self) -> list[tuple[str, str]]:
        """Returns names and values as a reader likes them."""
        return [
            ("frames", str(self.num_frames)),
            ("decoder", self.decoder),
            *self._soft_rows(),
            ("PSNR, hard", _decibels(self.psnr_hard)),
            ("pixel-exact frames", _percent(self.exact_frames)),
            ("exact pixels", _percent(self.exact_pixels)),
            ("sprites used", f"{self.num_sprites_used} of {self.num_sprites}"),
            ("sprites per frame", f"{self.sprites_per_frame:.2f}"),
            ("unknown things per frame", f"{self.unknown_per_frame:.2f}"),
            ("frames encoded per second", f"{self.frames_per_second:.0f}"),
            *([] if self.exact_palette else [("colours", DEGRADED)]),
            *([("colours", self._lacking())] if self.unknown_colors >= MANY_UNKNOWN else []),
            *(row for item in (self.detection or {}).items() for row in _detection_rows(*item)),
            *([_tracking_row(self.tracking)] if self.tracking else []),
            *([_display_row(self.display)] if self.display else []),
        ]

    def _soft_rows(self) -> list[tuple[str, str]]:
        if math.isnan(self.psnr_soft):
            return []
        return [(f"PSNR, soft ({self.num_soft_frames} frames)", _decibels(self.psnr_soft))]

    def _lacking(self) -> str:
        share = _percent(self.unknown_colors)
        return f"{share} of pixels in unknown ones; are these frames as the model learned them?"


class Examined(NamedTuple):
    """What a model found in frames, and how good that is.

    Attributes:
        figures: how good it is.
        encoder: the model.
        found: the objects in the frames, cut where walls hide the rest.
        sprites: the sprites that they are drawn from.
        wrong_pixels: `(N,)` int64, pixels of each frame that its hard reconstruction does not show.
    """

    figures: Evaluation
    encoder: FrozenEncoder
    found: Detections
    sprites: Detections
    wrong_pixels: np.ndarray


def _detection_rows(variant: str, figures: DetectionFigures) -> list[tuple[str, str]]:
    overlap = figures.overlap
    rows = [
        ("precision, recall, F1 (IoU 0.5)", (overlap.precision, overlap.recall, overlap.f1)),
        ("F1 of centres, of fragments", (figures.centre.f1, figures.fragments.f1)),
    ]
    if identity := figures.identity:
        few_shot = identity.few_shot.get(SHOWN_SHOTS, math.nan)
        rows.append(
            (
                f"purity, few-shot {SHOWN_SHOTS}, ids per category",
                (identity.purity, few_shot, identity.ids_per_category),
            )
        )
    return [(f"{variant}: {name}", "  ".join(f"{v:.3f}" for v in vs)) for name, vs in rows]


def _tracking_row(figures: TrackingFigures) -> tuple[str, str]:
    name = "moving: track switches, takeovers per 100 object-frames"
    return name, f"{figures.switches:.2f}  {figures.takeovers:.2f}"


def _display_row(figures: DisplayFigures) -> tuple[str, str]:
    return "display: precision, recall", f"{figures.precision:.3f}  {figures.recall:.3f}"


def _decibels(value: float) -> str:
    return "exact" if math.isinf(value) else f"{value:.2f} dB"


def _percent(share: float) -> str:
    percent = 100 if share == 1 else min(100 * share, 99.9999)  # never rounded up to perfection
    return f"{percent:.4f} %"


def evaluate(
    checkpoint: Checkpoint,
    frames: Frames,
    device: str,
    decoder: DecoderName | None = None,
    truth: GroundTruth | None = None,
) -> Evaluation:
    """Returns the figures of `examine`, for the types as they were learned."""
    return examine(checkpoint, frames, device, decoder, truth).figures


def examine(
    checkpoint: Checkpoint,
    frames: Frames,
    device: str,
    decoder: DecoderName | None = None,
    truth: GroundTruth | None = None,
    named_types: NamedTypes | None = None,
) -> Examined:
    """Encodes and rebuilds frames, with progress bars on stderr.

    Args:
        checkpoint: the model.
        frames: any frames of its game.
        device: where the network runs: `cpu`, `cuda` or `auto`.
        decoder: `lookup`, `network` or `both`; None for the checkpoint's choice.
        truth: the objects in these frames, if known.
        named_types: types that a user merged or named.

    Raises:
        CheckpointError: when the frames are not those of this model.
        RecordingError: when the ground truth is not that of these frames.
        DeviceError: when the device does not exist.
    """
    encoder = FrozenEncoder(checkpoint, device, decoder, named_types)
    check_game(encoder.env_id, frames.env_id)
    if truth:
        truth.check_fits(frames.images)
    encoded = _encode(encoder, frames.images)
    found, hard = encoded.found, encoded.hard
    objects = merge_objects(encoder.in_view(found))
    sprite, num_frames = found.sprite, len(frames.images)
    sample = _evenly_spaced(frames.images, MAX_SOFT_FRAMES if checkpoint.model else 0)
    figures = Evaluation(
        decoder=encoder.decoder,
        num_frames=num_frames,
        num_soft_frames=len(sample),
        psnr_soft=_soft_psnr(encoder, sample, checkpoint.settings["train"]["max_active"]),
        psnr_hard=hard.psnr,
        exact_frames=hard.exact_frames,
        exact_pixels=hard.exact_pixels,
        num_sprites=encoder.num_sprites,
        num_sprites_used=len(np.unique(sprite[sprite > 0])),
        sprites_per_frame=int((sprite > 0).sum()) / num_frames,
        unknown_per_frame=int((sprite == 0).sum()) / num_frames,
        frames_per_second=num_frames / encoded.seconds,
        exact_palette=checkpoint.exact_palette,
        unknown_colors=encoded.unknown_colors,
        detection=score_detections(objects, truth, num_frames) if truth else None,
        tracking=_tracking(objects, truth, frames.episode) if truth else None,
        display=_display(encoder, objects, truth, num_frames) if truth else None,
    )
    return Examined(figures, encoder, objects, found, encoded.wrong_pixels)


class _Encoded(NamedTuple):
    """What encoding and rebuilding frames gave."""

    found: Detections
    hard: ReconstructionScore
    wrong_pixels: np.ndarray
    unknown_colors: float
    seconds: float


def _encode(encoder: FrozenEncoder, images: np.ndarray) -> _Encoded:
    """Encodes and rebuilds `(N, H, W, 3)` uint8 frames, some at a time."""
    encoder.encode(images[:1])  # compiles what is compiled on first use
    hard = ReconstructionScore()
    parts, wrong_pixels, seconds, unknown = [], [], 0.0, 0.0
    for start, some in chunks(images, "encoding"):
        started = time.perf_counter()
        found = encoder.encode(some)
        seconds += time.perf_counter() - started
        rebuilt = encoder.reconstruct(found, encoder.backgrounds(some))
        hard.add(some, rebuilt)
        wrong_pixels.append((some != rebuilt).any(-1).sum((1, 2)))
        unknown += float((encoder.palette.index(some) == UNKNOWN).mean((1, 2)).sum())
        parts.append((start, found))
    wrong = np.concatenate(wrong_pixels)
    return _Encoded(join(parts), hard, wrong, unknown / len(images), seconds)


def _tracking(found: Detections, truth: GroundTruth, episode: np.ndarray) -> TrackingFigures | None:
    found = found.clipped(truth.frame_size)
    return score_tracking(found, track_ids(found, episode), truth, episode)


def _display(
    encoder: FrozenEncoder, found: Detections, truth: GroundTruth, num_frames: int
) -> DisplayFigures | None:
    found = found.clipped(truth.frame_size)
    return score_display(found, encoder.is_display(found), truth, num_frames)


def _evenly_spaced(images: np.ndarray, count: int) -> np.ndarray:
    if len(images) <= count:
        return images
    return images[np.linspace(0, len(images) - 1, count).round().astype(int)]


def _soft_psnr(encoder: FrozenEncoder, images: np.ndarray, max_active: int | None) -> float:
    if not len(images):
        return math.nan
    score = ReconstructionScore()
    for _, batch in chunks(images, "rendering", SOFT_BATCH):
        score.add(batch, encoder.network.render(batch, max_active))
    return score.psnr
