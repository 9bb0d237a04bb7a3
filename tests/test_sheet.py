import math

import cv2
import numpy as np
import pytest

from sprite_obs.view.comparison import AMPLIFICATION, comparison_sheet
from sprite_obs.view.overlay import type_colour
from sprite_obs.view.picture import PAGE, cut_text, to_png
from sprite_obs.view.sheet import (
    CHECKS,
    GAP,
    MARGIN,
    MAX_SCALE,
    TYPE_HEIGHT,
    dictionary_sheet,
    grouped,
    similarity_order,
)

RED, GREEN = (200, 30, 40), (20, 180, 60)


def canvas(width, height, color, size=48):
    sprite = np.zeros((size, size, 4), np.uint8)
    left, top = (size - width) // 2, (size - height) // 2
    sprite[top : top + height, left : left + width] = (*color, 255)
    return sprite


def codes(count):
    return np.random.default_rng(0).standard_normal((count, 16)).astype(np.float32)


def draw(sprites, **types):
    """Draws sprites of random codes, each of a type of its own if nothing else is said."""
    count = len(sprites)
    types = {"sprite_type": np.arange(1, count + 1)} | types
    return dictionary_sheet(sprites, codes(count), **types)


def shown(sheet, color):
    return (sheet == color).all(-1)


def extent(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def test_a_paddle_is_shown_large_and_whole():
    sheet = draw(canvas(4, 16, RED)[None])
    assert (sheet.dtype, sheet.shape[2]) == (np.uint8, 3)
    assert extent(shown(sheet, RED)) == (4 * MAX_SCALE, 16 * MAX_SCALE)
    assert shown(sheet, RED).sum() == 4 * 16 * MAX_SCALE**2


def test_what_is_transparent_shows_a_fine_checkerboard():
    sheet = draw(canvas(4, 16, RED)[None])
    dark, light = (shown(sheet, color) for color in CHECKS)
    cell = (4 + 2 * MARGIN) * (16 + 2 * MARGIN) * MAX_SCALE**2
    assert dark.sum() + light.sum() == cell - 4 * 16 * MAX_SCALE**2
    assert dark.sum() == light.sum()
    checks = dark | light
    both = checks[:, :-2] & checks[:, 2:]
    changes = dark[:, :-2] != dark[:, 2:]
    assert changes[both].all(), "two pixels to the right is the other colour"


def test_half_transparent_pixels_are_blended():
    sprite = canvas(4, 16, RED)
    sprite[..., 3] //= 2
    sheet = draw(sprite[None])
    blend = np.round(np.array(RED) * 127 / 255 + np.array(CHECKS[0]) * 128 / 255)
    assert not shown(sheet, RED).any()
    assert shown(sheet, blend).any()


def test_cells_have_the_size_of_the_largest_sprite():
    sheet = draw(np.stack([canvas(20, 4, RED), canvas(2, 10, GREEN)]))
    for color in RED, GREEN:
        assert shown(sheet, color).any()
    checks = shown(sheet, CHECKS[0]) | shown(sheet, CHECKS[1])
    num_cells, width, height = 2, 20 + 2 * MARGIN, 10 + 2 * MARGIN
    area = num_cells * width * height - 20 * 4 - 2 * 10
    assert checks.sum() == area * MAX_SCALE**2


def test_drawings_of_odd_size_and_full_canvas_are_not_cut():
    sprites = np.stack([canvas(3, 5, GREEN, 8), canvas(8, 8, RED, 8)])
    sheet = draw(sprites)
    assert extent(shown(sheet, GREEN)) == (3 * MAX_SCALE, 5 * MAX_SCALE)
    assert shown(sheet, RED).sum() == (8 * MAX_SCALE) ** 2


def test_each_cell_has_its_id_below():
    one = draw(canvas(4, 16, RED)[None])
    below = one[-25:]
    assert (below != PAGE).any(), "a text"
    two = draw(np.stack([canvas(4, 16, RED)] * 2))
    left, right = two[-25:, : two.shape[1] // 2], two[-25:, two.shape[1] // 2 :]
    assert (left[:, :80] != right[:, :80]).any(), "1 and 2"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 37, 512])
def test_any_number_of_sprites(count):
    sprites = np.stack([canvas(6, 8, RED, 16)] * count)
    sheet = draw(sprites)
    scale = round((shown(sheet, RED).sum() / count / 48) ** 0.5)
    assert shown(sheet, RED).sum() == count * 48 * scale**2
    assert scale >= 3


def test_an_empty_dictionary_entry_is_a_cell_of_checks():
    sheet = draw(np.zeros((1, 8, 8, 4), np.uint8))
    assert shown(sheet, CHECKS[0]).any()


def test_order_brings_similar_codes_together():
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((3, 16)) * 10
    group = np.arange(60) % 3
    order = similarity_order((centres[group] + rng.standard_normal((60, 16))).astype(np.float32))
    assert sorted(order) == list(range(60))
    assert (np.diff(group[order]) != 0).sum() <= 6, "groups in few runs; by chance it would be 40"


def test_order_is_the_same_each_time_and_given_for_few():
    np.testing.assert_array_equal(similarity_order(codes(30)), similarity_order(codes(30)))
    np.testing.assert_array_equal(similarity_order(codes(3)), [0, 1, 2])


def test_sprites_of_a_type_come_together_at_the_mean_of_their_places():
    order = np.array([3, 1, 0, 2, 5, 4])
    types = np.array([7, 2, 7, 2, 9, 9])  # in that order: 2, 2, 7, 7, 9, 9
    np.testing.assert_array_equal(grouped(order, types), order)
    types = np.array([2, 7, 9, 7, 1, 2])  # in that order: 7, 7, 2, 9, 2, 1
    np.testing.assert_array_equal(grouped(order, types), [3, 1, 0, 5, 2, 4])


def test_types_of_one_sprite_each_keep_the_order():
    order = np.random.default_rng(2).permutation(50)
    np.testing.assert_array_equal(grouped(order, np.arange(50, 0, -1)), order)


def test_a_rule_spans_the_cells_of_each_type_in_every_line():
    sheet = draw(np.stack([canvas(8, 8, RED)] * 30), sprite_type=np.repeat([4, 5], [29, 1]))
    cell = (8 + 2 * MARGIN) * MAX_SCALE
    assert extent(shown(sheet, type_colour(5))) == (cell, 2)
    rule = shown(sheet, type_colour(4))
    columns = (sheet.shape[1] - GAP) // (cell + GAP)
    num_lines = (np.diff(rule.any(1).astype(int)) == 1).sum()
    assert num_lines == math.ceil(30 / columns) > 1
    assert rule.any(0).sum() == columns * (cell + GAP) - GAP, "no gap within a type"


def test_names_of_types_are_written_above_their_cells():
    sprites = np.stack([canvas(4, 20, RED)] * 2)
    types = np.array([1, 1])
    unnamed = draw(sprites, sprite_type=types)
    named = draw(sprites, sprite_type=types, type_names={1: "fish"})
    changed = (unnamed != named).any(-1)
    assert changed.any() and not changed[GAP + TYPE_HEIGHT - 4 :].any()
    of_another = draw(sprites, sprite_type=types, type_names={2: "fish"})
    np.testing.assert_array_equal(of_another, unnamed)


def test_long_names_are_cut():
    assert cut_text("t12 submarine ", 1000) == "t12 submarine"
    assert "t12 submarine".startswith(cut_text("t12 submarine", 60)) and cut_text("t12 s", 60)
    assert cut_text("t12", 1) == ""
    sprites, types = np.stack([canvas(4, 4, RED), canvas(4, 4, GREEN)]), np.array([1, 2])
    short = draw(sprites, sprite_type=types, type_names={1: "a" * 60})
    np.testing.assert_array_equal(draw(sprites, sprite_type=types, type_names={1: "a" * 90}), short)


def test_comparison_shows_frame_reconstruction_and_amplified_difference():
    frames = np.full((2, 40, 100, 3), 100, np.uint8)
    rebuilt = frames.copy()
    rebuilt[0, 10:20, 30:50] = (90, 105, 200)
    sheet = comparison_sheet(frames, rebuilt, ["frame 3, 20.1 dB", "frame 9, exact"])
    scale = 4
    assert shown(sheet, (100, 100, 100)).sum() == (4 * 40 * 100 - 10 * 20) * scale**2
    assert shown(sheet, (90, 105, 200)).sum() == 10 * 20 * scale**2
    difference = 10 * AMPLIFICATION, 5 * AMPLIFICATION, 255
    assert shown(sheet, difference).sum() == 10 * 20 * scale**2
    assert shown(sheet, (0, 0, 0)).sum() == (2 * 40 * 100 - 10 * 20) * scale**2


def test_large_frames_are_not_enlarged():
    frames = np.full((1, 30, 900, 3), 100, np.uint8)
    sheet = comparison_sheet(frames, frames, ["exact"])
    assert shown(sheet, (100, 100, 100)).sum() == 2 * 30 * 900


def test_png_keeps_all_pixels():
    picture = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)
    read = cv2.imdecode(np.frombuffer(to_png(picture), np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(read, picture)


def test_png_keeps_what_is_transparent():
    picture = np.random.default_rng(0).integers(256, size=(5, 7, 4), dtype=np.uint8)
    read = cv2.imdecode(np.frombuffer(to_png(picture), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read[..., [2, 1, 0, 3]], picture)
