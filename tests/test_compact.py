"""A compact model finds what the whole one finds; what needs the network says so."""

import json
import shutil
import zlib

import numpy as np
import pytest
import torch
from safetensors import safe_open

from sprite_obs.checkpoint import (
    COMPACT,
    COMPACT_VERSION,
    MODEL_FILE,
    SETTINGS_FILE,
    TABLES,
    Tables,
    load_checkpoint,
    load_tensors,
    save_checkpoint,
    save_tensors,
)
from sprite_obs.cli import main
from sprite_obs.config import ModelConfig
from sprite_obs.errors import CheckpointError
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.model_folder import export_compact
from sprite_obs.type_names import TYPES_FILE


@pytest.fixture(scope="module")
def compact(tiny_model, tmp_path_factory):
    """Returns the folder of the compact copy of `tiny_model`."""
    folder = tmp_path_factory.mktemp("models") / "compact"
    assert main(["export", "--model", str(tiny_model), "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def fails(capsys):
    def run(*argv: object) -> str:
        assert main([str(part) for part in argv]) == 2
        return capsys.readouterr().err.splitlines()[-1]

    return run


def test_it_is_small_and_holds_all_but_the_network(tiny_model, compact):
    whole, small = load_checkpoint(tiny_model), load_checkpoint(compact)
    assert (compact / MODEL_FILE).stat().st_size < (tiny_model / MODEL_FILE).stat().st_size / 100
    assert sorted(path.name for path in compact.iterdir()) == [SETTINGS_FILE, MODEL_FILE]
    for name in TABLES:
        np.testing.assert_array_equal(getattr(small, name), getattr(whole, name))
    for name, one, other in zip(Tables._fields, small.tables, whole.tables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)
        assert one.dtype == other.dtype, name
    for name in ("config", "exact_palette", "env_id", "settings"):
        assert getattr(small, name) == getattr(whole, name)
    assert small.model is None and small.decoder == "lookup"


def test_it_finds_exactly_what_the_whole_model_finds(tiny_model, compact, pong_recording):
    frames = read_frames(pong_recording).images
    whole, small = FrozenEncoder.load(tiny_model, decoder="lookup"), FrozenEncoder.load(compact)
    (found, error), (again, error_again) = whole.explain(frames), small.explain(frames)
    assert len(found.frame) > len(frames)
    for array, other in zip(found[:-1], again[:-1], strict=True):
        np.testing.assert_array_equal(array, other)
    np.testing.assert_array_equal(error, error_again)
    np.testing.assert_array_equal(whole.rebuild(frames[:50]), small.rebuild(frames[:50]))
    np.testing.assert_array_equal(whole.is_display(found), small.is_display(again))


def test_the_same_model_gives_the_same_file(tiny_model, compact, tmp_path):
    export_compact(tiny_model, load_checkpoint(tiny_model), tmp_path)
    for name in (MODEL_FILE, SETTINGS_FILE):
        assert (tmp_path / name).read_bytes() == (compact / name).read_bytes()


def test_it_may_be_exported_and_replaced_once_more(compact, tmp_path):
    for _ in range(2):
        assert main(["export", "--model", str(compact), "--out", str(tmp_path)]) == 0
    assert (tmp_path / MODEL_FILE).read_bytes() == (compact / MODEL_FILE).read_bytes()


@pytest.mark.parametrize("decoder", ["network", "both"])
def test_other_decoders_are_refused(fails, decoder, compact, pong_recording, tmp_path):
    rest = "--data", pong_recording, "--out", tmp_path / "out", "--decoder", decoder
    for command in ("detect", "evaluate"):
        line = fails(command, "--model", compact, *rest)
        assert f"expected decoder lookup for a compact model, got {decoder}" in line
        assert "use the model that it was exported from" in line


def test_it_cannot_be_extended(fails, compact, pong_recording, tmp_path):
    flags = "--data", pong_recording, "--out", tmp_path / "out", "--extend", compact
    assert "got a compact one, which cannot be extended; extend the" in fails("pretrain", *flags)
    assert not (tmp_path / "out").exists()


def test_whatever_else_needs_the_network_says_so(compact):
    with pytest.raises(CheckpointError, match=r"is compact: its network.* was left out; use the"):
        FrozenEncoder.load(compact).network  # noqa: B018
    with pytest.raises(CheckpointError, match="is compact"):
        load_checkpoint(compact).network  # noqa: B018


def test_it_is_evaluated_without_what_the_network_renders(compact, pong_recording, tmp_path):
    out, page = tmp_path / "figures.json", tmp_path / "page.html"
    flags = ["--model", compact, "--data", pong_recording, "--out", out, "--report", page]
    assert main(["evaluate", *map(str, flags)]) == 0
    figures = json.loads(out.read_text())
    assert figures["psnr_soft"] is None and figures["num_soft_frames"] == 0
    assert figures["exact_pixels"] > 0.99
    assert "PSNR, hard" in page.read_text() and "PSNR, soft" not in page.read_text()


def test_its_dictionary_is_drawn(compact, tmp_path):
    assert main(["sheet", "--model", str(compact), "--out", str(tmp_path / "sheet.png")]) == 0
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_names_of_types_come_along(tiny_model, tmp_path):
    named = shutil.copytree(tiny_model, tmp_path / "named")
    (named / TYPES_FILE).write_text("thing: [1]\n")
    assert main(["export", "--model", str(named), "--out", str(tmp_path / "small")]) == 0
    assert FrozenEncoder.load(tmp_path / "small").type_names == {1: "thing"}


def test_a_compact_model_of_another_format_is_replaced(tiny_model, tmp_path):
    out = tmp_path / "small"
    save_tensors(out / MODEL_FILE, {}, {"format_version": "1 compact"})
    assert main(["export", "--model", str(tiny_model), "--out", str(out)]) == 0
    assert load_checkpoint(out).model is None


def test_a_model_with_its_network_is_not_overwritten(fails, tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    before = (model / MODEL_FILE).read_bytes()
    line = fails("export", "--model", model, "--out", model)
    assert "holds a model with its network, which would be lost; choose another folder" in line
    assert (model / MODEL_FILE).read_bytes() == before


def test_what_cannot_look_up_is_not_exported(tiny_model, tmp_path):
    checkpoint = load_checkpoint(tiny_model)
    scrolling = checkpoint._replace(config=ModelConfig(background="scroll", scroll_x=8))
    with pytest.raises(CheckpointError, match=r"that can look up, got .* of background scroll"):
        export_compact(tiny_model, scrolling, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_preference_for_the_network_is_said(tiny_model, tmp_path, capsys):
    checkpoint = load_checkpoint(tiny_model)
    save_checkpoint(tmp_path / "both", checkpoint._replace(decoder="both"))
    assert main(["export", "--model", str(tmp_path / "both"), "--out", str(tmp_path / "x")]) == 0
    assert "warning: this model prefers decoder both" in capsys.readouterr().err


def test_programs_that_cannot_read_it_are_told_by_its_version(compact):
    with safe_open(compact / MODEL_FILE, framework="pt") as file:
        assert list(file.keys()) == [COMPACT]
    settings = json.loads((compact / SETTINGS_FILE).read_text())
    assert settings["format_version"] == COMPACT_VERSION


def test_another_version_is_refused(compact, tmp_path):
    tensors, about = load_tensors(compact / MODEL_FILE)
    save_tensors(tmp_path / MODEL_FILE, tensors, about | {"format_version": "2 compact"})
    with pytest.raises(CheckpointError, match="has format version 2 compact, this program reads"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("position", [0.3, 0.9])
def test_a_flipped_bit_is_noticed(compact, tmp_path, position):
    model = shutil.copytree(compact, tmp_path / "model")
    data = bytearray((model / MODEL_FILE).read_bytes())
    data[int(len(data) * position)] ^= 4
    (model / MODEL_FILE).write_bytes(data)
    with pytest.raises(CheckpointError, match="truncated or no sprite-obs checkpoint"):
        load_checkpoint(model)


@pytest.mark.parametrize("content", [b"nothing compressed", zlib.compress(b"no tensors")])
def test_a_wrong_content_with_a_right_checksum_is_refused(compact, tmp_path, content):
    _, about = load_tensors(compact / MODEL_FILE)
    packed = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    save_tensors(tmp_path / MODEL_FILE, {COMPACT: packed}, about)
    with pytest.raises(CheckpointError, match=r"is damaged \(.*\); pretrain again"):
        load_checkpoint(tmp_path)
