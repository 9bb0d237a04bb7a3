"""`sprite-obs export`: make a model small."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sprite_obs.commands.arguments import flag, make_folder


@dataclass(frozen=True, kw_only=True)
class Export:
    """Make a model small: leave out the network, which exact look-up does without."""

    model: Annotated[Path, flag("Folder of the model.")]
    out: Annotated[
        Path,
        flag(
            "Folder for the compact model, another one. It finds exactly what the model finds with "
            "--decoder lookup, but has no other decoder and cannot be extended; names of types are "
            "copied along."
        ),
    ]

    def run(self) -> None:
        """Exports and says how small the model has become."""
        from sprite_obs.checkpoint import MODEL_FILE, load_checkpoint
        from sprite_obs.model_folder import export_compact
        from sprite_obs.zoo.find import find_model

        folder = find_model(self.model)
        checkpoint = load_checkpoint(folder)
        make_folder(self.out)
        export_compact(folder, checkpoint, self.out)
        if checkpoint.decoder != "lookup":
            print(
                f"warning: this model prefers decoder {checkpoint.decoder}, which needs the "
                "network; the compact one finds less",
                file=sys.stderr,
            )
        before, after = ((where / MODEL_FILE).stat().st_size / 1e6 for where in (folder, self.out))
        print(f"exported a model of {before:.1f} MB with {after:.3f} MB: {self.out}")
