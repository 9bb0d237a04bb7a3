"""A model is extended with what is new in further frames, and all that it knew stays."""

from pathlib import Path

import numpy as np
import pytest
import torch
from extended_scenes import (
    BOX,
    CROSS,
    other_screen,
    pink_ring,
    posing,
    recolored_box,
    screen,
    still,
    walks,
    wide_cross,
)
from one_by_one import SlotTable
from pong_model import save_pong_model
from small_runs import CPU, config, random_config, small_frames

from sprite_obs.checkpoint import Checkpoint, load_checkpoint
from sprite_obs.detections import Detections
from sprite_obs.errors import CheckpointError, ConfigError, RecordingError
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.objects.slots import slot_ranges
from sprite_obs.pretrain.extend import extend
from sprite_obs.pretrain.extension_checks import check_extension, extension_config
from sprite_obs.pretrain.pretrain import pretrain

OLD = walks([still(BOX), still(CROSS)], screen())
WITH_RING = walks([still(BOX), still(CROSS), still(pink_ring())], screen(), seed=1)
POSED = walks([still(BOX), posing(CROSS, wide_cross()), still(recolored_box())], screen(), seed=2)
ELSEWHERE = walks([still(BOX), still(CROSS), still(pink_ring())], other_screen(), seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("extend")


@pytest.fixture(scope="module")
def old(folder) -> Checkpoint:
    return pretrain(OLD, config(), folder / "old", CPU)


def extended(old: Checkpoint, frames: Frames, folder: Path, **settings: object) -> Checkpoint:
    return extend(old, frames, extension_config(old, settings), folder, CPU)


@pytest.fixture(scope="module")
def with_ring(old, folder) -> Checkpoint:
    return extended(old, WITH_RING, folder / "ring")


def same(one: Detections, other: Detections) -> bool:
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def shares(checkpoint: Checkpoint, frames: Frames) -> np.ndarray:
    return FrozenEncoder(checkpoint, decoder="lookup").explain(frames.images)[1]


def test_what_the_model_knew_keeps_ids_types_and_looks(old, with_ring, folder):
    count, num_types = len(old.sprites), len(old.type_capacity) - 1
    assert (with_ring.sprites[:count] == old.sprites).all()
    assert (with_ring.sprite_type[:count] == old.sprite_type).all()
    assert (with_ring.palette[: len(old.palette)] == old.palette).all()
    assert (with_ring.background == old.background).all()
    assert (with_ring.type_capacity[: num_types + 1] == old.type_capacity).all()
    for name in ("type_counts", "object_counts"):
        former, counts = (getattr(model.tables, name) for model in (old, with_ring))
        assert (counts[:, : num_types + 1] == former).all()
        assert former[:, 1:].sum() >= len(OLD.images) and counts[:, num_types + 1 :].sum() > 0
    assert (with_ring.tables.counts[:count] == old.tables.counts).all()
    assert (with_ring.config, with_ring.env_id) == (old.config, old.env_id)
    stored = load_checkpoint(folder / "ring")
    assert stored.former_sizes == [count]
    assert stored.settings["extended"] == [
        {
            "num_frames": len(WITH_RING.images),
            "former_sprites": count,
            "former_types": num_types,
            "former_window": old.tables.window.tolist(),
            "seed": 0,
            "teach_iterations": 16,
        }
    ]


def test_what_is_new_comes_after_it(old, with_ring):
    count, num_types = len(old.sprites), len(old.type_capacity) - 1
    assert len(with_ring.sprites) == count + 1
    assert with_ring.sprite_type[count:].tolist() == [num_types + 1]
    assert with_ring.type_capacity[num_types + 1 :].tolist() == [1]
    assert with_ring.palette[len(old.palette) :].tolist() == [[250, 120, 200]]
    assert (with_ring.sprites[count, ..., 3] == 255).sum() == (pink_ring() != 255).sum()
    assert shares(old, WITH_RING).min() > 0
    assert shares(with_ring, WITH_RING).max() == 0
    assert not len(with_ring.tables.rooms), "the screen is the old one"


def test_old_frames_are_read_as_before(old, with_ring):
    before, after = (FrozenEncoder(model).encode(OLD.images) for model in (old, with_ring))
    assert len(before.frame) == 2 * len(OLD.images) and same(before, after)


def test_a_new_pose_is_of_the_old_type_and_an_opponent_is_not(old, tmp_path):
    posed = extended(old, POSED, tmp_path)
    count, num_types = len(old.sprites), len(old.type_capacity) - 1
    cross = old.sprite_type[FrozenEncoder(old).bank.areas.tolist().index((CROSS != 255).sum())]
    areas = FrozenEncoder(posed).bank.areas
    type_of = dict(zip(areas[count:].tolist(), posed.sprite_type[count:].tolist(), strict=True))
    assert type_of == {(wide_cross() != 255).sum(): cross, BOX.size: num_types + 1}
    assert shares(posed, POSED).max() == 0


def test_a_new_screen_is_a_further_room_and_found_again(old, with_ring, tmp_path):
    elsewhere = extended(old, ELSEWHERE, tmp_path / "room")
    assert len(elsewhere.tables.rooms) == 1 and len(elsewhere.sprites) == len(old.sprites) + 1
    encoder = FrozenEncoder(elsewhere)
    behind = encoder.backgrounds(ELSEWHERE.images[:3])
    expected = walks([], other_screen(), 3).images
    assert (behind == expected).all() and shares(elsewhere, ELSEWHERE).max() == 0
    assert same(encoder.encode(OLD.images), FrozenEncoder(old).encode(OLD.images))
    again = walks([still(BOX), still(wide_cross())], other_screen(), seed=5)
    twice = extended(elsewhere, again, tmp_path / "again")
    assert len(twice.tables.rooms) == 1, "the room is known"
    assert twice.former_sizes == [len(old.sprites), len(elsewhere.sprites)]
    assert (twice.sprites[: len(elsewhere.sprites)] == elsewhere.sprites).all()
    assert shares(twice, again).max() == 0
    for frames in (OLD, ELSEWHERE):
        before, after = (FrozenEncoder(m).encode(frames.images) for m in (elsewhere, twice))
        assert same(before, after)


def slots_of_types(model: Checkpoint, max_sprites: int) -> dict[int, set[int]]:
    """Fills an observation with more things of each type than there is room for."""
    tables = model.tables
    sizes = tables.object_capacity, tables.object_counts.sum(0), max_sprites
    table = SlotTable(slot_ranges(*sizes, model.former_types), max_sprites)
    kinds = np.repeat(np.arange(1, len(model.type_capacity)), 5)
    slots = table.update(kinds, np.arange(1, len(kinds) + 1), np.zeros(len(kinds), bool))
    return {kind: {*slots[kinds == kind].tolist()} - {-1} for kind in {*kinds.tolist()}}


@pytest.mark.parametrize("max_sprites", [1, 2, 3, 10])
def test_types_keep_their_slots(old, with_ring, max_sprites):
    before, after = (slots_of_types(model, max_sprites) for model in (old, with_ring))
    assert after.items() >= before.items()
    assert bool(after[len(before) + 1]) == (max_sprites > 2), "what is left, after the others"


@pytest.fixture(scope="module")
def taught(folder) -> Checkpoint:
    """Returns a model whose network knows what it does."""
    settings = config(width=64, teach_iterations=400, teach_batch_size=128, checkpoint_every=400)
    return pretrain(walks([still(BOX), still(CROSS)], screen(), 300), settings, folder / "t", CPU)


@pytest.mark.parametrize(("again", "kept"), [(True, 0.85), (False, 0.5)])
def test_the_network_learns_the_new_and_keeps_most_of_the_old(taught, tmp_path, again, kept):
    """All of it if new frames show it again, else what made-up frames keep."""
    things = [still(BOX), still(CROSS), still(pink_ring())]
    shown = walks(things if again else things[2:], screen(), 300, seed=1)
    new = extended(taught, shown, tmp_path, train={"teach_iterations": 400})

    def share_exact(model: Checkpoint, frames: Frames) -> float:
        encoder = FrozenEncoder(model, decoder="network")
        return float((encoder.rebuild(frames.images) == frames.images).all((1, 2, 3)).mean())

    unseen = walks(things[:2], screen(), 60, seed=9)
    assert share_exact(taught, unseen) > 0.85 and share_exact(taught, shown) == 0
    assert share_exact(new, unseen) > kept and share_exact(new, shown) > 0.8


def test_an_interrupted_extension_resumes_to_the_same_weights(old, with_ring, tmp_path):
    def stop(step: int, losses: dict[str, float]) -> None:
        if step == 12:
            raise KeyboardInterrupt

    settings = extension_config(old, {})
    with pytest.raises(KeyboardInterrupt):
        extend(old, WITH_RING, settings, tmp_path, CPU, report=stop)
    steps: list[int] = []
    resumed = extend(
        old, WITH_RING, settings, tmp_path, CPU, True, lambda step, _: steps.append(step)
    )
    assert steps == list(range(11, 17))
    for name, value in with_ring.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    with pytest.raises(CheckpointError, match="another extended model"):
        extend(with_ring, POSED, settings, tmp_path, CPU, resume=True)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"model": {"sprite_size": 18}}, "model.sprite_size: expected 16, .*got 18"),
        ({"discover": {"min_count": 6}}, "discover.min_count: expected 5, .*got 6"),
        ({"train": {"iterations": 3}}, "train.iterations: expected 0, .*got 3"),
        ({"train": {"init": "random"}}, "train.init: expected 'frames', .*got 'random'"),
    ],
)
def test_settings_of_the_model_cannot_be_changed(old, settings, key):
    with pytest.raises(ConfigError, match=key):
        check_extension(old, WITH_RING, extension_config(old, settings))


def test_frames_must_be_of_the_model_and_show_something_new(old, tmp_path):
    settings = extension_config(old, {})
    cut = WITH_RING._replace(images=WITH_RING.images[:, :, :90])
    with pytest.raises(RecordingError, match=r"expected frames of 96 x 72 pixels.*got 90 x 72"):
        extend(old, cut, settings, tmp_path, CPU)
    pong = load_checkpoint(save_pong_model(tmp_path / "pong"))
    tennis = Frames(np.zeros((60, 210, 160, 3), np.uint8), np.zeros(60, np.int32), "ALE/Tennis-v5")
    with pytest.raises(CheckpointError, match=r"expected frames of ALE/Pong-v5.*got ALE/Tennis-v5"):
        check_extension(pong, tennis, extension_config(pong, {}))
    with pytest.raises(RecordingError, match="nothing that the model does not know recurs 5 times"):
        extend(old, OLD, settings, tmp_path, CPU)
    colors = np.random.default_rng(0).integers(0, 256, WITH_RING.images.shape, np.uint8)
    with pytest.raises(RecordingError, match=r"add to the model's 5 colours at most 250"):
        extend(old, WITH_RING._replace(images=colors), settings, tmp_path, CPU)


def test_a_full_dictionary_and_a_random_start_are_refused(old, tmp_path):
    full = old._replace(config=old.config.__class__(**{**vars(old.config), "num_sprites": 2}))
    with pytest.raises(ConfigError, match=r"model\.num_sprites: expected room for more than the 2"):
        extend(full, WITH_RING, extension_config(full, {}), tmp_path, CPU)
    start = pretrain(small_frames(), random_config(iterations=2), tmp_path / "random", CPU)
    with pytest.raises(CheckpointError, match="random start, which cannot be extended"):
        check_extension(start, small_frames(), extension_config(start, {}))
    scrolls = start._replace(config=start.config.__class__(background="scroll", scroll_x=1))
    with pytest.raises(CheckpointError, match="scrolls, which cannot be extended"):
        check_extension(scrolls, small_frames(), extension_config(start, {}))
