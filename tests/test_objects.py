"""Objects of several sprites: one row for each; and which of them are only display."""

import numpy as np
import pytest
from pong_model import save_pong_model

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.detections import Detections, from_rows, main_rows, merge_objects
from sprite_obs.discover.playfield import find_playfield
from sprite_obs.frozen import FrozenEncoder

TYPES = np.array([3, 2, 1], np.int32)
"""Type of sprites 1, 2, 3."""


def three_parts() -> Detections:
    """Returns an object of three sprites, another of one, and the first one in a second frame."""
    rows = [
        (0, 1, 0, 10, 20, 4, 4, 0.5),
        (0, 2, 1, 12, 24, 10, 8, 0.75),  # the main one
        (0, 3, 2, 2, 30, 9, 2, 1.0),
        (0, 1, 0, 60, 60, 4, 4, 1.0),
        (1, 2, 0, 12, 24, 10, 8, 1.0),
    ]
    found = from_rows(rows, TYPES)
    main = ((found.box[:, 0] < 50) & (found.frame == 0)).astype(np.int32)
    return found._replace(object=np.where(main, 7, 10 + np.arange(5)).astype(np.int32))


def test_one_row_for_each_object_with_the_box_around_its_sprites():
    merged = merge_objects(three_parts())
    assert merged.frame.tolist() == [0, 0, 1]
    assert merged.box.tolist() == [[60, 60, 4, 4], [2, 20, 20, 12], [12, 24, 10, 8]]
    assert merged.sprite.tolist() == [1, 2, 2] and merged.type.tolist() == [3, 2, 2]
    assert merged.layer.tolist() == [0, 1, 0] and merged.score.tolist() == [1, 0.75, 1]
    assert [a.dtype for a in merged] == [a.dtype for a in three_parts()]


def test_merged_rows_are_in_the_usual_order():
    merged = merge_objects(three_parts())
    box = merged.box
    order = np.lexsort((box[:, 0], box[:, 1], merged.layer, merged.frame))
    assert order.tolist() == list(range(len(box)))


def test_separate_sprites_are_merged_with_nothing():
    found = from_rows([(0, 1, 0, 10, 20, 4, 4, 1.0), (0, 1, 0, 12, 24, 4, 4, 1.0)], TYPES)
    assert merge_objects(found) is found
    assert merge_objects(from_rows([], TYPES)).box.shape == (0, 4)


def test_the_main_sprite_is_the_largest():
    found = three_parts()
    main = main_rows(found)
    assert found.sprite[main].tolist() == [1 if n > 9 and s == 1 else 2 for n, s in _keys(found)]
    assert (found.object[main] == found.object).all()
    assert len(main_rows(from_rows([], TYPES))) == 0


def _keys(found: Detections) -> list[tuple[int, int]]:
    return list(zip(found.object.tolist(), found.sprite.tolist(), strict=True))


def scores_and_movers(num_frames: int = 50) -> Detections:
    """Returns a mover between 20 and 60, and digits above that change but stay."""
    rows = []
    for n in range(num_frames):
        rows.append((n, 1, 0, 20 + n * 30 // (num_frames - 1), 30 + n % 20, 10, 8, 1.0))
        rows.append((n, 2 + n % 2, 0, 40, 5, 6, 8, 1.0))
    return from_rows(rows, np.array([1, 2, 2], np.int32))


def test_the_playfield_is_where_things_move():
    seen = scores_and_movers()
    field = find_playfield(seen, np.array([0.9, 0.0, 0.0]), (72, 96))
    assert field.tolist() == [20, 30, 60, 57] and field.dtype == np.int32


def test_digits_that_hop_do_not_widen_the_playfield():
    seen = scores_and_movers()
    field = find_playfield(seen, np.array([0.9, 0.2, 0.2]), (72, 96))
    assert field.tolist() == [20, 30, 60, 57]


def test_without_movers_the_playfield_is_the_frame():
    assert find_playfield(scores_and_movers(), np.zeros(3), (72, 96)).tolist() == [0, 0, 96, 72]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Returns an encoder whose playfield begins at row 40, and whose sprite 3 is a tile."""
    checkpoint = load_checkpoint(save_pong_model(tmp_path_factory.mktemp("model")))
    tables = checkpoint.tables._replace(
        playfield=np.array([0, 40, 160, 194], np.int32),
        tiles=np.array([[0, 60, 4, 16, 4, 3]], np.int32),
    )
    return FrozenEncoder(checkpoint._replace(tables=tables))


@pytest.mark.parametrize(
    ("sprite", "top", "expected"), [(1, 10, True), (1, 39, False), (1, 193, True), (3, 10, False)]
)
def test_what_lies_outside_the_playfield_is_display_but_no_tile_is(encoder, sprite, top, expected):
    found = from_rows([(0, sprite, 0, 80, top, 2, 4, 1.0)], encoder.sprite_type)
    assert encoder.is_display(found).tolist() == [expected]


def test_nothing_found_is_no_display(encoder):
    assert encoder.is_display(from_rows([], encoder.sprite_type)).shape == (0,)


def test_what_enters_at_the_border_is_no_display(encoder):
    entering = from_rows([(0, 1, 0, -6, 100, 8, 4, 0.3)], encoder.sprite_type)
    assert not encoder.is_display(entering).any()
