"""Small scenes for which every figure is known by hand."""

import numpy as np
import pytest

from sprite_obs.detections import Detections
from sprite_obs.metrics.detection import DetectionFigures, Rates, score_detections
from sprite_obs.metrics.ground_truth import GroundTruth

SIZE = (210, 160)
ONE = (50, 50, 10, 10)


def truth(*rows: tuple, hud_rects=()) -> GroundTruth:
    """Objects as frame, category, box and names of flags; they are visible game objects else."""
    return GroundTruth(
        frame=np.array([row[0] for row in rows], np.int32),
        category=np.array([row[1] for row in rows], np.int16),
        box=np.array([row[2] for row in rows], np.int16).reshape(-1, 4),
        hud=np.array(["hud" in row[3:] for row in rows], bool),
        moving=np.array(["still" not in row[3:] for row in rows], bool),
        visible=np.array(["hidden" not in row[3:] for row in rows], bool),
        hud_rects=np.array(hud_rects, np.int16).reshape(-1, 4),
        frame_size=SIZE,
        category_names=("a", "b", "c"),
    )


def found(*rows: tuple) -> Detections:
    """Detections as frame, id, box and maybe a score."""
    ids = np.array([row[1] for row in rows], np.int32)
    return Detections.separate(
        frame=np.array([row[0] for row in rows], np.int32),
        sprite=ids,
        type=ids,
        layer=np.zeros(len(rows), np.int32),
        box=np.array([row[2] for row in rows], np.int32).reshape(-1, 4),
        score=np.array([(*row, 1)[3] for row in rows], np.float32),
    )


def figures(detections, objects, variant="game", num_frames=1) -> DetectionFigures:
    return score_detections(detections, objects, num_frames)[variant]


def rates(hits, judged, wanted) -> Rates:
    """Returns what so many pairs give."""
    return Rates(hits / judged, hits / wanted, 2 * hits / (judged + wanted))


def test_what_is_found_twice_is_wrong_once():
    result = figures(found((0, 1, ONE), (0, 1, ONE)), truth((0, 0, ONE)))
    assert result.overlap == result.centre == rates(1, 2, 1)
    assert (result.num_objects, result.num_found) == (1, 2)


def test_nothing_found_and_nothing_there():
    zero = Rates(0, 0, 0)
    for detections, objects in [
        (found(), truth((0, 0, ONE))),
        (found((0, 1, ONE)), truth()),
        (found(), truth()),
    ]:
        result = figures(detections, objects)
        assert result.overlap == result.centre == result.fragments == zero
        assert result.identity is None


def test_frames_do_not_mix():
    result = figures(found((0, 1, ONE), (1, 1, ONE)), truth((1, 0, ONE), (2, 0, ONE)), num_frames=3)
    assert result.overlap == rates(1, 2, 2)


@pytest.mark.parametrize(
    ("box", "hits"),
    [((50, 50, 10, 5), 1), ((50, 50, 9, 5), 0), ((50, 50, 20, 10), 1), ((50, 50, 21, 10), 0)],
)
def test_an_iou_of_half_is_enough(box, hits):
    result = figures(found((0, 1, box)), truth((0, 0, ONE)))
    assert result.overlap.recall == result.overlap.precision == hits


def test_more_pairs_beat_better_ones():
    objects = truth((0, 0, (50, 50, 10, 10)), (0, 0, (54, 50, 10, 10)))
    # The first box fits the second object as well, but the second box fits the first one only.
    result = figures(found((0, 1, (52, 50, 10, 10)), (0, 1, (50, 50, 10, 10))), objects)
    assert result.overlap == rates(2, 2, 2)


def test_boxes_are_cut_at_the_border():
    objects = truth((0, 0, (-5, 50, 10, 10)), (0, 0, (200, 50, 10, 10)), (0, 0, (9, 9, 0, 5)))
    result = figures(found((0, 1, (-2, 50, 7, 10)), (0, 1, (160, 9, 4, 4))), objects)
    assert result.overlap == rates(1, 1, 1)
    assert (result.num_objects, result.num_found) == (1, 1)


def test_the_display_counts_in_one_variant_only():
    hud = (10, 0, 20, 10)
    detections = found((0, 1, ONE), (0, 2, hud))
    by_box = truth((0, 0, ONE), (0, 1, hud, "hud", "still"))
    assert figures(detections, by_box, "all").overlap == rates(2, 2, 2)
    assert figures(detections, by_box, "game").overlap == rates(1, 1, 1)
    assert figures(detections, by_box, "moving").overlap == rates(1, 1, 1)
    by_area = truth((0, 0, ONE), hud_rects=[(0, 0, 160, 5)])
    assert figures(detections, by_area, "all").overlap == rates(1, 2, 1)
    assert figures(detections, by_area, "game").overlap == rates(1, 1, 1), "half of it is enough"
    by_less = truth((0, 0, ONE), hud_rects=[(0, 0, 160, 4)])
    assert figures(detections, by_less, "game").overlap == rates(1, 2, 1)


def test_what_does_not_move_counts_unless_only_moving_things_do():
    still = (80, 80, 8, 8)
    detections = found((0, 1, ONE), (0, 2, still), (0, 3, (120, 120, 5, 5)))
    objects = truth((0, 0, ONE), (0, 1, still, "still"))
    assert figures(detections, objects, "game").overlap == rates(2, 3, 2)
    assert figures(detections, objects, "moving").overlap == rates(1, 2, 1)


@pytest.mark.parametrize("variant", ["all", "game", "moving"])
def test_hidden_and_repeated_objects_are_ignored(variant):
    other = (80, 80, 8, 8)
    detections = found((0, 1, ONE), (0, 2, other))
    objects = truth((0, 0, ONE), (0, 0, ONE), (0, 1, other, "hidden"))
    assert figures(detections, objects, variant).overlap == rates(1, 1, 1)
    missed = figures(found(), objects, variant)
    assert missed.num_objects == 1
    # Another category in the same box is another object.
    assert figures(detections, truth((0, 0, ONE), (0, 1, ONE)), variant).num_objects == 2


def test_centres_alone_may_decide():
    # Diagonals are measured in a frame of 1 by 1: (10/160, 10/210), about 0.079.
    objects = truth((0, 0, ONE))
    for box, hits in [((54, 54, 2, 2), 1), ((20, 20, 70, 70), 1), ((56, 50, 10, 10), 1)]:
        assert figures(found((0, 1, box)), objects).centre.recall == hits
    assert figures(found((0, 1, (57, 50, 10, 10))), objects).centre.recall == 0


def test_centre_takes_the_nearest_object_even_if_it_is_taken():
    objects = truth((0, 0, (50, 50, 10, 10)), (0, 0, (54, 50, 10, 10)))
    result = figures(found((0, 1, (50, 50, 10, 10)), (0, 1, (51, 50, 10, 10))), objects)
    assert result.centre == rates(1, 2, 2)
    assert result.overlap == rates(2, 2, 2)


@pytest.mark.parametrize(("score", "judged"), [(0.9, 2), (0.5, 1)])
def test_centre_prefers_score_then_nearness(score, judged):
    objects = truth((0, 0, ONE), hud_rects=[(59, 0, 101, 210)])
    near, far = (0, 1, (50, 50, 10, 10), 0.5), (0, 2, (54, 50, 10, 10), score)
    # The one that misses the object is wrong if it is the near one; the far one is ignored.
    assert figures(found(far, near), objects).centre == rates(1, judged, 1)


def test_fragments_are_joined():
    pieces = found((0, 1, (50, 50, 5, 10)), (0, 2, (55, 50, 5, 6)))
    result = figures(pieces, truth((0, 0, ONE)))
    assert result.fragments == Rates(1, 1, 1)
    assert result.overlap == rates(1, 2, 1)
    quarters = [(0, k, (50 + 5 * (k % 2), 50 + 5 * (k // 2), 5, 5)) for k in range(4)]
    assert figures(found(*quarters), truth((0, 0, ONE))).fragments == Rates(1, 1, 1)
    assert figures(found(*quarters), truth((0, 0, ONE))).overlap == Rates(0, 0, 0)
    few = figures(found(quarters[0], (0, 9, (100, 100, 3, 3))), truth((0, 0, ONE)))
    assert few.fragments == Rates(0.5, 0, 0), "a right piece, but too little of the object"


def test_pieces_that_stick_out_count_for_what_lies_inside():
    above = found((0, 1, (50, 45, 10, 10)))
    assert figures(above, truth((0, 0, ONE))).fragments == Rates(1, 1, 1)
    further = found((0, 1, (50, 44, 10, 10)))
    assert figures(further, truth((0, 0, ONE))).fragments == Rates(0, 0, 0)


def three_kinds(id_of, num_frames=10) -> DetectionFigures:
    """Three objects of three categories in each frame, all found, with ids as a function says."""
    cells = [(frame, kind) for frame in range(num_frames) for kind in range(3)]
    box = {kind: (20 + 40 * kind, 50, 10, 10) for kind in range(3)}
    objects = truth(*[(frame, kind, box[kind]) for frame, kind in cells])
    detections = found(*[(frame, id_of(frame, kind), box[kind]) for frame, kind in cells])
    return figures(detections, objects, num_frames=num_frames)


def test_an_id_per_category_is_perfect():
    identity = three_kinds(lambda frame, kind: kind + 1).identity
    assert identity.purity == 1 and identity.unknown == 0
    assert identity.few_shot == {1: 1, 4: 1, 16: 1, 64: 1}
    assert (identity.num_ids, identity.num_categories, identity.ids_per_category) == (3, 3, 1)


def test_one_id_for_all_says_nothing():
    identity = three_kinds(lambda frame, kind: 7).identity
    assert identity.purity == pytest.approx(1 / 3)
    assert identity.few_shot[64] == pytest.approx(1 / 3)


def test_new_ids_all_the_time_are_pure_but_worthless():
    identity = three_kinds(lambda frame, kind: 3 * frame + kind + 1).identity
    assert identity.purity == 1
    assert identity.few_shot == {1: 0, 4: 0, 16: 0, 64: 0}
    assert identity.ids_per_category == 10


def test_unknown_things_are_one_id_that_is_not_counted_per_category():
    identity = three_kinds(lambda frame, kind: 1 if kind == 0 else 0).identity
    assert identity.unknown == pytest.approx(2 / 3)
    assert identity.purity == pytest.approx(2 / 3), "half of the unknown ones, and all known ones"
    assert (identity.num_ids, identity.ids_per_category) == (2, pytest.approx(1 / 3))


def test_few_shot_learns_from_the_first_half_only():
    # Two looks of each kind; the second one appears late.
    identity = three_kinds(lambda frame, kind: kind + 1 if frame < 7 else kind + 11).identity
    assert identity.few_shot[64] == pytest.approx(2 / 5)


def test_few_shots_may_miss_rare_looks():
    identity = three_kinds(lambda frame, kind: 2 * kind + frame % 2 + 1, num_frames=40).identity
    assert identity.few_shot[1] == pytest.approx(0.5), "one of two looks gets a name"
    assert identity.few_shot[16] == 1


def test_few_shot_needs_two_categories_and_both_halves():
    one_kind = figures(found((0, 1, ONE), (1, 1, ONE)), truth((0, 0, ONE), (1, 0, ONE)), "game", 2)
    assert one_kind.identity.few_shot == {} and one_kind.identity.purity == 1
    late = figures(found((1, 1, ONE)), truth((0, 0, ONE), (1, 0, ONE)), "game", 2)
    assert late.identity.few_shot == {}
