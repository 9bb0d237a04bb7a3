import json

import cv2
import numpy as np
import pytest

from sprite_obs.errors import ConfigError, RecordingError
from sprite_obs.frames.record import record
from sprite_obs.frames.sources import read_frames
from sprite_obs.frames.store import INFO_FILE, read_episode, read_info


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "breakout"
    record("ALE/Breakout-v5", 400, path, seed=1)
    return path


@pytest.fixture(scope="module")
def images(recording):
    return read_frames(recording).images[::40]  # (10, 210, 160, 3)


def write_pngs(folder, images):
    folder.mkdir(exist_ok=True)
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / f"{index:03d}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def test_recording(recording):
    frames = read_frames(recording)
    info = read_info(recording)
    assert frames.env_id == "ALE/Breakout-v5"
    assert (frames.images.shape, frames.images.dtype) == ((400, 210, 160, 3), np.uint8)
    assert frames.episode.dtype == np.int32
    assert len(info.episodes) > 1
    for index in range(len(info.episodes)):
        stored = read_episode(recording, info, index).frames
        np.testing.assert_array_equal(frames.images[frames.episode == index], stored)
    assert (np.diff(frames.episode) >= 0).all()


def test_max_frames_cuts_within_an_episode(recording):
    whole = read_frames(recording)
    first_length = read_info(recording).episodes[0].num_frames
    for count in (1, first_length, first_length + 1, 10_000):
        part = read_frames(recording, max_frames=count)
        np.testing.assert_array_equal(part.images, whole.images[:count])
        np.testing.assert_array_equal(part.episode, whole.episode[:count])


def test_max_frames_reads_no_more_than_it_needs(recording, tmp_path):
    episode = recording / "episode_00000.npz"
    (tmp_path / INFO_FILE).write_bytes((recording / INFO_FILE).read_bytes())
    (tmp_path / episode.name).write_bytes(episode.read_bytes())
    assert len(read_frames(tmp_path, max_frames=2).images) == 2


def test_npz(tmp_path, images):
    episode = np.repeat(np.arange(5), 2)
    np.savez_compressed(tmp_path / "a.npz", frames=images, episode=episode, other=np.zeros(3))
    frames = read_frames(tmp_path / "a.npz", max_frames=7)
    np.testing.assert_array_equal(frames.images, images[:7])
    np.testing.assert_array_equal(frames.episode, episode[:7])
    assert (frames.episode.dtype, frames.env_id) == (np.int32, None)


def test_npz_without_episodes(tmp_path, images):
    np.savez(tmp_path / "a.npz", frames=images)
    assert (read_frames(tmp_path / "a.npz").episode == np.zeros(10)).all()


def test_png_folder_is_lossless_and_sorted(tmp_path, images):
    write_pngs(tmp_path, images)
    (tmp_path / "notes.txt").write_text("not a frame")
    frames = read_frames(tmp_path)
    np.testing.assert_array_equal(frames.images, images)
    assert (frames.episode.shape, frames.env_id) == ((10,), None)
    assert len(read_frames(str(tmp_path), max_frames=3).images) == 3


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "MJPG"), ("mp4", "mp4v")])
def test_video(tmp_path, images, suffix, codec):
    path = tmp_path / f"a.{suffix}"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 30, (160, 210))
    for image in images:
        writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    writer.release()
    frames = read_frames(path)
    assert (frames.images.shape, frames.images.dtype) == (images.shape, np.uint8)
    # Compression costs a few grey levels; red and blue exchanged would cost dozens.
    difference = np.abs(frames.images.mean((0, 1, 2)) - images.mean((0, 1, 2)))
    assert difference.max() < 4
    assert len(read_frames(path, max_frames=4).images) == 4


def test_max_frames_below_one(recording):
    with pytest.raises(ConfigError, match="max_frames: expected at least 1 or None, got 0"):
        read_frames(recording, max_frames=0)


def test_missing_path(tmp_path):
    with pytest.raises(RecordingError, match=r"expected a recording folder, an \.npz.*not exist"):
        read_frames(tmp_path / "nowhere")


def test_empty_folder(tmp_path):
    with pytest.raises(RecordingError, match=r"holds neither recording\.json nor PNG files"):
        read_frames(tmp_path)


def test_recording_without_episodes(recording, tmp_path):
    values = json.loads((recording / INFO_FILE).read_text())
    (tmp_path / INFO_FILE).write_text(json.dumps({**values, "episodes": []}))
    with pytest.raises(RecordingError, match=r"the recording .* is empty; record again"):
        read_frames(tmp_path)


def test_truncated_npz(tmp_path, images):
    np.savez_compressed(tmp_path / "a.npz", frames=images)
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(RecordingError, match=r"a\.npz is damaged or not an npz file"):
        read_frames(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04}."])
def test_npz_that_is_none(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.npz is damaged or not an npz file"):
        read_frames(tmp_path / "a.npz")


def test_npz_without_frames(tmp_path, images):
    np.savez(tmp_path / "a.npz", images=images)
    with pytest.raises(RecordingError, match="expected an array 'frames', got images"):
        read_frames(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("change", "came"),
    [
        (lambda images: images / np.float32(255), r"float32 \(10, 210, 160, 3\)"),
        (lambda images: images[..., 0], r"uint8 \(10, 210, 160\)"),
        (lambda images: images.transpose(0, 3, 1, 2), r"uint8 \(10, 3, 210, 160\)"),
        (lambda images: images[:0], r"uint8 \(0, 210, 160, 3\)"),
    ],
)
def test_npz_with_other_frames(tmp_path, images, change, came):
    np.savez(tmp_path / "a.npz", frames=change(images))
    with pytest.raises(RecordingError, match=rf"`frames` as uint8 \(N, H, W, 3\).*got {came}"):
        read_frames(tmp_path / "a.npz")


@pytest.mark.parametrize("episode", [np.zeros(9, np.int32), np.zeros(10, np.float32)])
def test_npz_with_wrong_episodes(tmp_path, images, episode):
    np.savez(tmp_path / "a.npz", frames=images, episode=episode)
    with pytest.raises(RecordingError, match="expected `episode` as 10 integers"):
        read_frames(tmp_path / "a.npz")


def test_mixed_png_sizes(tmp_path, images):
    write_pngs(tmp_path, [images[0], images[1], images[2][:200]])
    expected = r"002\.png is \(200, 160\) and 000\.png is \(210, 160\)"
    with pytest.raises(RecordingError, match=expected):
        read_frames(tmp_path)


def test_truncated_png(tmp_path, images):
    write_pngs(tmp_path, images[:2])
    data = (tmp_path / "001.png").read_bytes()
    (tmp_path / "001.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(RecordingError, match=r"001\.png is damaged or not a PNG file"):
        read_frames(tmp_path)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_unreadable_video(tmp_path, name):
    (tmp_path / name).write_bytes(b"no video" * 100)
    with pytest.raises(RecordingError, match="is damaged or not a video: OpenCV reads no frame"):
        read_frames(tmp_path / name)


def test_file_of_another_kind(tmp_path):
    """FFmpeg would show a text as a video."""
    (tmp_path / "a.txt").write_text("no video")
    with pytest.raises(RecordingError, match=r"expected a recording folder.*mp4.*, got .*a\.txt"):
        read_frames(tmp_path / "a.txt")
