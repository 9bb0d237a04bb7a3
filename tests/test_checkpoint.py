import errno
import json
import os
import resource
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from sprite_obs.checkpoint import (
    FORMAT_VERSION,
    METADATA,
    MODEL_FILE,
    SETTINGS_FILE,
    TABLES,
    Tables,
    load_checkpoint,
    save_checkpoint,
    save_tensors,
)
from sprite_obs.errors import CheckpointError, StorageError
from sprite_obs.files import write_atomically
from sprite_obs.frozen import FrozenEncoder


@pytest.fixture
def folder(pong_model, tmp_path):
    return shutil.copytree(pong_model, tmp_path / "model")


def same(one, other):
    for name in TABLES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name, table, again in zip(Tables._fields, one.tables, other.tables, strict=True):
        np.testing.assert_array_equal(table, again, err_msg=name)
        assert table.dtype == again.dtype, name
    for name in ("config", "exact_palette", "decoder", "env_id", "settings"):
        assert getattr(one, name) == getattr(other, name)
    weights, others = one.model.state_dict(), other.model.state_dict()
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[key], others[key]) for key in weights)


def test_round_trip(tiny_model, tmp_path):
    first = load_checkpoint(tiny_model)
    save_checkpoint(tmp_path / "deep" / "copy", first)
    same(load_checkpoint(tmp_path / "deep" / "copy"), first)
    assert not first.model.training


def test_round_trip_of_what_counting_knows(pong_model, tmp_path):
    first = load_checkpoint(pong_model)
    rng = np.random.default_rng(0)
    tables = {
        name: rng.integers(0, 4, (3, *table.shape[1:])).astype(table.dtype)
        for name, table in first.tables._asdict().items()
    }
    save_checkpoint(tmp_path, first._replace(tables=Tables(**tables)))
    again = load_checkpoint(tmp_path).tables
    assert again._fields == tuple(tables)
    for name, table in tables.items():
        np.testing.assert_array_equal(getattr(again, name), table, err_msg=name)
        assert getattr(again, name).dtype == table.dtype, name


def test_tables_that_were_not_counted_say_nothing():
    tables = Tables.unknown(5, 2, (210, 160))
    assert tables.window.tolist() == [0, 0, 160, 210]
    assert tables.counts.tolist() == [1] * 5 and len(tables.object_capacity) == 3
    assert tables.moves.tolist() == [False] * 3
    assert all(len(table) == 0 for table in (*tables[1:5], tables.display, tables.tiles))


@pytest.mark.parametrize("decoder", ["lookup", "network", "both"])
def test_a_loaded_model_finds_what_the_saved_one_found(tiny_model, tmp_path, decoder):
    checkpoint = load_checkpoint(tiny_model)
    frames = np.repeat(checkpoint.background[None], 3, 0)
    frames[1, 100:104, 80:82] = 236
    before = FrozenEncoder(checkpoint, decoder=decoder).encode(frames)
    save_checkpoint(tmp_path, checkpoint)
    after = FrozenEncoder.load(tmp_path, decoder=decoder).encode(frames)
    for array, again in zip(before, after, strict=True):
        np.testing.assert_array_equal(array, again)


def test_settings_are_readable_beside_the_weights(tiny_model):
    settings = json.loads((tiny_model / SETTINGS_FILE).read_text())
    assert settings["env_id"] == "ALE/Pong-v5"
    assert settings["frame_shape"] == [210, 160, 3]
    assert settings["train"]["teach_iterations"] == 150
    assert settings["format_version"] == FORMAT_VERSION


def test_nothing_but_the_two_files_is_written(pong_model):
    assert sorted(path.name for path in pong_model.iterdir()) == [SETTINGS_FILE, MODEL_FILE]


def test_missing(tmp_path):
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*sprite-obs pretrain"):
        load_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize("share", [0, 1e-5, 0.3, 0.999])
def test_truncated(folder, share):
    path = folder / MODEL_FILE
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match="truncated or no sprite-obs checkpoint"):
        load_checkpoint(folder)


def test_not_a_checkpoint_at_all(folder):
    (folder / MODEL_FILE).write_bytes(b"PK\x03\x04 a zip file, perhaps" * 100)
    with pytest.raises(CheckpointError, match="truncated or no sprite-obs checkpoint"):
        load_checkpoint(folder)


def test_safetensors_of_another_program(folder):
    save_file({"weight": torch.zeros(3)}, folder / MODEL_FILE)
    with pytest.raises(CheckpointError, match="no sprite-obs checkpoint"):
        load_checkpoint(folder)


def rewritten(folder, about=None, drop=""):
    with safe_open(folder / MODEL_FILE, framework="pt") as file:
        values = json.loads(file.metadata()[METADATA])["about"] | (about or {})
        tensors = {key: file.get_tensor(key) for key in file.keys() if key != drop}  # noqa: SIM118
    save_tensors(folder / MODEL_FILE, tensors, values)


def test_another_format_version(folder):
    rewritten(folder, {"format_version": 99})
    with pytest.raises(
        CheckpointError, match=f"format version 99, this program reads {FORMAT_VERSION};"
    ):
        load_checkpoint(folder)


@pytest.mark.parametrize("drop", ["sprites", "palette", "tables.links", "model.dictionary.latents"])
def test_a_tensor_is_missing(folder, drop):
    rewritten(folder, drop=drop)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(folder)


def test_settings_that_do_not_fit_the_weights(folder):
    rewritten(folder, {"frame_shape": [84, 84, 3]})
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(folder)


@pytest.mark.parametrize("place", np.linspace(0.1, 1, 10))
def test_a_flipped_bit_anywhere_is_noticed(folder, place):
    path = folder / MODEL_FILE
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 0b100
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="checksum"):
        load_checkpoint(folder)


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_checkpoint(folder, monkeypatch):
    before = load_checkpoint(folder)
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StorageError, match=r"could not write .*No space left.*unchanged"):
        save_checkpoint(folder, before._replace(env_id="ALE/Other-v5"))
    same(load_checkpoint(folder), before)
    assert sorted(path.name for path in folder.iterdir()) == [SETTINGS_FILE, MODEL_FILE]


def test_a_write_that_stops_half_way_leaves_the_old_checkpoint(folder):
    before = load_checkpoint(folder)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(StorageError, match="could not write"):
            save_checkpoint(folder, before._replace(env_id="ALE/Other-v5"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    same(load_checkpoint(folder), before)
    assert sorted(path.name for path in folder.iterdir()) == [SETTINGS_FILE, MODEL_FILE]


def test_an_interrupt_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
