"""The console script: one subcommand per stage, which only joins what the other modules do.

Modules that load PyTorch are imported when a subcommand runs, so that `--help` answers at once.
"""

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import gymnasium
import numpy as np
import tyro
from tqdm import tqdm

from sprite_obs.config import PretrainConfig, load_yaml, read_yaml
from sprite_obs.errors import SpriteObsError
from sprite_obs.frames.policies import RANDOM_SHARE

if TYPE_CHECKING:
    from sprite_obs.evaluate import Evaluation

USER_ERROR, INTERRUPTED = 2, 130


def _flag(about: str, metavar: str | None = None) -> Any:
    # tyro breaks the lines of field docstrings where the source does; these texts are too long.
    return tyro.conf.arg(help=about, metavar=metavar)


Data = Annotated[
    Path,
    _flag("Frames: a recording, an .npz file with `frames`, a folder of PNG files or a video."),
]
Decoder = Annotated[
    Literal["lookup", "network", "both"] | None,
    _flag(
        "How sprites are found, if not as the model prefers: lookup compares exact pixels, network "
        "trusts the learned encoder alone, both asks the network for what the look-up leaves and "
        "keeps what the frame confirms.",
        "{lookup,network,both}",
    ),
]
Device = Annotated[
    Literal["cpu", "cuda", "auto"], _flag("Where the network runs; auto is cuda if there is one.")
]


@dataclass(frozen=True, kw_only=True)
class Record:
    """Play an environment and keep its frames."""

    env: str
    """Id of the environment, such as ALE/Pong-v5."""
    out: Path
    """Folder of the recording; must not hold one already."""
    frames: int = 3000
    """Frames to record."""
    seed: int = 0
    """Seed of the environment and of the policy."""
    policy: Annotated[
        str,
        _flag(
            "sticky (random actions, held for a while), random, or the zip file of an agent that "
            "Stable-Baselines3 saved. Such a file can run code when loaded: use only your own."
        ),
    ] = "sticky"
    model: Annotated[
        Path | None,
        _flag("Folder of the model whose sprites an agent of agents/train_ppo.py observes."),
    ] = None
    random_share: float = RANDOM_SHARE
    """Share of the time in which random actions take an agent's place."""

    def run(self) -> None:
        """Records and says what was stored."""
        import ale_py

        from sprite_obs.frames.record import record

        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # no banner
        observe = self._observe if self.model else None
        choices = self.seed, self.policy, self.random_share, observe
        stored = record(self.env, self.frames, self.out, *choices)
        megabytes = stored.num_bytes / 1e6
        print(
            f"recorded {stored.num_frames} frames in {stored.num_episodes} episodes "
            f"({megabytes:.1f} MB): {self.out}"
        )

    def _observe(self, env: gymnasium.Env, max_sprites: int) -> gymnasium.Env:
        from sprite_obs.wrapper import SpriteObservation

        assert self.model is not None
        try:
            return SpriteObservation(env, self.model, max_sprites)
        except (TypeError, ValueError) as error:
            raise SpriteObsError(str(error)) from error


@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """Learn a game's sprites from its frames."""

    data: Data
    out: Annotated[
        Path,
        _flag(
            "Folder of the model: model.safetensors (the checkpoint), model.json (its settings), "
            "dictionary.png, reconstruction.png and training.safetensors (what --resume needs). A "
            "model that is there already is not lost: it is kept in the subfolder 'previous', in "
            "place of an older one, and can be used until the new one is ready."
        ),
    ]
    config: Annotated[
        Path | None,
        _flag("YAML file that overrides the defaults below; flags override it in turn.", "YAML"),
    ] = None
    device: Device = "auto"
    resume: bool = False
    """Continue the run that was interrupted in this folder, with the same data and settings."""
    extend: Annotated[
        Path | None,
        _flag(
            "Folder of a model to which what is new in these frames is added: its sprites keep "
            "their ids, types and looks, and its settings are the defaults. May be the same as "
            "--out; docs/extending.md says what stays and what is added.",
            "MODEL",
        ),
    ] = None
    settings: Annotated[PretrainConfig, tyro.conf.arg(name="")] = field(
        default_factory=PretrainConfig
    )

    def run(self) -> None:
        """Learns and writes the checkpoint and its pictures."""
        from sprite_obs.checkpoint import load_checkpoint
        from sprite_obs.frames.sources import read_frames
        from sprite_obs.frozen import choose_device
        from sprite_obs.model_folder import copy_names, keep_previous, write_pictures
        from sprite_obs.pretrain.checks import check_config, check_frames
        from sprite_obs.pretrain.extend import extend
        from sprite_obs.pretrain.extension_checks import check_extension
        from sprite_obs.pretrain.parallel import is_first_process
        from sprite_obs.pretrain.pretrain import pretrain
        from sprite_obs.pretrain.state import STATE_FILE

        device = choose_device(self.device)
        check_config(self.settings)
        frames = read_frames(self.data)
        check_frames(frames, self.settings)  # before an earlier model is put away
        old = load_checkpoint(self.extend) if self.extend else None
        if old:
            check_extension(old, frames, self.settings)
        _make_folder(self.out)
        first = is_first_process()
        same = self.extend is not None and self.out.samefile(self.extend)
        if first and not self.resume and (previous := keep_previous(self.out, same)):
            print(f"kept what {self.out} held in {previous}", file=sys.stderr)
        try:
            with _step_bar(self.settings) as report:
                rest = frames, self.settings, self.out, device, self.resume, report
                checkpoint = extend(old, *rest) if old else pretrain(*rest)
        except KeyboardInterrupt:
            can_resume = (self.out / STATE_FILE).exists()
            hint = "; go on with the same command and --resume" if can_resume else ""
            raise KeyboardInterrupt(f"interrupted{hint}") from None
        if not first:
            return
        if self.extend:
            copy_names(self.extend, self.out)
        write_pictures(self.out, checkpoint, frames.images)
        if not checkpoint.exact_palette:
            print(
                "warning: these frames hold more than 255 colours, as frames that were scaled or "
                "compressed do; sprites are found less exactly than in frames without loss, which "
                "`sprite-obs record` and PNG files of the emulator's own size give",
                file=sys.stderr,
            )
        num_sprites, num_types = len(checkpoint.sprites), len(checkpoint.type_capacity) - 1
        slots = int(checkpoint.tables.object_capacity[1:].sum())
        room = f"max_sprites={slots} has room for all that was seen at once"
        if old:
            num_sprites -= len(old.sprites)
            num_types -= len(old.type_capacity) - 1
        what = f"{'new ' if old else ''}sprites of {num_types} {'new ' if old else ''}types"
        print(f"learned {num_sprites} {what} ({room}): {self.out}")


@dataclass(frozen=True, kw_only=True)
class Detect:
    """Find the sprites of frames."""

    model: Path
    """Folder of the model."""
    data: Data
    out: Annotated[
        Path,
        _flag(
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
        _make_folder(self.out.parent)
        table = detect(encoder, frames)
        file = io.BytesIO()
        np.savez_compressed(file, **table)  # type: ignore[arg-type]
        write_atomically(self.out, file.getvalue())
        print(f"found {len(table['frame'])} sprites: {self.out}")


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure how well a model explains frames."""

    model: Path
    """Folder of the model."""
    data: Data
    out: Annotated[
        Path | None,
        _flag("JSON file for the figures, which are shown on the screen in any case.", "JSON"),
    ] = None
    ground_truth: Annotated[
        Path | None,
        _flag(
            "An .npz file that says where the objects of these frames are, to measure detection "
            "and identity too; docs/detection.md describes it.",
            "NPZ",
        ),
    ] = None
    report: Annotated[
        Path | None,
        _flag(
            "HTML file that shows what is missed: the figures, the worst frames beside their "
            "reconstruction, the dictionary by types and the background; any browser opens it.",
            "HTML",
        ),
    ] = None
    decoder: Decoder = None
    device: Device = "auto"

    def run(self) -> None:
        """Measures, shows a table and writes the figures."""
        from sprite_obs.checkpoint import load_checkpoint
        from sprite_obs.evaluate import examine
        from sprite_obs.files import write_atomically
        from sprite_obs.frames.sources import read_frames
        from sprite_obs.metrics.ground_truth import read_ground_truth
        from sprite_obs.report import report_page
        from sprite_obs.type_names import read_named_types

        checkpoint = load_checkpoint(self.model)
        named_types = read_named_types(self.model, len(checkpoint.type_capacity) - 1)
        frames = read_frames(self.data)
        truth = read_ground_truth(self.ground_truth) if self.ground_truth else None
        for file in filter(None, (self.out, self.report)):
            _make_folder(file.parent)
        examined = examine(checkpoint, frames, self.device, self.decoder, truth, named_types)
        figures, title = examined.figures, f"{self.model} on {self.data}"
        _show(figures, title)
        if self.report:
            page = report_page(title, examined, frames, truth)
            write_atomically(self.report, page.encode())
        if self.out:
            values = {"model": str(self.model), "data": str(self.data)} | figures.to_json()
            write_atomically(self.out, (json.dumps(values, indent=2) + "\n").encode())


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Draw a model's dictionary anew, by its types."""

    model: Annotated[
        Path,
        _flag("Folder of the model; if it has a types.yaml, its names and merged types are shown."),
    ]
    out: Annotated[
        Path | None, _flag("PNG file to write, dictionary.png in the model's folder if not given.")
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
        _make_folder(out.parent)
        write_atomically(out, dictionary_picture(checkpoint, named_types))
        print(f"drew {len(checkpoint.sprites)} sprites: {out}")


Command = Record | Pretrain | Detect | Evaluate | Sheet
COMMANDS: dict[str, Callable[..., Any]] = {
    "record": Record,
    "pretrain": Pretrain,
    "detect": Detect,
    "evaluate": Evaluate,
    "sheet": Sheet,
}


def main(argv: list[str] | None = None) -> int:
    """Runs a subcommand and returns the exit code; what a user can mend ends in one line and 2."""
    # Threads that wait must not spin: on a busy machine that takes three times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        parse_args(sys.argv[1:] if argv is None else argv).run()
    except SpriteObsError as error:
        return _fail(str(error), USER_ERROR)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _fail(reason, USER_ERROR)
    except KeyboardInterrupt as interrupt:
        return _fail(str(interrupt) or "interrupted", INTERRUPTED)
    return 0


def parse_args(argv: list[str]) -> Command:
    """Reads the flags; those of `pretrain` twice, so that they override the file they name."""
    description = "Learn a game's sprites from its frames."
    config = (tyro.conf.FlagCreatePairsOff,)
    command = tyro.extras.subcommand_cli_from_dict(
        COMMANDS, prog="sprite-obs", description=description, args=argv, config=config
    )
    if not isinstance(command, Pretrain) or not (command.config or command.extend):
        return command
    settings = load_yaml(PretrainConfig, command.config) if command.config else PretrainConfig()
    if command.extend:
        settings = _extension_settings(command.extend, command.config)
    default = Pretrain(data=command.data, out=command.out, settings=settings)
    return tyro.cli(
        Pretrain, prog="sprite-obs pretrain", args=argv[1:], default=default, config=config
    )


def _extension_settings(model: Path, config: Path | None) -> PretrainConfig:
    from sprite_obs.checkpoint import load_checkpoint
    from sprite_obs.pretrain.extension_checks import extension_config

    return extension_config(load_checkpoint(model), read_yaml(config) if config else {})


def _fail(reason: str, code: int) -> int:
    print(f"sprite-obs: error: {' '.join(reason.split())}", file=sys.stderr)
    return code


def _make_folder(folder: Path) -> None:
    """Makes a folder and fails if nothing can be written there: now, not after the work."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def _step_bar(config: PretrainConfig) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """Shows a bar over all steps, and yields what moves it to a step and shows its losses."""
    from sprite_obs.pretrain.parallel import is_first_process

    teaching = config.train.teach_iterations if config.train.init == "frames" else 0
    steps, hidden = teaching + config.train.iterations, not is_first_process()
    with tqdm(total=steps, desc="counting", unit="step", disable=hidden) as bar:

        def report(step: int, losses: dict[str, float]) -> None:
            bar.set_description("teaching" if step <= teaching else "training", refresh=False)
            bar.set_postfix({k: f"{v:.2g}" for k, v in losses.items()}, refresh=False)
            bar.update(step - bar.n)

        yield report


def _show(figures: "Evaluation", title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in figures.to_rows():
        table.add_row(name, value)
    Console().print(table)
