"""Objects of several sprites: one row for each."""

import numpy as np
from one_by_one import main_rows

from sprite_obs.detections import Detections, from_rows, merge_objects

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
