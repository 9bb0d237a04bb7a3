"""`sprite-obs sheet`: draw a model's dictionary anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sprite_obs.commands.arguments import flag, make_folder


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Draw a model's dictionary anew, by its types."""

    model: Annotated[
        Path,
        flag("Folder of the model; if it has a types.yaml, its names and merged types are shown."),
    ]
    out: Annotated[
        Path | None, flag("PNG file to write, dictionary.png in the model's folder if not given.")
    ] = None

    def run(self) -> None:
        """Draws and writes the picture."""
        from sprite_obs.checkpoint import load_checkpoint
        from sprite_obs.files import write_atomically
        from sprite_obs.model_folder import DICTIONARY_PICTURE, dictionary_picture
        from sprite_obs.type_names import read_named_types

        checkpoint = load_checkpoint(self.model)
        named_types = read_named_types(self.model, len(checkpoint.type_capacity) - 1)
        out = self.out or self.model / DICTIONARY_PICTURE
        make_folder(out.parent)
        write_atomically(out, dictionary_picture(checkpoint, named_types))
        print(f"drew {len(checkpoint.sprites)} sprites: {out}")
