"""What the benchmarks share: commands measured from outside, and tables in Markdown.

The benchmarks that measure memory never import PyTorch themselves: Linux counts the memory of the
process that starts a command as the command's own.
"""

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sprite_obs.errors import SpriteObsError
from sprite_obs.files import write_atomically

ROOT = Path(__file__).parent.parent
BYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


class Usage(NamedTuple):
    """What a command took, with the processes that it started and waited for.

    Attributes:
        seconds: by the clock on the wall.
        peak_mb: peak resident memory of the largest process, in MB (10^6 bytes).
        cpu_seconds: of all cores, in user and system mode; unlike `seconds` hardly longer when the
            machine has other work. nan where they were not measured.
    """

    seconds: float
    peak_mb: float
    cpu_seconds: float = math.nan


def run_sprite_obs(*argv: object) -> Usage:
    """Runs `sprite-obs` in a process of its own, with its progress bars on stderr.

    Raises:
        SpriteObsError: when it fails; it has said why on stderr.
    """
    exit_code, usage = run_command([sys.executable, "-m", "sprite_obs", *map(str, argv)])
    if exit_code:
        raise SpriteObsError(f"`sprite-obs {argv[0]}` failed, see above")
    return usage


def run_command(command: Sequence[str]) -> tuple[int, Usage]:
    """Runs a command without its output; returns its exit code, and what it took."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak_mb = used.ru_maxrss * BYTES_OF_MAXRSS / 1e6
    return process.returncode, Usage(seconds, peak_mb, used.ru_utime + used.ru_stime)


def number(value: float, digits: int) -> str:
    """Returns a figure as text: a dash for nan, and `exact` for the PSNR of what is exact."""
    if math.isfinite(value):
        return f"{value:.{digits}f}"
    return "-" if math.isnan(value) else "exact"


def percent(share: float, digits: int) -> str:
    """Returns a share in percent; never rounded up to a perfect 100."""
    rounded = number(100 * share, digits)
    return rounded if share == 1 or float(rounded) < 100 else number(100 - 10**-digits, digits)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table whose first column stands left and all others right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_text(path: Path, text: str) -> None:
    """Writes a whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())


def run_benchmark(measure: Callable[[], str], out: Path | None) -> None:
    """Prints the table that a benchmark returns, and writes it if `out` is given.

    What the user can mend ends in one line and exit code 2.
    """
    try:
        table = measure()
        print(table)
        if out:
            write_text(out, table + "\n")
    except (SpriteObsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
