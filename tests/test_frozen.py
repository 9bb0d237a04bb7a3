"""The frozen encoder: deterministic, the same in batches and alone, strict about its frames."""

import pickle

import numpy as np
import pytest
import torch
from scenes import COLORS, make_scene

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.config import PretrainConfig, from_dict
from sprite_obs.detections import Detections, from_rows
from sprite_obs.devices import choose_device
from sprite_obs.errors import CheckpointError, DeviceError
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.lookup.palette import Palette
from sprite_obs.pretrain.pretrain import bake, pretrain


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    settings = {
        "num_threads": 1,
        "model": {"sprite_size": 16, "code_dim": 16, "encoder_width": 16},
        "train": {"teach_iterations": 100, "iterations": 0},
    }
    frames = make_scene(100).frames()
    pretrain(frames, from_dict(PretrainConfig, settings), path, torch.device("cpu"))
    return path


@pytest.fixture(scope="module", params=["lookup", "network", "both"])
def encoder(request, folder):
    return FrozenEncoder.load(folder, decoder=request.param)


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
IMAGES = COLORS[make_scene(40, seed=5).index]


def assert_equal(one: Detections, two: Detections):
    for name, a, b in zip(Detections._fields, one, two, strict=True):
        if name == "object":  # the numbers as such mean nothing
            groups = set(zip(a.tolist(), b.tolist(), strict=True))
            assert len(groups) == len(set(a.tolist())) == len(set(b.tolist()))
        elif name == "score":
            np.testing.assert_allclose(a, b, atol=1e-5)
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


def test_batch_and_single_frames_agree(encoder):
    batch = encoder.encode(IMAGES)
    assert len(batch.frame) > 50
    for n in range(len(IMAGES)):
        alone = encoder.encode(IMAGES[n])
        assert_equal(alone._replace(frame=alone.frame + n), batch.of_frame(n))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 33])
def test_any_number_of_frames_at_once_gives_the_same(encoder, count):
    whole, part = encoder.encode(IMAGES), encoder.encode(IMAGES[:count])
    assert_equal(part, whole.rows(whole.frame < count))
    np.testing.assert_array_equal(part.score, whole.score[whole.frame < count])


def test_half_precision_in_training_changes_nothing(encoder):
    expected = encoder.encode(IMAGES)
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder.encode(IMAGES)
    assert_equal(found, expected)
    np.testing.assert_array_equal(found.score, expected.score)


@needs_cuda
@pytest.mark.parametrize("decoder", ["network", "both"])
def test_a_gpu_finds_what_a_cpu_finds(folder, decoder):
    on_gpu = FrozenEncoder.load(folder, "cuda", decoder)
    images = np.concatenate([IMAGES] * 4)[:-3]  # several chunks, the last one not full
    found = on_gpu.encode(images)
    assert_equal(found, FrozenEncoder.load(folder, "cpu", decoder).encode(images))
    for n in range(0, len(images), 10):
        alone = on_gpu.encode(images[n])
        assert_equal(alone._replace(frame=alone.frame + n), found.of_frame(n))
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        assert_equal(on_gpu.encode(images), found)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False
    assert_equal(pickle.loads(pickle.dumps(on_gpu)).encode(images), found)


def test_repeated_and_pickled_encoders_agree(encoder):
    first = encoder.encode(IMAGES)
    assert_equal(encoder.encode(IMAGES), first)
    assert_equal(pickle.loads(pickle.dumps(encoder)).encode(IMAGES), first)


def test_rows_are_sorted_typed_and_of_the_right_kind(encoder):
    found = encoder.encode(IMAGES)
    order = np.lexsort((found.box[:, 0], found.box[:, 1], found.layer, found.frame))
    assert (order == np.arange(len(order))).all()
    assert [a.dtype for a in found] == [np.int32] * 5 + [np.float32, np.int32, object]
    assert ((found.sprite >= 0) & (found.sprite <= encoder.num_sprites)).all()
    assert (
        found.type[found.sprite > 0] == encoder.sprite_type[found.sprite[found.sprite > 0] - 1]
    ).all()
    assert len(encoder.type_capacity) == encoder.num_types + 1


def test_explaining_finds_the_same_and_counts_what_rebuilding_gets_wrong(encoder):
    images = IMAGES.copy()
    noise = np.random.default_rng(0).integers(len(COLORS), size=(10, 10))
    images[3, 20:30, 30:40] = COLORS[noise]
    found, share = encoder.explain(images)
    assert_equal(found, encoder.encode(images))
    wrong = (encoder.rebuild(images) != images).any(-1).mean((1, 2))
    np.testing.assert_allclose(share, wrong, atol=1e-6)
    assert share.dtype == np.float32 and 0 <= share.min() < share.max() <= 1
    np.testing.assert_array_equal(encoder.explain(images[3])[1], share[3:4])


def test_pixels_of_unknown_colors_are_not_explained(encoder):
    clean = encoder.explain(IMAGES[:1])[1]
    strange = IMAGES[:1].copy()
    strange[0, :2, :3] = (1, 2, 3)
    np.testing.assert_allclose(encoder.explain(strange)[1], clean + 6 / (72 * 96), atol=1e-6)


def test_wrong_frames_are_named(encoder):
    with pytest.raises(CheckpointError, match=r"shape \(72, 96, 3\), got uint8 \(210, 160, 3\)"):
        encoder.encode(np.zeros((210, 160, 3), np.uint8))
    with pytest.raises(CheckpointError, match=r"expected uint8 .* got float32"):
        encoder.encode(IMAGES.astype(np.float32))


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(DeviceError, match="unknown device 'tpu'; expected cpu, cuda or auto"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        assert choose_device("auto") == torch.device("cpu")
        with pytest.raises(DeviceError, match="cuda was asked for, but this machine has none"):
            choose_device("cuda")


def test_auto_is_a_gpu_where_there_is_one_but_not_for_worker_processes(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")
    monkeypatch.setattr("sprite_obs.devices.is_worker", lambda: True)
    assert choose_device("auto") == torch.device("cpu")
    assert choose_device("cuda") == torch.device("cuda"), "who asks for it gets it"


def test_the_lookup_looks_for_no_gpu(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("a GPU was looked for"))
    assert len(FrozenEncoder.load(folder, "auto", "lookup").encode(IMAGES).frame)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_auto_is_the_cpu(folder):
    found = FrozenEncoder.load(folder, "auto", "network").encode(IMAGES)
    assert_equal(found, FrozenEncoder.load(folder, "cpu", "network").encode(IMAGES))


def test_an_unknown_decoder_is_refused(folder):
    with pytest.raises(CheckpointError, match="unknown decoder 'best'; expected lookup, network"):
        FrozenEncoder.load(folder, decoder="best")


def test_clipping_keeps_what_is_inside():
    rows = [
        (0, 1, 0, -3, 2, 8, 4, 1.0),
        (0, 2, 0, 28, 10, 8, 8, 1.0),
        (0, 1, 0, 40, 10, 8, 8, 1.0),
    ]
    found = from_rows(rows, np.array([2, 1], np.int32)).clipped((15, 32))
    assert found.box.tolist() == [[0, 2, 5, 4], [28, 10, 4, 5]]
    assert found.type.tolist() == [2, 1]
    assert found.centre.tolist() == [[2.5, 4.0], [30.0, 12.5]]


def test_network_boxes_are_where_the_model_draws(folder):
    """A learned drawing need not be in the middle of its canvas."""
    checkpoint = load_checkpoint(folder)
    model, size = checkpoint.model, checkpoint.config.sprite_size
    drawings = torch.zeros(len(checkpoint.sprites), 4, size, size)
    drawings[:, :, 2:5, 1:4] = 1
    model.dictionary.fit(drawings)
    sprites, background = bake(model, Palette(checkpoint.palette))
    checkpoint = checkpoint._replace(sprites=sprites, background=background)
    encoder = FrozenEncoder(checkpoint, decoder="network")
    found = encoder.encode(IMAGES[:4])
    with torch.inference_mode():
        scene = encoder.network.infer(IMAGES[:4]).harden()
        drawn = model.reconstruct(scene).permute(0, 2, 3, 1).numpy()
    white = (drawn > 0.9).all(3)
    inside = [
        white[n, y : y + h, x : x + w].all()
        for n, (x, y, w, h) in zip(found.frame, found.box.tolist(), strict=True)
        if x >= 0 and y >= 0
    ]
    assert len(inside) > 5 and np.mean(inside) > 0.95


def test_an_inexact_palette_keeps_its_background(folder):
    rng = np.random.default_rng(0)
    checkpoint = load_checkpoint(folder)
    colors = np.unique(rng.integers(0, 256, (64, 3), dtype=np.uint8), axis=0)
    index = rng.integers(0, len(colors), checkpoint.background.shape[:2])
    checkpoint = checkpoint._replace(palette=colors, exact_palette=False, background=colors[index])
    encoder = FrozenEncoder(checkpoint)
    assert (encoder.palette.rgb(encoder._lookup.background.image) == colors[index]).all()


def test_sprites_end_at_the_border_of_the_playing_field(folder):
    checkpoint = load_checkpoint(folder)
    window = np.array([10, 0, 96, 72], np.int32)
    encoder = FrozenEncoder(
        checkpoint._replace(tables=checkpoint.tables._replace(window=window)), decoder="lookup"
    )
    empty = encoder.backgrounds(COLORS[make_scene(1).background[None]])
    box = 1 + encoder.bank.areas.tolist().index(48)

    def drawn(score: float) -> np.ndarray:
        found = from_rows([(0, box, 0, 6, 20, 8, 6, score)], encoder.sprite_type)
        return (encoder.reconstruct(found, empty) != empty).any(-1)[0]

    assert drawn(0.5).sum() == 24 and not drawn(0.5)[:, :10].any()
    assert drawn(1).sum() == 48, "what is seen as a whole is not cut off"
    for start in (0, 10):
        images = encoder.reconstruct(
            from_rows([(0, box, 0, 6, 20, 8, 6, 1.0)], encoder.sprite_type), empty
        )
        images[:, :, :start] = empty[:, :, :start]
        found, share = encoder.explain(images)
        assert found.sprite.tolist() == [box] and found.box.tolist() == [[6, 20, 8, 6]]
        assert share == 0 and (encoder.rebuild(images) == images).all()


def test_loading_leaves_random_numbers_alone(folder):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    FrozenEncoder.load(folder)
    assert torch.rand(1) == expected


def test_no_frames_give_no_sprites(encoder):
    none = IMAGES[:0]
    assert len(encoder.encode(none).frame) == 0
    assert encoder.rebuild(none).shape == none.shape
