"""Palettes, components, peeling and the exact decoder, against scenes with known sprites."""

import numpy as np
import pytest
from scenes import CLEAR, COLORS, drawings, make_scene, paint
from scipy import ndimage

from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import TRANSPARENT, from_canvases, make_bank, to_canvases
from sprite_obs.lookup.components import contour, find_components
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.palette import Palette
from sprite_obs.lookup.peel import Rules, peel

RULES = Rules(visible=0.5, continued=0.25)


def decoder_of(drawings, background, max_foreground=1.0):
    """Returns a decoder of drawings that were seen equally often."""
    bank = make_bank(drawings)
    behind = Background.still(background)
    return LookupDecoder(bank, np.ones(len(bank)), behind, max_foreground=max_foreground)


def order_of(bank):
    return np.arange(len(bank), dtype=np.int32)


def test_palette_is_exact_and_knows_what_it_does_not_know():
    frames = COLORS[make_scene(5).index]
    palette = Palette.of_frames(frames)
    assert palette.exact
    assert (palette.rgb(palette.index(frames)) == frames).all()
    assert palette.index(np.array([[1, 2, 3]], np.uint8))[0] == 255


def test_a_palette_of_too_many_colors_keeps_some_that_are_far_apart():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
    palette = Palette.of_frames(frames)
    assert not palette.exact and 64 <= len(palette.colors) <= 255
    apart = palette.colors[:, None].astype(int) - palette.colors
    assert np.sort(np.square(apart).sum(-1), 1)[:, 1].min() >= 38**2
    near = palette.rgb(palette.index(frames)).astype(int) - frames
    direct = palette.colors[palette.nearest(frames.reshape(-1, 3))].reshape(
        frames.shape
    ) - frames.astype(int)
    assert np.abs(near).mean() <= np.abs(direct).mean() * 1.1


def test_the_nearest_colour_is_the_first_of_equally_near_ones():
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 8, (60, 3), np.uint8) * 32  # coarse, so that there are ties
    wanted = rng.integers(0, 256, (500, 3), np.uint8)
    distances = np.square(wanted[:, None].astype(int) - colors[None].astype(int)).sum(2)
    nearest = Palette(colors).nearest(wanted)
    assert np.array_equal(nearest, distances.argmin(1)) and nearest.dtype == np.uint8


def test_noise_around_few_colors_is_taken_out_of_the_palette():
    scene = make_scene(5).index
    noise = np.random.default_rng(0).integers(-6, 7, (*scene.shape, 3))
    frames = np.clip(COLORS[scene].astype(int) + noise, 0, 255).astype(np.uint8)
    palette = Palette.of_frames(frames)
    assert not palette.exact and len(palette.colors) == len(COLORS)
    meant = palette.nearest(COLORS)
    assert len(set(meant.tolist())) == len(COLORS)
    assert (palette.index(frames) == meant[scene]).all()


def test_components_agree_with_scipy():
    rng = np.random.default_rng(1)
    index = rng.integers(0, 4, (40, 50)).astype(np.uint8)
    mask = rng.random((40, 50)) < 0.3
    found = find_components(index, mask)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    assert len(found.boxes) == count == found.labels.max()
    assert ((found.labels > 0) == mask).all()
    for i in range(count):
        (y, x) = np.nonzero(found.labels == i + 1)
        assert len(np.unique(labels[y, x])) == 1
        assert tuple(found.boxes[i]) == (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)
        assert found.areas[i] == len(x)


def test_keys_tell_shape_and_color_but_not_place():
    box, cross, _ = drawings()
    canvas = np.zeros((40, 60), np.uint8)
    for left, drawing in ((2, box), (20, box), (40, cross)):
        paint(canvas, drawing, left, 5)
    first, second, third = find_components(canvas, canvas > 0).keys
    assert first == second != third
    canvas[5, 2] = 4
    assert find_components(canvas, canvas > 0).keys[0] != first
    assert make_bank([box]).keys()[0] == first


def test_contour_counts_continuing_colors():
    background = np.zeros((6, 6), np.uint8)
    frame = background.copy()
    frame[2:4, 2:4] = 1
    frame[2:4, 4] = 1
    background[2:4, 4] = 1
    border = contour(frame, background, find_components(frame, frame != background))
    assert (border.pairs[0], border.frame_same[0], border.background_same[0]) == (8, 2, 6)
    assert border.num_colors[0] == 1


def test_canvases_keep_every_pixel():
    bank = make_bank(drawings())
    palette = Palette(COLORS)
    canvases = to_canvases(bank, palette, 16)
    back = from_canvases(canvases, palette)
    for i in range(len(bank)):
        assert (back.drawing(i) == bank.drawing(i)).all()
    assert from_canvases(np.zeros((1, 16, 16, 4), np.uint8), palette).areas[0] == 0


def test_peel_finds_touching_and_covered_sprites():
    box, cross, ring = drawings()
    canvas = np.full((20, 24), CLEAR, np.uint8)
    paint(canvas, ring, 8, 6)
    paint(canvas, box, 1, 3)
    paint(canvas, box, 10, 0)  # covers the upper edge of the ring
    bank = make_bank([box, ring, cross])
    found, left = peel(canvas, canvas != CLEAR, bank, order_of(bank), RULES)
    assert not left.any()
    assert sorted(place[:3] for place in found) == [(0, 1, 3), (0, 10, 0), (1, 8, 6)]
    assert found[-1].sprite == 1 and found[-1].visible < bank.areas[1]


def test_peel_leaves_what_it_does_not_know():
    box, cross, _ = drawings()
    canvas = np.full((12, 20), CLEAR, np.uint8)
    paint(canvas, box, 0, 0)
    canvas[3, 8:14] = 5
    bank = make_bank([box, cross])
    found, left = peel(canvas, canvas != CLEAR, bank, order_of(bank), RULES)
    assert [place[:3] for place in found] == [(0, 0, 0)]
    assert left.sum() == 6


def test_peel_does_not_cut_a_part_out_of_a_larger_shape():
    small = np.full((4, 4), 2, np.uint8)
    large = np.full((10, 12), 2, np.uint8)
    bank = make_bank([small])
    assert peel(large, large == 2, bank, order_of(bank), RULES)[0] == []


@pytest.mark.parametrize("seed", [0, 1])
def test_decoder_finds_every_sprite_at_its_place(seed):
    scene = make_scene(40, seed)
    decoder = decoder_of(scene.drawings, scene.background)
    rows = decoder.decode(scene.index)
    assert sorted((n, sprite - 1, x, y) for n, sprite, _, x, y, *_ in rows) == [
        tuple(row) for row in scene.truth.tolist()
    ]
    assert all(score == 1 for *_, score in rows)


def test_decoder_puts_the_covered_sprite_behind():
    box, _, ring = drawings()
    canvas = np.zeros((30, 30), np.uint8)
    paint(canvas, ring, 8, 8)
    paint(canvas, box, 10, 4)
    decoder = decoder_of([box, ring], np.zeros((30, 30), np.uint8))
    rows = sorted(decoder.decode(canvas[None]))
    assert [row[:5] for row in rows] == [(0, 1, 1, 10, 4), (0, 2, 0, 8, 8)]
    assert rows[0][-1] == 1 and 0.5 <= rows[1][-1] < 1


def test_decoder_reports_unknown_things_without_a_sprite():
    canvas = np.zeros((30, 30), np.uint8)
    canvas[3:9, 4:6] = 3
    decoder = decoder_of(drawings(), np.zeros((30, 30), np.uint8))
    assert decoder.decode(canvas[None]) == [(0, 0, 0, 4, 3, 2, 6, 0.0)]


def test_remembered_answers_are_the_computed_ones():
    scene = make_scene(30)
    known = scene.drawings[:2]  # the ring stays unknown
    decoder = decoder_of(known, scene.background)
    first = decoder.decode(scene.index)
    assert decoder.decode(scene.index) == first
    fresh = decoder_of(known, scene.background)
    alone = [(n, *row[1:]) for n in range(30) for row in fresh.decode(scene.index[n : n + 1])]
    assert alone == first


def test_transparent_is_no_palette_color():
    assert len(COLORS) <= TRANSPARENT


def test_a_change_of_palette_is_seen_behind_the_sprites():
    scene = make_scene(20)
    recolored = scene.index.copy()
    recolored[scene.background[None].repeat(20, 0) == scene.index] += 2  # 0 -> 2, 1 -> 3
    decoder = decoder_of(scene.drawings, scene.background, 0.25)
    assert (decoder.shown_background(recolored[0]) == scene.background + 2).all()
    assert decoder.shown_background(scene.index[0]) is decoder.background.image
    found = {row[:5] for row in decoder.decode(recolored)}
    usual = {row[:5] for row in decoder.decode(scene.index)}
    crosses = {row for row in usual if row[1] == 2}
    assert crosses and crosses <= found


def test_a_different_scene_is_no_change_of_palette():
    scene = make_scene(1)
    noise = np.random.default_rng(0).integers(0, 6, scene.background.shape).astype(np.uint8)
    decoder = decoder_of(scene.drawings, scene.background, 0.25)
    assert (decoder.shown_background(noise) == scene.background).all()


def test_what_spans_the_frame_is_scenery():
    scene = make_scene(1)
    frame = scene.index[0].copy()
    frame[0] = 5  # a wave, say: no sprite, and no reason to take sprites out of it
    decoder = decoder_of(scene.drawings, scene.background)
    assert decoder.decode(frame[None]) == decoder.decode(scene.index)


def test_unknown_colors_are_no_background():
    scene = make_scene(1)
    flash = np.full_like(scene.background, 255)
    decoder = decoder_of(scene.drawings, scene.background, 0.25)
    assert (decoder.shown_background(flash) != 255).all()
