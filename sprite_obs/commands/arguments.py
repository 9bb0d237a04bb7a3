"""What several subcommands have in common: kinds of arguments, and the folder to write into."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro


def flag(about: str, metavar: str | None = None) -> Any:
    """Describes an argument, and names its value."""
    # tyro breaks the lines of field docstrings where the source does; these texts are too long.
    return tyro.conf.arg(help=about, metavar=metavar)


Data = Annotated[
    Path,
    flag("Frames: a recording, an .npz file with `frames`, a folder of PNG files or a video."),
]
Model = Annotated[Path, flag("Folder of the model, or the name of one of the zoo, such as pong.")]
Decoder = Annotated[
    Literal["lookup", "network", "both"] | None,
    flag(
        "How sprites are found, if not as the model prefers: lookup compares exact pixels, network "
        "trusts the learned encoder alone, both asks the network for what the look-up leaves and "
        "keeps what the frame confirms.",
        "{lookup,network,both}",
    ),
]
Device = Annotated[
    Literal["cpu", "cuda", "auto"], flag("Where the network runs; auto is cuda if there is one.")
]


def make_folder(folder: Path) -> None:
    """Makes a folder and fails if nothing can be written there: now, not after the work."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
