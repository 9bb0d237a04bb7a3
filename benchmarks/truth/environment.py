"""A Python environment of its own for OCAtari, which requires what sprite_obs cannot have.

`python benchmarks/truth/environment.py` makes it, and so do all benchmarks that need it.
"""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

from sprite_obs.errors import SpriteObsError

OCATARI = "ocatari==2.2.1"
ENVIRONMENT = Path(__file__).parents[2] / "models" / "ocatari"
"""Folder of the environment, if no other is named."""
REQUIREMENTS = (
    "numpy<2",  # OCAtari adds bytes of the memory, which wraps around since numpy 2
    "gymnasium",
    # What importing OCAtari asks for; the rest of what it requires is for its scripts.
    "matplotlib",
    "opencv-python-headless",
    "pygame",
    "scikit-image",
    "scipy",
    "termcolor",
)
STAMP = ".installed"
"""File of a finished environment; holds what is installed there."""


def ocatari_python(folder: Path) -> Path:
    """Returns a Python that can import OCAtari; makes its environment if it is not there yet.

    Args:
        folder: of the environment. One that is unfinished or holds other versions is made anew.

    Raises:
        SpriteObsError: when a package cannot be installed.
    """
    # The same emulator as everywhere else, so that frames are the same.
    wanted = [*REQUIREMENTS, f"ale-py=={metadata.version('ale-py')}"]
    python, stamp = folder / "bin" / "python", folder / STAMP
    text = "\n".join([*wanted, OCATARI])
    if stamp.is_file() and stamp.read_text() == text:
        return python
    print(f"installing {OCATARI} in {folder}", file=sys.stderr)
    _run(sys.executable, "-m", "venv", "--clear", folder)
    install = python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"
    _run(*install, *wanted)
    _run(*install, "--no-deps", OCATARI)
    stamp.write_text(text)
    return python


def _run(*command: object) -> None:
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        said = (result.stderr or result.stdout).strip()
        raise SpriteObsError(
            f"could not make an environment for {OCATARI}:\n{said}\n"
            "check the connection and the index that pip uses, then run again"
        )


def main() -> None:
    """Makes the environment, if it is not there yet, and says where its Python is."""
    try:
        print(ocatari_python(ENVIRONMENT))
    except SpriteObsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
