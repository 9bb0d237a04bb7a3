"""Frames made by code: what they promise, and the measures that compare with what is true."""

import math
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from synthetic import clip, figures, photo, text
from synthetic.drawings import drawings, named_drawings
from synthetic.floating import floating
from synthetic.platform import platform_game
from synthetic.platform_drawings import platform_drawings
from synthetic.scenes import Scenes, make_scenes

from sprite_obs.detections import Detections
from sprite_obs.frames.sources import read_frames
from sprite_obs.lookup.bank import from_canvases
from sprite_obs.lookup.palette import Palette
from sprite_obs.metrics.reconstruction import psnr

WHITE = (255, 255, 255)
GENERATORS = {
    "floating": floating,
    "small": lambda n, seed: floating(n, seed, side=64, scale=1, count=(2, 5)),
    "platform": platform_game,
}


@pytest.fixture(scope="module", params=GENERATORS.values(), ids=GENERATORS)
def scenes(request) -> Scenes:
    return request.param(40, 0)


def on_canvases(sprites: list[np.ndarray], side: int = 40) -> np.ndarray:
    """Puts drawings on canvases, each at another place: `(K, S, S, 4)`."""
    canvases = np.zeros((len(sprites), side, side, 4), np.uint8)
    for number, sprite in enumerate(sprites):
        height, width, _ = sprite.shape
        top, left = number % (side - height), 2 * number % (side - width)
        canvases[number, top : top + height, left : left + width] = sprite
    return canvases


def truth(scenes: Scenes) -> Detections:
    """Returns what a perfect encoder would find."""
    ids, zeros = scenes.drawing + 1, np.zeros(len(scenes.frame), np.int32)
    return Detections.separate(
        scenes.frame, ids, ids, zeros, scenes.box, np.ones(len(ids), np.float32)
    )


def rows(found: Detections, chosen: np.ndarray) -> Detections:
    return Detections(*(array[chosen] for array in found))


@pytest.mark.parametrize("scale", [1, 2])
def test_drawings(scale):
    sprites = drawings(scale)
    assert len(sprites) == 11
    for sprite in sprites:
        opaque = sprite[..., 3] == 255
        assert sprite.dtype == np.uint8 and (opaque | (sprite == 0).all(2)).all()
        assert all(8 * scale <= side <= 15 * scale for side in opaque.shape)
        assert opaque[[0, -1]].any(1).all() and opaque[:, [0, -1]].any(0).all(), "is cut tightly"
        assert len(np.unique(sprite[opaque], axis=0)) >= 3
        assert (sprite[opaque, :3].min(1) < 170).all(), "no pixel is nearly white"


@pytest.mark.parametrize(("named", "limit"), [(named_drawings(), 0.8), (platform_drawings(), 0.85)])
def test_drawings_differ_in_outline(named, limit):
    canvases = on_canvases(list(named.values()))
    for number, (name, drawing) in enumerate(named.items()):
        others = np.delete(canvases, number, 0)
        assert figures.recovered(others, [drawing]).best_iou[0] < limit, name


def test_scale_repeats_pixels():
    for small, large in zip(drawings(1), drawings(3), strict=True):
        assert (large[1::3, 2::3] == small).all() and len(large) == 3 * len(small)


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_scenes_depend_on_the_seed_alone(make):
    first, again, other = make(6, 3), make(6, 3), make(6, 4)
    assert (first.images == again.images).all() and (first.box == again.box).all()
    assert (first.images != other.images).any()


def test_truth_repaints_the_frames(scenes):
    again = np.empty_like(scenes.images)
    again[:] = scenes.background
    for frame, number, (left, top, width, height) in zip(
        scenes.frame, scenes.drawing, scenes.box, strict=True
    ):
        drawing = scenes.drawings[number]
        assert drawing.shape[:2] == (height, width) and min(left, top) >= 0
        window = again[frame, top : top + height, left : left + width]
        window[drawing[..., 3] > 0] = drawing[drawing[..., 3] > 0, :3]
    assert (again == scenes.images).all()
    assert (np.diff(scenes.frame) >= 0).all()


def test_masks(scenes):
    # No drawing has a pixel of the background's colour.
    foreground = (scenes.images != scenes.background).any(3)
    assert (scenes.foreground_mask() == foreground).all()
    masks = scenes.visible_masks(2)
    assert len(masks) == (scenes.frame == 2).sum()
    assert (masks.sum(0) == foreground[2]).all(), "a pixel belongs to one instance"
    assert scenes.is_visible()[scenes.frame == 2].tolist() == masks.any((1, 2)).tolist()


def test_hidden_and_cut_instances():
    box = np.full((4, 6, 4), 255, np.uint8)
    scenes = make_scenes([[(0, 1, 1), (0, 1, 1), (0, -3, 14)], []], [box], (0, 0, 0), 16)
    assert scenes.is_visible().tolist() == [False, True, True]
    assert scenes.visible_masks(0).sum((1, 2)).tolist() == [0, 24, 6]
    assert scenes.images[0].any(2).sum() == 30 and not scenes.images[1].any()
    assert scenes.visible_masks(1).shape == (0, 16, 16)
    assert scenes.ground_truth().visible.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("name", "size", "count"), [("floating", (128, 128), (5, 15)), ("small", (64, 64), (2, 5))]
)
def test_floating(name, size, count):
    scenes = GENERATORS[name](200, 0)
    assert scenes.frame_size == size
    counts = np.bincount(scenes.frame)
    assert (counts.min(), counts.max()) == count
    assert len(np.unique(scenes.drawing)) == 11


def test_platform_game():
    scenes = platform_game(60, 0)
    names = np.array(list(platform_drawings()))[scenes.drawing]
    assert set(names) == set(platform_drawings())
    for frame in range(60):
        here = names[scenes.frame == frame]
        assert np.isin(here, ["stand", "walk", "climb"]).sum() == 1, "there is one figure"
        assert (here == "tile").sum() >= 5
    tiles = scenes.box[names == "tile"]
    assert len(np.unique(tiles[:, 0] % 20)) == 20 and len(np.unique(tiles[:, 1] % 14)) == 14


def test_save_frames(tmp_path):
    scenes = floating(4, 0)
    scenes.save_frames(tmp_path / "new" / "frames.npz")
    assert (read_frames(tmp_path / "new" / "frames.npz").images == scenes.images).all()


def test_clip(tmp_path):
    made, again = clip.tennis_clip(50, 0), clip.tennis_clip(50, 0)
    assert (made.images == again.images).all() and made.images.shape == (50, 128, 160, 3)
    clip.write_video(tmp_path / "clip.mp4", made.images)
    images = read_frames(tmp_path / "clip.mp4").images
    assert psnr(made.images, images) > 28, "compression changes little"
    differs = np.abs(images - np.median(images, axis=0)).max(3)  # (N, H, W)
    assert np.median(differs[made.masks]) > 40 and np.percentile(differs[~made.masks], 95) < 20
    assert 0.015 < made.masks.mean((1, 2)).min() < made.masks.mean((1, 2)).max() < 0.05


def test_crops():
    image = photo.photograph()
    assert image.shape == (427, 640, 3) and image.std() > 40
    whole = photo.grid_crops(image)
    assert (photo.join_crops(whole, 5) == image[:384, :640]).all()
    crops = photo.random_crops([image], 20, 0)
    assert crops.shape == (20, 128, 128, 3)
    assert (crops == photo.random_crops([image], 20, 0)).all() and (crops[0] != crops[1]).any()
    found = cv2.matchTemplate(image, crops[0], cv2.TM_SQDIFF)
    assert found.min() < 1e-6 * np.square(crops[0], dtype=float).sum()


def test_pages():
    first, second = text.pages(2, 0)
    assert first.shape == (800, 500, 3) and (first != second).any()
    assert (text.pages(1, 0)[0] == first).all()
    assert 0.05 < (first < 128).mean() < 0.3 and (first[:10] == 255).all()


def test_recovered():
    sprites = drawings(2)
    everything = on_canvases([*sprites, *platform_drawings().values()])
    perfect = figures.recovered(everything, sprites)
    assert perfect.num_recovered == 11 and (perfect.best_iou == 1).all()
    assert perfect.color_error == 0
    assert figures.recovered(everything[:4], sprites).num_recovered == 4
    shifted = np.roll(everything, (3, 7), (1, 2))
    assert figures.recovered(shifted, sprites).num_recovered >= 10  # of those that are not torn


def test_recovered_by_other_sprites():
    sprites = drawings(2)
    empty = np.zeros((3, 32, 32, 4), np.uint8)
    assert figures.recovered(empty, sprites).best_iou.max() == 0
    full = np.full((3, 32, 32, 4), 255, np.uint8)
    wrong = figures.recovered(full, sprites)
    assert wrong.num_recovered == 0 and math.isnan(wrong.color_error)
    twice = figures.recovered(on_canvases(sprites[:1]), [sprites[0], sprites[0]])
    assert twice.num_recovered == 1, "a sprite serves one drawing"


def test_color_error():
    sprites = drawings(2)
    canvases = on_canvases(sprites)
    canvases[..., 0] -= np.uint8(20) * (canvases[..., 0] > 20)
    error = figures.recovered(canvases, sprites).color_error
    assert error == pytest.approx(20 / 3, rel=0.05)


def test_sprite_rates(scenes):
    found, count = truth(scenes), len(scenes.frame)
    perfect = figures.sprite_rates(found, scenes)
    assert perfect.precision > 0.999 and perfect.recall > 0.999
    half = figures.sprite_rates(rows(found, np.arange(0, count, 2)), scenes)
    assert half.precision > 0.999 and half.recall == pytest.approx(0.5, abs=0.02)
    none = figures.sprite_rates(found._replace(box=found.box + 100), scenes)
    assert none.precision < 0.1 and none.recall < 0.1


def test_unknown_things_count_as_found():
    scenes = floating(20, 0)
    found = truth(scenes)
    unknown = found._replace(sprite=found.sprite * 0)
    assert figures.sprite_rates(unknown, scenes) == figures.sprite_rates(found, scenes)


def test_shown_sprites(scenes):
    palette = Palette.of_frames(scenes.images)
    bank = from_canvases(on_canvases(scenes.drawings), palette)
    shown = figures.shown_sprites(truth(scenes), bank, *scenes.images.shape[:3])
    assert figures.mask_iou(shown > 0, scenes.foreground_mask()) == 1
    owners = scenes.owners(1)
    seen = owners >= 0
    assert (shown[1][seen] == scenes.drawing[owners[seen]] + 1).all()


def test_mask_iou():
    mask = np.zeros((2, 4, 4), bool)
    assert math.isnan(figures.mask_iou(mask, mask))
    found, true = mask.copy(), mask.copy()
    found[0, :2], true[0, 1:3] = True, True
    assert figures.mask_iou(found, true) == 4 / 12
