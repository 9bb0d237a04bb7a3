"""Pretraining as a whole: recorded frames in, a checkpoint out."""

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from sprite_obs.checkpoint import Checkpoint, Tables, save_checkpoint
from sprite_obs.config import PretrainConfig, to_dict
from sprite_obs.frames.sources import Frames
from sprite_obs.lookup.bank import from_canvases, to_canvases
from sprite_obs.lookup.palette import Palette
from sprite_obs.model.background import kmeans_color
from sprite_obs.model.build import build_model
from sprite_obs.model.scroll import ScrollBackground, stitch
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.checks import check_config, check_frames
from sprite_obs.pretrain.choice import with_better_decoder, with_better_drawings
from sprite_obs.pretrain.loop import Report, train
from sprite_obs.pretrain.parallel import is_first_process, make_fabric
from sprite_obs.pretrain.start import Start, start_from_frames
from sprite_obs.pretrain.step import TrainingData
from sprite_obs.pretrain.teach import WindowSampler
from sprite_obs.pretrain.windows import anchor_targets, collect_windows

GUESS_FRAMES = 64
"""Frames from which a background's first guess is made."""


def pretrain(
    frames: Frames,
    config: PretrainConfig,
    folder: Path,
    device: torch.device,
    resume: bool = False,
    report: Report | None = None,
) -> Checkpoint:
    """Learns background, sprites and encoder from frames and writes the checkpoint.

    Args:
        frames: the recording.
        config: everything that decides what is learned.
        folder: where checkpoint and training state go.
        device: where the gradient is computed.
        resume: continue an interrupted run in `folder`.
        report: called after each step with the losses.

    Raises:
        ConfigError: when settings do not go together, or processes cannot share the batches.
        RecordingError: when frames are too few or too small, or nothing recurs in them.
        CheckpointError: when there is no fitting state to resume from.
        SpriteObsError: when training comes to nothing.
    """
    check_config(config)
    check_frames(frames, config)
    fabric = make_fabric(device, config.train)
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.num_threads)
    material = _prepare(frames, config)
    model = _build(material, config)
    data = _training_data(material, config, fabric.device)
    identity = {"config": decisive(config), "data": zlib.crc32(material.indices.tobytes())}
    train(model, data, config.train, fabric, folder, config.seed, identity, resume, report)
    checkpoint = _freeze(model.cpu(), material, config)
    judged = frames.images, config.discover.max_foreground
    if material.start:
        counted = _counted(material.start, material.palette, config)
        checkpoint = with_better_drawings(checkpoint, *counted, *judged)
    checkpoint = with_better_decoder(checkpoint, *judged)
    if is_first_process():
        save_checkpoint(folder, checkpoint)
    return checkpoint


def decisive(config: PretrainConfig) -> dict[str, Any]:
    """Returns the settings that decide what is learned, not how fast or how often it is saved."""
    values = to_dict(config)
    del values["num_threads"], values["train"]["checkpoint_every"]
    return values


class _Material(NamedTuple):
    """The recording in the forms that the steps need.

    Attributes:
        frames: the recording.
        palette: its colours.
        indices: `(N, H, W)` uint8, indices of these colours.
        color: `(3,)` RGB in [0, 1] of a solid background; None for another.
        start: what was counted; None for a random start.
    """

    frames: Frames
    palette: Palette
    indices: np.ndarray
    color: torch.Tensor | None
    start: Start | None


def _prepare(frames: Frames, config: PretrainConfig) -> _Material:
    counts = config.train.init == "frames"
    palette = Palette.of_frames(frames.images, config.seed, still=counts)
    index = np.stack([palette.index(image) for image in frames.images])
    color = background = None
    if config.model.background == "color":
        color = kmeans_color(frames.images, config.seed)
        nearest = palette.nearest(color.numpy()[None] * 255)
        background = np.broadcast_to(nearest, index.shape[1:]).copy()
    start = None
    if counts:
        start = start_from_frames(index, frames.episode, config, background)
    return _Material(frames, palette, index, color, start)


def _build(material: _Material, config: PretrainConfig) -> SpriteModel:
    """Builds the model and, if sprites were counted, lets its dictionary start with them."""
    height, width = material.indices.shape[1:]
    start, background = material.start, _first_background(material, config)
    num_sprites = len(start.bank) if start else config.model.num_sprites
    model = build_model(config.model, num_sprites, (height, width), background)
    if start:
        drawn = _drawn(start, material.palette, config)
        model.dictionary.relate_codes(drawn)
        model.dictionary.fit(drawn)
    return model


def _first_background(material: _Material, config: PretrainConfig) -> torch.Tensor:
    """Returns what the background starts from, as `build_model` takes it."""
    if material.color is not None:
        return material.color
    if material.start:
        image = material.palette.rgb(material.start.background.image)
        return torch.from_numpy(image).permute(2, 0, 1) / 255
    some = _a_few(material.frames.images, config.seed)
    if config.model.background == "scroll":
        return stitch(some, (config.model.scroll_y, config.model.scroll_x))
    return some.median(0).values


def _a_few(images: np.ndarray, seed: int) -> torch.Tensor:
    """Draws frames to guess from, in their order: `(n, 3, H, W)` in [0, 1]."""
    rng = np.random.default_rng(seed)
    some = rng.choice(len(images), min(GUESS_FRAMES, len(images)), replace=False)
    return torch.from_numpy(images[np.sort(some)]).permute(0, 3, 1, 2) / 255


def _counted(
    start: Start, palette: Palette, config: PretrainConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Draws what was counted: sprites `(K, S, S, 4)` and background `(H, W, 3)`, both uint8."""
    canvases = to_canvases(start.bank, palette, config.model.sprite_size)
    return canvases, palette.rgb(start.background.image)


def _drawn(start: Start, palette: Palette, config: PretrainConfig) -> torch.Tensor:
    """Draws the counted sprites: `(K, 4, S, S)` in [0, 1]."""
    return torch.from_numpy(_counted(start, palette, config)[0]).permute(0, 3, 1, 2) / 255


def _training_data(
    material: _Material, config: PretrainConfig, device: torch.device
) -> TrainingData:
    images = torch.from_numpy(material.frames.images).permute(0, 3, 1, 2)
    images = images.to(device)  # once: a GPU would wait for every batch otherwise
    if material.start is None:
        return TrainingData(images)
    index, start = material.indices, material.start
    targets = anchor_targets(start.seen, start.bank, len(index), index.shape[1:], config.model)
    rng = np.random.default_rng(config.seed)
    windows = collect_windows(index, targets, config.model.anchor_stride, rng)
    sampler = WindowSampler(windows, material.palette, device)
    return TrainingData(images, sampler, _drawn(start, material.palette, config))


def _freeze(model: SpriteModel, material: _Material, config: PretrainConfig) -> Checkpoint:
    """Rounds what was learned to the game's colours."""
    sprites, background = bake(model, material.palette)
    num_sprites = len(sprites)
    start = material.start
    unknown = Tables.unknown(num_sprites, num_sprites, background.shape[:2])
    return Checkpoint(
        model=model,
        config=config.model,
        sprites=sprites,
        background=background,
        palette=material.palette.colors,
        exact_palette=material.palette.exact,
        sprite_type=start.sprite_type if start else np.arange(1, num_sprites + 1, dtype=np.int32),
        type_capacity=start.type_capacity if start else np.ones(num_sprites + 1, np.int32),
        tables=_with_usual(start.tables if start else unknown, material.palette),
        decoder="lookup",
        env_id=material.frames.env_id,
        settings={"num_frames": len(material.indices)} | to_dict(config),
    )


def _with_usual(tables: Tables, palette: Palette) -> Tables:
    return tables if palette.usual is None else tables._replace(usual=palette.usual)


def bake(model: SpriteModel, palette: Palette) -> tuple[np.ndarray, np.ndarray]:
    """Rounds learned sprites and background to exact pixels (paper, section 3.1, last sentence).

    Returns:
        `(K, S, S, 4)` uint8 RGBA with binary alpha, centred, and `(H, W, 3)` uint8 background.
    """
    with torch.no_grad():
        rgba = model.dictionary().permute(0, 2, 3, 1).mul(255).round().byte().numpy()
        image = _middle(model).permute(1, 2, 0).mul(255).round().byte().numpy()
    bank = from_canvases(rgba, palette)
    height, width, _ = image.shape
    background = palette.rgb(palette.nearest(image.reshape(-1, 3))).reshape(height, width, 3)
    return to_canvases(bank, palette, model.dictionary.sprite_size), background


def _middle(model: SpriteModel) -> torch.Tensor:
    """Returns the background, `(3, H, W)`; of one that scrolls, the middle."""
    if not isinstance(model.background, ScrollBackground):
        return model.background()
    (height, width), (below, right) = model.background.frame_size, model.background.reach
    return model.background.whole()[:, below // 2 :, right // 2 :][:, :height, :width]
