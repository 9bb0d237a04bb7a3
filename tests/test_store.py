import json

import numpy as np
import pytest

from sprite_obs import files
from sprite_obs.errors import RecordingError, StorageError
from sprite_obs.frames import store
from sprite_obs.frames.store import (
    INFO_FILE,
    Episode,
    RecordingInfo,
    RecordingWriter,
    load_arrays,
    read_episode,
    read_info,
)

INFO = RecordingInfo(
    env_id="ALE/Pong-v5",
    env_kwargs={"frameskip": 4},
    policy="sticky",
    seed=7,
    versions={"numpy": "2.0", "sprite_obs": None},
    frame_shape=(8, 6, 3),
)


def episode(length: int, seed: int = 0) -> Episode:
    random = np.random.default_rng(seed)
    return Episode(
        frames=random.integers(0, 256, (length, 8, 6, 3), dtype=np.uint8),
        actions=random.integers(0, 6, length - 1),
        rewards=random.normal(size=length - 1).astype(np.float32),
        terminated=seed == 0,
        truncated=seed != 0,
    )


@pytest.fixture
def recording(tmp_path):
    writer = RecordingWriter(tmp_path / "pong", INFO)
    for seed, length in enumerate((5, 1, 3)):
        writer.add(episode(length, seed))
    return tmp_path / "pong"


def test_round_trip_is_lossless(recording):
    info = read_info(recording)
    assert info._replace(episodes=()) == INFO
    assert [tuple(entry) for entry in info.episodes] == [
        ("episode_00000.npz", 5),
        ("episode_00001.npz", 1),
        ("episode_00002.npz", 3),
    ]
    for seed, length in enumerate((5, 1, 3)):
        for read, written in zip(
            read_episode(recording, info, seed), episode(length, seed), strict=True
        ):
            np.testing.assert_array_equal(read, written, strict=isinstance(read, np.ndarray))


def test_recording_json_is_plain(recording):
    values = json.loads((recording / INFO_FILE).read_text())
    assert values["format_version"] == 1
    assert values["num_frames"] == 9
    assert values["env_kwargs"] == {"frameskip": 4}
    assert values["episodes"][0] == {"file": "episode_00000.npz", "num_frames": 5}


def test_num_bytes_counts_all_files(tmp_path):
    writer = RecordingWriter(tmp_path, INFO)
    writer.add(episode(4))
    assert writer.num_bytes == sum(file.stat().st_size for file in tmp_path.iterdir())


def test_settings_unknown_to_json_become_text(tmp_path):
    RecordingWriter(tmp_path, INFO._replace(env_kwargs={"shape": np.dtype("uint8")})).add(
        episode(2)
    )
    assert read_info(tmp_path).env_kwargs == {"shape": "uint8"}


@pytest.mark.parametrize("left_over", [INFO_FILE, "episode_00000.npz"])
def test_existing_recording_is_not_touched(tmp_path, left_over):
    (tmp_path / left_over).write_text("precious")
    with pytest.raises(RecordingError, match="holds a recording already; choose another folder"):
        RecordingWriter(tmp_path, INFO)
    assert (tmp_path / left_over).read_text() == "precious"


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match=r"cannot make the folder .*Not a directory"):
        RecordingWriter(tmp_path / "file" / "pong", INFO)


def test_frames_of_another_shape(tmp_path):
    writer = RecordingWriter(tmp_path, INFO._replace(frame_shape=(9, 6, 3)))
    with pytest.raises(RecordingError, match=r"\(9, 6, 3\) here, but .* came with \(8, 6, 3\)"):
        writer.add(episode(2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_write_that_fails_leaves_the_recording_as_it_was(tmp_path, monkeypatch, error):
    writer = RecordingWriter(tmp_path, INFO)
    writer.add(episode(3))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def write_half(file, **arrays):
        file.write(b"PK half an episode")
        raise error

    monkeypatch.setattr(store.np, "savez_compressed", write_half)
    expected = StorageError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected, match=r"could not write .*No space left|^$"):
        writer.add(episode(3))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_half_written_files_never_carry_the_name_of_a_whole_one(tmp_path, monkeypatch):
    def fail(source, target):
        assert not target.exists()
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(StorageError, match=r"could not write .*Permission denied"):
        RecordingWriter(tmp_path, INFO).add(episode(3))
    assert not list(tmp_path.iterdir())


def test_episode_without_entry_is_ignored(recording):
    """As after a kill between the two writes."""
    (recording / "episode_00003.npz").write_bytes(b"whatever")
    (recording / ".recording.json.part").write_text("{")
    assert read_info(recording).num_frames == 9


def test_folder_without_recording(tmp_path):
    with pytest.raises(RecordingError, match=r"expected a recording in .*there is no .*json"):
        read_info(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format_version": 1}', '{"format_version": 1, "frame_shape": 3}'],
)
def test_damaged_recording_json(recording, text):
    (recording / INFO_FILE).write_text(text)
    with pytest.raises(RecordingError, match=r"recording\.json is damaged"):
        read_info(recording)


def test_other_format_version(recording):
    values = json.loads((recording / INFO_FILE).read_text())
    (recording / INFO_FILE).write_text(json.dumps({**values, "format_version": 2}))
    with pytest.raises(RecordingError, match="expected format version 1, got 2"):
        read_info(recording)


def test_truncated_episode(recording):
    file = recording / "episode_00000.npz"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(RecordingError, match=r"episode_00000\.npz is damaged or not an npz file"):
        read_episode(recording, read_info(recording), 0)


def test_missing_episode(recording):
    (recording / "episode_00001.npz").unlink()
    with pytest.raises(RecordingError, match=r"expected a file .*episode_00001\.npz"):
        read_episode(recording, read_info(recording), 1)


def test_episode_of_another_length(recording):
    (recording / "episode_00002.npz").replace(recording / "episode_00000.npz")
    with pytest.raises(RecordingError, match=r"expected uint8 frames \(5, 8, 6, 3\), got .*\(3, 8"):
        read_episode(recording, read_info(recording), 0)


def test_flipped_bits_are_noticed(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", frames=episode(9).frames)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(RecordingError, match="damaged or not an npz file"):
        load_arrays(tmp_path / "a.npz", required=("frames",))


def test_pickled_arrays_are_not_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", frames=np.array([{"code": 1}], object))
    with pytest.raises(RecordingError, match="allow_pickle=False"):
        load_arrays(tmp_path / "a.npz", required=("frames",))
