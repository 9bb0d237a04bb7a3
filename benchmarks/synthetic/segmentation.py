"""An object cut out of a video by the sprites that make it up (paper, figure 9)."""

from pathlib import Path

import numpy as np

from sprite_obs.errors import ConfigError
from synthetic.clip import write_video
from synthetic.pixel_art import enlarge
from synthetic.trial import write_picture

DIMMED = 0.25
"""Brightness of what is left out."""
NUM_SHOWN = 4


def parse_sprites(text: str, num_sprites: int) -> np.ndarray:
    """Reads sprite ids with commas between them: `(C,)` int64.

    Raises:
        ConfigError: when one of them is no id of the dictionary.
    """
    ids = text.split(",")
    if not all(item.isdecimal() and 1 <= int(item) <= num_sprites for item in ids):
        raise ConfigError(f"sprites: expected ids from 1 to {num_sprites}, as 3,5,9; got {text}")
    return np.array([int(item) for item in ids])


def choose_sprites(shown: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Chooses the sprites that make up an object.

    Args:
        shown: `(N, H, W)` int32 sprite ids, 0 for the background, of a few frames.
        masks: `(N, H, W)` bool, the object's pixels there.

    Returns:
        `(C,)` int64, the ids of which most shown pixels lie within the object.
    """
    total = np.bincount(shown.ravel())
    inside = np.bincount(shown[masks], minlength=len(total))
    return np.flatnonzero((inside > total / 2) & (np.arange(len(total)) > 0))


def write_segmentation(folder: Path, images: np.ndarray, segment: np.ndarray) -> list[Path]:
    """Writes all frames with everything else dimmed, as a video, and a few of them as a picture.

    Args:
        folder: where both go.
        images: `(N, H, W, 3)` uint8.
        segment: `(N, H, W)` bool.

    Returns:
        The files.
    """
    dimmed = (images * DIMMED).astype(np.uint8)
    cut = np.where(segment[..., None], images, dimmed)
    video, picture = folder / "segmentation.mp4", folder / "segmentation.png"
    write_video(video, np.concatenate([images, cut], axis=2))  # (N, H, 2 W, 3)
    places = np.linspace(0, len(images) - 1, NUM_SHOWN).round().astype(int)
    rows = [np.concatenate(list(part[places]), axis=1) for part in (images, cut)]
    write_picture(picture, enlarge(np.concatenate(rows), 2))
    return [video, picture]
