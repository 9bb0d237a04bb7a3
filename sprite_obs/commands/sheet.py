"""`sprite-obs sheet`: draw a model's dictionary anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sprite_obs.commands.arguments import flag, make_folder
from sprite_obs.games import game_name


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Draw a model's dictionary anew, by its types."""

    model: Annotated[
        Path,
        flag(
            "Folder of the model, or the name of one of the zoo; if it has a types.yaml, its names "
            "and merged types are shown."
        ),
    ]
    out: Annotated[
        Path | None,
        flag(
            "PNG file to write; if not given, dictionary.png in the model's folder, NAME.png for a "
            "model of the zoo."
        ),
    ] = None

    def run(self) -> None:
        """Draws and writes the picture."""
        from sprite_obs.checkpoint import load_checkpoint
        from sprite_obs.files import write_atomically
        from sprite_obs.model_folder import dictionary_picture
        from sprite_obs.type_names import read_named_types
        from sprite_obs.zoo.find import find_model

        folder = find_model(self.model)
        checkpoint = load_checkpoint(folder)
        named_types = read_named_types(folder, len(checkpoint.type_capacity) - 1)
        out = self.out or _default_out(self.model)
        make_folder(out.parent)
        write_atomically(out, dictionary_picture(checkpoint, named_types))
        print(f"drew {len(checkpoint.sprites)} sprites: {out}")


def _default_out(model: Path) -> Path:
    from sprite_obs.model_folder import DICTIONARY_PICTURE

    # Nothing is written into the zoo, which belongs to the installed package.
    return model / DICTIONARY_PICTURE if model.is_dir() else Path(f"{game_name(str(model))}.png")
