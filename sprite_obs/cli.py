"""The console script: reads the flags and runs a subcommand.

Modules that load PyTorch are imported when a subcommand runs, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tyro

from sprite_obs.commands.detect import Detect
from sprite_obs.commands.evaluate import Evaluate
from sprite_obs.commands.export import Export
from sprite_obs.commands.pretrain import Pretrain
from sprite_obs.commands.record import Record
from sprite_obs.commands.sheet import Sheet
from sprite_obs.config import PretrainConfig, load_yaml, read_yaml
from sprite_obs.errors import SpriteObsError

USER_ERROR, INTERRUPTED = 2, 130

Command = Record | Pretrain | Detect | Evaluate | Sheet | Export
COMMANDS: dict[str, Callable[..., Any]] = {
    "record": Record,
    "pretrain": Pretrain,
    "detect": Detect,
    "evaluate": Evaluate,
    "sheet": Sheet,
    "export": Export,
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
