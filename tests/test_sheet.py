import cv2
import numpy as np
import pytest

from sprite_obs.view.comparison import AMPLIFICATION, comparison_sheet
from sprite_obs.view.picture import PAGE, to_png
from sprite_obs.view.sheet import CHECKS, MARGIN, MAX_SCALE, dictionary_sheet, similarity_order

RED, GREEN = (200, 30, 40), (20, 180, 60)


def canvas(width, height, color, size=48):
    sprite = np.zeros((size, size, 4), np.uint8)
    left, top = (size - width) // 2, (size - height) // 2
    sprite[top : top + height, left : left + width] = (*color, 255)
    return sprite


def codes(count):
    return np.random.default_rng(0).standard_normal((count, 16)).astype(np.float32)


def shown(sheet, color):
    return (sheet == color).all(-1)


def extent(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def test_a_paddle_is_shown_large_and_whole():
    sheet = dictionary_sheet(canvas(4, 16, RED)[None], codes(1))
    assert (sheet.dtype, sheet.shape[2]) == (np.uint8, 3)
    assert extent(shown(sheet, RED)) == (4 * MAX_SCALE, 16 * MAX_SCALE)
    assert shown(sheet, RED).sum() == 4 * 16 * MAX_SCALE**2


def test_what_is_transparent_shows_a_fine_checkerboard():
    sheet = dictionary_sheet(canvas(4, 16, RED)[None], codes(1))
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
    sheet = dictionary_sheet(sprite[None], codes(1))
    blend = np.round(np.array(RED) * 127 / 255 + np.array(CHECKS[0]) * 128 / 255)
    assert not shown(sheet, RED).any()
    assert shown(sheet, blend).any()


def test_cells_have_the_size_of_the_largest_sprite():
    sheet = dictionary_sheet(np.stack([canvas(20, 4, RED), canvas(2, 10, GREEN)]), codes(2))
    for color in RED, GREEN:
        assert shown(sheet, color).any()
    checks = shown(sheet, CHECKS[0]) | shown(sheet, CHECKS[1])
    num_cells, width, height = 2, 20 + 2 * MARGIN, 10 + 2 * MARGIN
    area = num_cells * width * height - 20 * 4 - 2 * 10
    assert checks.sum() == area * MAX_SCALE**2


def test_drawings_of_odd_size_and_full_canvas_are_not_cut():
    sprites = np.stack([canvas(3, 5, GREEN, 8), canvas(8, 8, RED, 8)])
    sheet = dictionary_sheet(sprites, codes(2))
    assert extent(shown(sheet, GREEN)) == (3 * MAX_SCALE, 5 * MAX_SCALE)
    assert shown(sheet, RED).sum() == (8 * MAX_SCALE) ** 2


def test_each_cell_has_its_id_below():
    one = dictionary_sheet(canvas(4, 16, RED)[None], codes(1))
    below = one[-25:]
    assert (below != PAGE).any(), "a text"
    two = dictionary_sheet(np.stack([canvas(4, 16, RED)] * 2), codes(2))
    left, right = two[-25:, : two.shape[1] // 2], two[-25:, two.shape[1] // 2 :]
    assert (left[:, :80] != right[:, :80]).any(), "1 and 2"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 37, 512])
def test_any_number_of_sprites(count):
    sprites = np.stack([canvas(6, 8, RED, 16)] * count)
    sheet = dictionary_sheet(sprites, codes(count))
    scale = round((shown(sheet, RED).sum() / count / 48) ** 0.5)
    assert shown(sheet, RED).sum() == count * 48 * scale**2
    assert scale >= 3


def test_an_empty_dictionary_entry_is_a_cell_of_checks():
    sheet = dictionary_sheet(np.zeros((1, 8, 8, 4), np.uint8), codes(1))
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
