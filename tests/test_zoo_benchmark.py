"""Makes a small zoo by its script, twice: what is done is not done again."""

import dataclasses
import shutil
import sys
from pathlib import Path

import pytest

from sprite_obs.checkpoint import MODEL_FILE, SETTINGS_FILE, load_checkpoint
from sprite_obs.cli import main

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import zoo  # noqa: E402
from zoo_card import HEADER, card, row  # noqa: E402


@pytest.fixture(scope="module")
def args(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo")
    config = ROOT / "configs" / "pretrain" / "debug.yaml"
    settings = {"games": "Pong", "frames": 150, "unseen": 20, "config": config, "truth": False}
    return zoo.Args(work=folder / "work", out=folder / "zoo", **settings)


@pytest.fixture(scope="module", autouse=True)
def commands():
    """Runs commands in this process, which is faster, and keeps which ones ran."""
    ran = []

    def run(*argv: object) -> None:
        ran.append(argv[0])
        assert main([str(part) for part in argv]) == 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo, "run_sprite_obs", run)
        yield ran


@pytest.fixture(scope="module")
def made(args):
    return zoo.make("Pong", args)


def written(args):
    files = [file for file in args.work.rglob("*") if file.is_file()]
    return {file: file.stat().st_mtime_ns for file in files if file.suffix != ".json"}


def test_a_game_is_made_once(args, made, commands):
    assert commands == ["record", "record", "pretrain", "export", "evaluate"]
    before, model = written(args), (args.out / "pong" / MODEL_FILE).read_bytes()
    commands.clear()
    assert zoo.make("Pong", args).name == made.name
    assert commands == ["export", "evaluate"] and written(args) == before
    assert (args.out / "pong" / MODEL_FILE).read_bytes() == model


def test_other_settings_make_it_anew(made, args, commands, tmp_path):
    work = shutil.copytree(args.work / "pong", tmp_path / "pong")
    commands.clear()
    zoo.record("Pong", work / "test", 20, 1)
    zoo.pretrain(work / "train", work / "full", args)
    assert commands == []
    zoo.record("Pong", work / "test", 10, 1)
    assert commands == ["record"]
    (work / "full" / SETTINGS_FILE).unlink()  # as if it had been interrupted
    zoo.pretrain(work / "train", work / "full", args)
    assert commands == ["record", "pretrain"] and (work / "full" / SETTINGS_FILE).exists()


def test_the_card_says_what_was_measured(args, made):
    text = card(made)
    assert "| frames | 150 in 1 episodes |" in text
    assert "On 20 frames that it was not learned from, recorded likewise with seed 1" in text
    assert f"| size | {(args.out / 'pong' / MODEL_FILE).stat().st_size} bytes |" in text
    assert "Detection was not measured" in text and "ale_py" in text
    assert load_checkpoint(args.out / "pong").model is None


def test_a_row_has_a_cell_for_each_name(made):
    cells = row(made)
    assert len(cells) == len(HEADER) and cells[0] == "`pong`"
    assert cells[HEADER.index("F1 moving")] == "-"


def test_figures_of_detection_are_on_the_card(made):
    overlap = {"f1": 0.5}
    figures = {"num_objects": 3, "overlap": overlap, "centre": {"f1": 0.75}, "identity": None}
    truth = {"num_frames": 9, "detection": {"moving": figures, "game": figures}, "tracking": None}
    known = dataclasses.replace(made, truth=truth)
    assert row(known)[6:11] == ["0.500", "0.750", "0.500", "-", "-"]
    assert "On 9 frames of other seeds" in card(known)
