"""What lies in a model's folder beside the checkpoint, and the compact copy of a model."""

from pathlib import Path

import numpy as np

from sprite_obs.checkpoint import (
    MODEL_FILE,
    SETTINGS_FILE,
    Checkpoint,
    is_compact,
    save_checkpoint,
)
from sprite_obs.decoders import usable_decoders
from sprite_obs.errors import CheckpointError
from sprite_obs.files import write_atomically
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.metrics.reconstruction import psnr
from sprite_obs.pretrain.state import STATE_FILE
from sprite_obs.type_names import (
    TYPES_FILE,
    NamedTypes,
    merged_types,
    names_by_id,
    read_named_types,
)
from sprite_obs.view.comparison import comparison_sheet
from sprite_obs.view.picture import to_png
from sprite_obs.view.sheet import dictionary_sheet

DICTIONARY_PICTURE = "dictionary.png"
RECONSTRUCTION_PICTURE = "reconstruction.png"
PREVIOUS = "previous"
PICTURES = DICTIONARY_PICTURE, RECONSTRUCTION_PICTURE
FILES = (MODEL_FILE, SETTINGS_FILE, STATE_FILE, TYPES_FILE, *PICTURES)
NUM_COMPARED = 4


def keep_previous(folder: Path, same_ids: bool = False) -> Path | None:
    """Copies what an earlier run left into a folder `previous` inside.

    The earlier model can be used until a new one replaces it; from then on it is in `previous`,
    where the names of its types are at once.
    What `previous` held before is lost.

    Args:
        folder: the model's folder.
        same_ids: whether types keep their ids, so that the names of types stay.

    Returns:
        The folder `previous`, or None when there was nothing to keep.
    """
    kept = [name for name in FILES if (folder / name).exists()]
    if not kept:
        return None
    previous = folder / PREVIOUS
    previous.mkdir(exist_ok=True)
    for name in FILES:
        (previous / name).unlink(missing_ok=True)
    for name in kept:
        write_atomically(previous / name, (folder / name).read_bytes())
    (folder / STATE_FILE).unlink(missing_ok=True)  # nobody should resume the earlier run here
    if not same_ids:  # the ids would mean other types of the new model
        (folder / TYPES_FILE).unlink(missing_ok=True)
    return previous


def copy_names(source: Path, folder: Path) -> None:
    """Copies the names of types, if there are any, to a model whose types have the same ids."""
    if (source / TYPES_FILE).exists() and not folder.samefile(source):
        write_atomically(folder / TYPES_FILE, (source / TYPES_FILE).read_bytes())


def export_compact(folder: Path, checkpoint: Checkpoint, out: Path) -> None:
    """Writes a model without its network, and the names of its types if there are any.

    Args:
        folder: the model's.
        checkpoint: what `load_checkpoint` returned for it.
        out: another folder; a compact model that is there is replaced.

    Raises:
        CheckpointError: when the model cannot do without its network, or `out` holds a model that
            has one.
    """
    if "lookup" not in usable_decoders(checkpoint.config):
        raise CheckpointError(
            f"expected a model that can look up, got {folder} of background "
            f"{checkpoint.config.background}, which cannot do without its network; use it as it is"
        )
    if (out / MODEL_FILE).exists() and not is_compact(out):
        raise CheckpointError(
            f"{out} holds a model with its network, which would be lost; choose another folder as "
            "--out"
        )
    save_checkpoint(out, checkpoint._replace(model=None, decoder="lookup"))
    copy_names(folder, out)


def write_pictures(folder: Path, checkpoint: Checkpoint, images: np.ndarray) -> None:
    """Draws the dictionary, and a few frames with their reconstructions.

    Args:
        folder: where `dictionary.png` and `reconstruction.png` go.
        checkpoint: the model.
        images: `(N, H, W, 3)` uint8, frames of its game.
    """
    named_types = read_named_types(folder, len(checkpoint.type_capacity) - 1)
    write_atomically(folder / DICTIONARY_PICTURE, dictionary_picture(checkpoint, named_types))
    write_atomically(folder / RECONSTRUCTION_PICTURE, to_png(_comparison(checkpoint, images)))


def dictionary_picture(checkpoint: Checkpoint, named_types: NamedTypes) -> bytes:
    """Draws the dictionary by types, as the content of a PNG file.

    Args:
        checkpoint: the model.
        named_types: the types that a user merged or named.
    """
    if checkpoint.model:
        codes = checkpoint.model.dictionary.codes().detach().cpu().numpy()
    else:  # what looks alike has codes that are alike, so the pixels do as well
        codes = checkpoint.sprites.reshape(len(checkpoint.sprites), -1) / 255
    types = merged_types(len(checkpoint.type_capacity) - 1, named_types)[checkpoint.sprite_type]
    names = names_by_id(named_types)
    return to_png(dictionary_sheet(checkpoint.sprites, codes, types, names))


def _comparison(checkpoint: Checkpoint, images: np.ndarray) -> np.ndarray:
    indices = np.linspace(0, len(images) - 1, NUM_COMPARED + 2).round().astype(int)[1:-1]
    frames = images[indices]
    encoder = FrozenEncoder(checkpoint)
    if checkpoint.config.selection == "soft":
        max_active = checkpoint.settings["train"]["max_active"]
        rebuilt = encoder.network.render(frames, max_active).round().astype(np.uint8)
    else:
        rebuilt = encoder.rebuild(frames)
    captions = [
        f"frame {index}, {_quality(psnr(frame, again))}"
        for index, frame, again in zip(indices, frames[:, None], rebuilt[:, None], strict=True)
    ]
    return comparison_sheet(frames, rebuilt, captions)


def _quality(decibels: float) -> str:
    return "exact" if np.isinf(decibels) else f"{decibels:.1f} dB"
