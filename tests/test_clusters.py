"""Components that are looked at together: perhaps the pieces of one thing."""

import numpy as np
import pytest
from scenes import CLEAR, HEIGHT, WIDTH, drawings, paint

from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import make_bank
from sprite_obs.lookup.clusters import find_clusters
from sprite_obs.lookup.decoder import LookupDecoder

BOX, _, RING = drawings()
FIGURE = np.full((6, 6), 2, np.uint8)
FIGURE[0, 1:3] = 3
FIGURE[3:, 2:4] = CLEAR
FOOT = np.full((3, 2), 2, np.uint8)
"""What the upper border leaves of the figure, twice."""


def cut_at_the_top(left: int, visible: int) -> np.ndarray:
    frame = np.zeros((HEIGHT, WIDTH), np.uint8)
    paint(frame, FIGURE[-visible:], left, 0)
    return frame


def decoder(known: list[np.ndarray], counts: list[int]) -> LookupDecoder:
    behind = Background.still(np.zeros((HEIGHT, WIDTH), np.uint8))
    return LookupDecoder(make_bank(known), np.array(counts), behind)


def places(rows) -> list[tuple]:
    return sorted(row[1:2] + row[3:5] for row in rows)


def test_near_components_form_a_cluster_around_what_is_doubtful():
    boxes = np.array(
        [[0, 0, 4, 4], [6, 0, 4, 4], [13, 0, 4, 4], [0, 6, 4, 4], [50, 50, 9, 9]], np.int32
    )  # gaps of 2 and 3 pixels to the right, 2 below
    first = np.arange(5) == 0
    assert find_clusters(boxes, first).tolist() == [1, 1, 0, 1, 0]
    assert find_clusters(boxes, np.zeros(5, bool)).tolist() == [0] * 5
    assert find_clusters(boxes, np.arange(5) == 4).tolist() == [0] * 5, "alone"
    assert find_clusters(boxes, np.arange(5) == 2).tolist() == [0] * 5, "too far away"


def test_two_known_things_do_not_chain():
    boxes = np.array([[0, 0, 4, 4], [5, 0, 4, 4], [10, 0, 4, 4]], np.int32)
    assert find_clusters(boxes, np.array([True, False, False])).tolist() == [1, 1, 0]
    assert find_clusters(boxes, np.array([True, True, False])).tolist() == [1, 1, 1]


def test_pieces_in_separate_components_are_one_covered_thing():
    rows, unexplained = decoder([FIGURE, BOX], [10, 10]).decode_and_count(
        cut_at_the_top(30, visible=3)[None]
    )
    [(_, sprite, _, *box, score)] = rows
    assert (sprite, box) == (1, [30, -3, 6, 6])
    assert score == pytest.approx(12 / 30)
    assert unexplained.tolist() == [0]


def test_pieces_that_are_known_things_themselves_are_still_one_covered_thing():
    frame = cut_at_the_top(30, visible=3)
    assert places(decoder([FIGURE, FOOT], [100, 10]).decode(frame[None])) == [(1, 30, -3)]


def test_what_is_seen_more_often_than_the_whole_is_no_piece():
    frame = cut_at_the_top(30, visible=3)
    found = places(decoder([FIGURE, FOOT], [10, 100]).decode(frame[None]))
    assert found == [(2, 30, 0), (2, 34, 0)]


def test_away_from_the_border_nothing_hides_the_rest():
    frame = np.roll(cut_at_the_top(30, visible=3), 40, 0)
    found = places(decoder([FIGURE, FOOT], [100, 10]).decode(frame[None]))
    assert found == [(2, 30, 40), (2, 34, 40)]


def test_a_whole_thing_beside_the_pieces_is_found_too():
    frame = cut_at_the_top(30, visible=3)
    paint(frame, BOX, 38, 1)
    found = places(decoder([FIGURE, BOX], [10, 10]).decode(frame[None]))
    assert found == [(1, 30, -3), (2, 38, 1)]


def test_a_cluster_with_something_unknown_leaves_that_unknown():
    frame = cut_at_the_top(30, visible=3)
    frame[2:7, 38:40] = 5
    found = places(decoder([FIGURE, BOX], [10, 10]).decode(frame[None]))
    assert found == [(0, 38, 2), (1, 30, -3)]


def test_remembered_clusters_are_the_computed_ones():
    frames = np.stack([cut_at_the_top(left, 3) for left in (10, 30, 10, 50)])
    once = decoder([FIGURE, BOX], [10, 10])
    expected = [(1, left, -3) for left in (10, 30, 10, 50)]
    for _ in range(2):
        assert [row[1:2] + row[3:5] for row in once.decode(frames)] == expected


def test_layers_follow_a_chain_of_things_that_cover_each_other():
    """The drawing order of a frame is that of its rows: by layer, then from top to bottom."""
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    paint(canvas, BOX, 35, 31)
    paint(canvas, RING, 30, 25)
    paint(canvas, BOX, 26, 21)
    rows = decoder([BOX, RING], [1, 1]).decode(canvas[None])
    layers = {row[1:2] + row[3:5]: row[2] for row in rows}
    assert layers == {(1, 26, 21): 2, (2, 30, 25): 1, (1, 35, 31): 0}
