"""Runs the scripts in agents/, by their command lines or in this process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "agents"))

TINY = ["--num-envs", "2", "--ppo.n-steps", "16", "--ppo.batch-size", "16", "--ppo.n-epochs", "1"]


def run(script: str, *flags: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "agents" / script, *flags]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd)


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def error_of(module, monkeypatch, capsys, *flags: object) -> str:
    """Runs a script in this process, which is faster, and returns its one line of complaint."""
    monkeypatch.setattr(sys, "argv", [module.__name__, *(str(flag) for flag in flags)])
    with pytest.raises(SystemExit) as stop:
        module.main()
    output = capsys.readouterr()
    assert stop.value.code == 2
    assert output.out == ""
    assert output.err.startswith("error: ") and output.err.count("\n") == 1
    return output.err
