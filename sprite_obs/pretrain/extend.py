"""Extending a model: what is new in new frames is added, and all that it knew stays."""

import zlib
from pathlib import Path

import numpy as np
import torch

from sprite_obs.checkpoint import Checkpoint, save_checkpoint
from sprite_obs.config import PretrainConfig
from sprite_obs.errors import RecordingError
from sprite_obs.frames.sources import Frames
from sprite_obs.lookup.bank import to_canvases
from sprite_obs.lookup.palette import MAX_COLORS, Palette
from sprite_obs.model.build import build_model
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.checks import check_config, check_frames
from sprite_obs.pretrain.choice import with_better_decoder
from sprite_obs.pretrain.extended_start import start_from_model
from sprite_obs.pretrain.extension_checks import check_extension
from sprite_obs.pretrain.loop import Report, train
from sprite_obs.pretrain.parallel import is_first_process, make_fabric
from sprite_obs.pretrain.pretrain import decisive
from sprite_obs.pretrain.rehearsal import rehearse
from sprite_obs.pretrain.start import Start
from sprite_obs.pretrain.step import TrainingData
from sprite_obs.pretrain.teach import WindowSampler, window_weights
from sprite_obs.pretrain.windows import Windows, anchor_targets, collect_windows

LATENTS = "dictionary.latents"
REHEARSED = 0.05
"""Share of made-up windows. At a half, the network forgets more of what the game really shows."""
OFTEN = 20
"""Appearances in the new frames from which on a sprite need not be put into made-up ones, where it
stands at places at which the game never shows it."""


def extend(
    old: Checkpoint,
    frames: Frames,
    config: PretrainConfig,
    folder: Path,
    device: torch.device,
    resume: bool = False,
    report: Report | None = None,
) -> Checkpoint:
    """Adds to a model what is new in frames, and writes the checkpoint.

    Ids, drawings and types of its sprites stay, so do its backgrounds and the slots of its types.

    Args:
        old: the model.
        frames: the recording that shows something new.
        config: settings that `extension_config` returned.
        folder: where checkpoint and training state go; may be that of the old model.
        device: where the gradient is computed.
        resume: continue an interrupted extension in `folder`.
        report: called after each step with the losses.

    Raises:
        CheckpointError: when the model cannot be extended with these frames, or when there is no
            fitting state to resume from.
        ConfigError: when a setting is not that of the model, or its dictionary is full.
        RecordingError: when frames are too few, of another size, or show nothing new.
    """
    check_config(config)
    check_frames(frames, config)
    check_extension(old, frames, config)
    fabric = make_fabric(device, config.train)
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.num_threads)
    palette = _extended_palette(old, frames, config.seed)
    index = np.stack([palette.index(image) for image in frames.images])
    start = start_from_model(index, frames.episode, config, old, palette)
    canvases = np.concatenate([old.sprites, _new_canvases(start, palette, old)])
    drawn = torch.from_numpy(canvases).permute(0, 3, 1, 2) / 255  # (K, 4, S, S)
    model = _grown(old, drawn, config)
    images = torch.from_numpy(frames.images[:1]).permute(0, 3, 1, 2)  # no step looks at frames
    data = TrainingData(images, _sampler(index, start, palette, config, fabric.device), drawn)
    identity = {
        "config": decisive(config),
        "data": zlib.crc32(index.tobytes()),
        "extended model": _fingerprint(old),
    }
    train(model, data, config.train, fabric, folder, config.seed, identity, resume, report)
    model = model.cpu()
    model.dictionary.fit(drawn)  # teaching has moved the codes
    checkpoint = _extended(old, model, start, canvases, palette, len(index), config)
    checkpoint = with_better_decoder(checkpoint, frames.images, config.discover.max_foreground)
    if is_first_process():
        save_checkpoint(folder, checkpoint)
    return checkpoint


def _extended_palette(old: Checkpoint, frames: Frames, seed: int) -> Palette:
    try:
        usual = old.tables.usual if old.tables.usual.size else None
        return Palette(old.palette, old.exact_palette, usual).extended(frames.images, seed)
    except OverflowError:
        raise RecordingError(
            f"expected frames that add to the model's {len(old.palette)} colours at most "
            f"{MAX_COLORS - len(old.palette)}, got more; record them without loss, as those "
            "that the model was learned from"
        ) from None


def _new_canvases(start: Start, palette: Palette, old: Checkpoint) -> np.ndarray:
    return to_canvases(start.bank, palette, old.config.sprite_size)[len(old.sprites) :]


def _grown(old: Checkpoint, drawn: torch.Tensor, config: PretrainConfig) -> SpriteModel:
    """Returns the model with random codes for the new sprites; all else is as it was."""
    model = build_model(config.model, len(drawn), old.background.shape[:2])
    state = {key: value.clone() for key, value in old.network.state_dict().items()}
    new = model.dictionary.latents.detach()[len(state[LATENTS]) :]
    state[LATENTS] = torch.cat([state[LATENTS], new])
    model.load_state_dict(state)
    model.dictionary.fit(drawn)
    return model


def _sampler(
    index: np.ndarray,
    start: Start,
    palette: Palette,
    config: PretrainConfig,
    device: torch.device,
) -> WindowSampler:
    """Mixes windows of the new frames with a few of made-up ones, which show what those lack."""
    rng = np.random.default_rng(config.seed)
    often = np.bincount(start.seen.sprite, minlength=len(start.bank) + 1)[1:] >= OFTEN
    seldom = np.flatnonzero(~often) + 1
    known = start.bank, start.sprite_type, start.background, start.tables.tiles
    parts = []
    for frames, seen in ((index, start.seen), rehearse(*known, seldom, rng)):
        size = frames.shape[1:]
        targets = anchor_targets(seen, start.bank, len(frames), size, config.model)
        parts.append(collect_windows(frames, targets, config.model.anchor_stride, rng))
    weights = [window_weights(part) for part in parts]
    shares = 1 - REHEARSED, REHEARSED
    weights = [share * part / part.sum() for share, part in zip(shares, weights, strict=True)]
    mixed = Windows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    return WindowSampler(mixed, palette, device, np.concatenate(weights))


def _fingerprint(old: Checkpoint) -> int:
    weights = (value.cpu().numpy().tobytes() for value in old.network.state_dict().values())
    return zlib.crc32(b"".join([old.sprites.tobytes(), *weights]))


def _extended(
    old: Checkpoint,
    model: SpriteModel,
    start: Start,
    canvases: np.ndarray,
    palette: Palette,
    num_frames: int,
    config: PretrainConfig,
) -> Checkpoint:
    extension = {
        "num_frames": num_frames,
        "former_sprites": len(old.sprites),
        "former_types": len(old.type_capacity) - 1,
        "former_window": old.tables.window.tolist(),
        "seed": config.seed,
        "teach_iterations": config.train.teach_iterations,
    }
    return old._replace(
        model=model,
        sprites=canvases,
        palette=palette.colors,
        sprite_type=start.sprite_type,
        type_capacity=start.type_capacity,
        tables=start.tables,
        settings=old.settings | {"extended": [*old.settings.get("extended", []), extension]},
    )
