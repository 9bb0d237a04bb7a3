"""`sprite-obs detect`: find the sprites of frames."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from sprite_obs.commands.arguments import Data, Decoder, Device, Model, flag, make_folder


@dataclass(frozen=True, kw_only=True)
class Detect:
    """Find the sprites of frames."""

    model: Model
    data: Data
    out: Annotated[
        Path,
        flag(
            "The .npz file to write: flat arrays with one row per sprite, in the order of the "
            "frames. frame; id, the type, 0 if not in the dictionary; sprite, the sprite id, "
            "likewise; layer, 0 at the back; object, equal for fragments of one object; display, "
            "whether it is score, lives or a logo; track, the number of the thing in its episode, "
            "kept from frame to frame; x, y, w, h, left, top, width and height in pixels; "
            "score, 0 to 1."
        ),
    ]
    decoder: Decoder = None
    device: Device = "auto"

    def run(self) -> None:
        """Detects and writes the table."""
        from sprite_obs.detect import detect
        from sprite_obs.files import write_atomically
        from sprite_obs.frames.sources import read_frames
        from sprite_obs.frozen import FrozenEncoder

        encoder = FrozenEncoder.load(self.model, self.device, self.decoder)
        frames = read_frames(self.data)
        make_folder(self.out.parent)
        table = detect(encoder, frames)
        file = io.BytesIO()
        np.savez_compressed(file, **table)  # type: ignore[arg-type]
        write_atomically(self.out, file.getvalue())
        print(f"found {len(table['frame'])} sprites: {self.out}")
