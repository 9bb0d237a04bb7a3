"""Runs benchmarks/training_speed.py and benchmarks/ablations.py in a tiny setting."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import ablations
import measure
import training_speed
from synthetic.trial import Data

from sprite_obs.config import PretrainConfig, load_yaml
from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.pretrain.checks import check_config

ROOT = Path(__file__).parent.parent
COLLAPSE = "sprite-obs: error: collapsed at step 500: no anchor shows a sprite; lower something\n"


def run(script: str, *flags: object) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "benchmarks" / script, *flags]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def table(text: str) -> list[dict[str, str]]:
    """Reads the Markdown table at the beginning of a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    header, _, *rows = [line.strip("| ").split(" | ") for line in lines]
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def stderr_kept():
    """Gives the error output back to the process that runs the tests."""
    kept = os.dup(ablations.STDERR)
    yield
    os.dup2(kept, ablations.STDERR)
    os.close(kept)


@pytest.fixture
def data(tmp_path) -> Data:
    return Data(tmp_path / "frames_train.npz", np.zeros((1, 64, 64, 3), np.uint8))


BURN = "import time\nwhile time.process_time() < {}: pass"


def test_seconds_of_the_cpu_include_those_of_children():
    child = [sys.executable, "-c", BURN.format(0.4)]
    code = f"import subprocess, time; subprocess.run({child}); time.sleep(0.3); exit(3)"
    exit_code, usage = measure.run_command([sys.executable, "-c", code])
    assert exit_code == 3
    assert 0.4 <= usage.cpu_seconds < usage.seconds - 0.2, "sleeping costs none"


def test_usage_that_was_written_down_before_cpu_seconds_were_measured():
    cells = measure.number(measure.Usage(**{"seconds": 3.0, "peak_mb": 100.0}).cpu_seconds, 0)
    assert cells == "-"


def test_training_speed(tmp_path):
    out = tmp_path / "table.md"
    few = "--warmup", 1, "--iterations", 2, "--batch-sizes", 2, "--threads", 1
    flags = *few, "--only", "recipe", "--peak-tflops", 1000, "--out", out
    result = run("training_speed.py", *flags)
    assert result.returncode == 0, result.stderr
    assert out.read_text() == result.stdout
    (row,) = table(result.stdout)
    assert (row["variant"], row["batch"], row["device"]) == ("recipe", "2", "CPU, 1 threads")
    seconds = float(row["seconds per iteration"])
    assert float(row["iterations/s"]) == pytest.approx(1 / seconds, rel=0.1)
    assert float(row["times faster than 30 s"]) == pytest.approx(30 / 4 / seconds, rel=0.1)
    assert 200 < float(row["peak memory, MB"]) <= float(row["peak with a check, MB"]) < 4000
    assert row["peak on the device, MB"] == "-"
    assert 1 < float(row["GFLOP per iteration"]) < 100
    assert 0 <= float(row["share of the device's peak, %"]) < 1
    assert "measured once" in " ".join(result.stdout.split())


def test_the_setting_of_the_published_code():
    variants = training_speed.variants()
    assert variants["paper"] == load_yaml(PretrainConfig, training_speed.CONFIGS / "paper.yaml")
    for name, config in variants.items():
        check_config(config)
        assert (config.model.num_layers, config.model.num_sprites) == (2, 150)
        assert config.train.batch_size == 8
        assert config.model.anchor_stride == 128 // 8 or name == "recipe-own-anchors"
        assert config.train.dreams == name.startswith("recipe") == config.train.reassigns
        assert (config.model.shifts == "crop") == (name == "paper")
        everything = name in ("paper", "paper-shared-shifts", "recipe-all-anchors")
        assert (config.train.max_active is None) == everything


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"only": "paper,nothing"}, "only: expected some of paper, .*, got 'nothing'"),
        ({"batch_sizes": "8,x"}, "expected numbers"),
        ({"iterations": 0}, "expected numbers"),
    ],
)
def test_speed_of_what_does_not_exist(wrong, message):
    with pytest.raises(ConfigError, match=message):
        training_speed.measure(training_speed.Args(**wrong))


def test_too_little_memory(monkeypatch):
    def fail(*_: object) -> None:
        raise training_speed.torch.cuda.OutOfMemoryError

    monkeypatch.setattr(training_speed, "_measured", fail)
    args = training_speed.Args(precision="bf16")
    figures = training_speed.measure_here(training_speed.variants()["paper"], args)
    row = training_speed.cells("paper", 8, figures, args)
    assert row == ["paper", "8", "CPU, 2 threads, bf16", "out of memory", *["-"] * 7]


def test_ablations(tmp_path, stderr_kept):
    out, folder = tmp_path / "table.md", tmp_path / "models"
    few = "--iterations", 2, "--frames", 60, "--folder", folder
    result = run("ablations.py", "--only", "no-dreams", *few, "--out", out)
    assert result.returncode == 0, result.stderr
    assert out.read_text() == result.stdout
    (row,) = table(result.stdout)
    assert row["variant"] == "no-dreams" and 0 <= int(row["recovered, of 11"]) <= 11
    assert 0 < float(row["mean best IoU"]) < 1
    assert 3 < float(row["PSNR hard, dB"]) < 40 and 3 < float(row["PSNR soft, dB"]) < 40
    assert row["sprites used"].endswith(" of 12") and float(row["training, s"]) > 0
    assert float(row["CPU, s"]) > 0
    settings = load_yaml(PretrainConfig, folder / "settings" / "no-dreams.yaml")
    assert (settings.train.iterations, settings.train.dream_weight) == (2, 0)
    assert "training" in (folder / "no-dreams.log").read_text()
    learned = (folder / "no-dreams" / "model.safetensors").stat().st_mtime_ns
    args = ablations.Args(iterations=2, frames=60, folder=folder)
    data = Data(folder / "frames_train.npz", np.load(folder / "frames_test.npz")["frames"])
    assert ablations.learn("no-dreams", data, args) == list(row.values())
    assert (folder / "no-dreams" / "model.safetensors").stat().st_mtime_ns == learned


def test_every_variant_changes_something(tmp_path):
    args = ablations.Args(threads=2)
    configs = {
        name: load_yaml(PretrainConfig, ablations.write_settings(name, args, tmp_path))
        for name in ablations.VARIANTS
    }
    for name, config in configs.items():
        check_config(config)
        assert (config.train.iterations, config.num_threads) == (1500, 2)
        assert (config == configs["recipe"]) == (name == "recipe")
    faster = replace(configs["paper-losses"].train, learning_rate=2e-3)
    assert configs["paper-losses-2e-3"].train == faster


def test_a_collapse_is_a_row(data, monkeypatch, stderr_kept):
    calls = []

    def collapse(*_: object, **__: object) -> None:
        calls.append(1)
        os.write(ablations.STDERR, COLLAPSE.encode())
        raise SpriteObsError("`sprite-obs pretrain` failed, see above")

    monkeypatch.setattr(ablations, "run_trial", collapse)
    args = ablations.Args(folder=data.train.parent)
    row = ["recipe", "collapsed at step 500", *["-"] * 6]
    assert [ablations.learn("recipe", data, args) for _ in range(2)] == [row] * 2
    assert len(calls) == 1, "it is known to collapse"
    assert ablations.learn("recipe", data, replace(args, iterations=600)) == row
    assert len(calls) == 2


def test_another_failure_is_no_row(data, monkeypatch, stderr_kept):
    def fail(*_: object, **__: object) -> None:
        raise SpriteObsError("`sprite-obs pretrain` failed, see above")

    monkeypatch.setattr(ablations, "run_trial", fail)
    with pytest.raises(SpriteObsError, match=r"recipe: learning failed, see .*recipe\.log"):
        ablations.learn("recipe", data, ablations.Args(folder=data.train.parent))


def test_ablations_that_do_not_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"only: expected some of recipe, .*, got 'all'"):
        ablations.measure(ablations.Args(only="recipe,all", folder=tmp_path))
