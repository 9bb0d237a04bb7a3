import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from sprite_obs.config import ModelConfig
from sprite_obs.errors import ConfigError
from sprite_obs.model.background import ColorBackground, ImageBackground, kmeans_color
from sprite_obs.model.build import build_model
from sprite_obs.pretrain.losses import reconstruction_loss

SMALL = ModelConfig(
    num_layers=2,
    sprite_size=8,
    num_sprites=6,
    anchor_stride=4,
    max_shift=2,
    code_dim=8,
    encoder_width=16,
)


@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("num_layers", 0, "1 or more"),
        ("num_sprites", 0, "1 or more"),
        ("encoder_width", 0, "1 or more"),
        ("sprite_size", 7, "even"),
        ("sprite_size", 0, "even"),
        ("anchor_stride", 0, "1 or more"),
        ("max_shift", 1, r"half of anchor_stride \(2\)"),
        ("code_dim", 12, "multiple of 8"),
        ("code_dim", 0, "multiple of 8"),
        ("sprite_sizes", (4, 7), "even sizes from 2 to"),
        ("sprite_sizes", (99,), "even sizes from 2 to"),
        ("scroll_x", 3, "0 with background: image"),
        ("scroll_y", 3, "0 with background: image"),
        ("scroll_x", -3, "0 with background: image"),
    ],
)
def test_impossible_sizes_are_refused_by_name(key, value, expected):
    with pytest.raises(
        ConfigError, match=rf"{key}: expected .*{expected}.*, got {re.escape(repr(value))}"
    ):
        build_model(replace(SMALL, **{key: value}), 1, (12, 16))


def test_the_pyramid_fixes_the_distance_of_anchors():
    with pytest.raises(ConfigError, match=r"anchor_stride: expected half of sprite_size \(4\)"):
        build_model(replace(SMALL, encoder="pyramid", anchor_stride=2), 1, (12, 16))


def test_a_scrolling_background_must_scroll():
    with pytest.raises(ConfigError, match="scroll_x: expected more than 0, or scroll_y"):
        build_model(replace(SMALL, background="scroll"), 1, (12, 16))


@pytest.mark.parametrize(("key", "other"), [("scroll_x", "scroll_y"), ("scroll_y", "scroll_x")])
def test_a_background_scrolls_by_no_less_than_nothing(key, other):
    sizes = replace(SMALL, background="scroll", **{key: -3, other: 5})
    with pytest.raises(ConfigError, match=f"{key}: expected 0 or more .*, got -3"):
        build_model(sizes, 1, (12, 16))


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"num_layers": 1},
        {"num_layers": 3},
        {"anchor_stride": 3},
        {"encoder": "pyramid"},
        {"encoder": "pyramid", "sprite_size": 12, "anchor_stride": 6, "max_shift": 6},
        {"encoder": "pyramid", "shifts": "crop"},
        {"shifts": "crop"},
        {"normalize_codes": False},
        {"learned_temperature": False},
        {"sprite_sizes": (4, 8)},
        {"background": "scroll", "scroll_x": 5, "scroll_y": 2},
    ],
    ids=str,
)
def test_every_variant_infers_renders_and_learns(variant):
    torch.manual_seed(0)
    config = replace(SMALL, **variant)
    model = build_model(config, 5, (13, 18))
    frames = torch.rand(2, 3, 13, 18)
    scene = model(frames)
    image = model.reconstruct(scene)
    assert image.shape == frames.shape and image.min() >= 0 and image.max() <= 1
    (reconstruction_loss(image, frames) + scene.presence.mean()).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == []
    again = build_model(config, 5, (13, 18))
    again.load_state_dict(model.state_dict())
    again.eval()
    torch.testing.assert_close(again.reconstruct(again(frames)), image)


@pytest.mark.parametrize("count", [0, 7])
def test_number_of_sprites_must_fit(count):
    with pytest.raises(ConfigError, match=f"expected 1 to 6 sprites, got {count}"):
        build_model(SMALL, count, (12, 16))


@pytest.mark.parametrize("kind, shape", [("color", (3,)), ("image", (3, 13, 18))])
def test_scene_and_reconstruction_have_their_shapes(kind, shape):
    background = torch.rand(shape)
    model = build_model(replace(SMALL, background=kind), 5, (13, 18), background)
    scene = model(torch.rand(2, 3, 13, 18))
    assert scene.presence.shape == (2, 2, 4, 5)
    assert scene.assignment.shape == (2, 2, 4, 5, 5)
    assert scene.shift_x.shape == scene.shift_y.shape == (2, 2, 4, 5, 5)
    image = model.reconstruct(scene, max_active=8)
    assert image.shape == (2, 3, 13, 18)
    assert image.min() >= 0 and image.max() <= 1
    empty = scene._replace(presence=torch.zeros_like(scene.presence))
    whole = background if background.dim() == 3 else background[:, None, None].expand(3, 13, 18)
    torch.testing.assert_close(model.reconstruct(empty), whole.expand(2, -1, -1, -1))


def test_weights_load_into_a_model_built_without_background():
    torch.manual_seed(0)
    for kind, background in (("color", torch.rand(3)), ("image", torch.rand(3, 13, 18))):
        config = replace(SMALL, background=kind)
        model, other = (
            build_model(config, 5, (13, 18), background),
            build_model(config, 5, (13, 18)),
        )
        other.load_state_dict(model.state_dict())
        frames = torch.rand(1, 3, 13, 18)
        with torch.no_grad():
            a, b = model.reconstruct(model(frames)), other.reconstruct(other(frames))
        assert torch.equal(a, b)


def test_frames_drawn_with_known_sprites_are_rebuilt():
    torch.manual_seed(0)
    model = build_model(SMALL, 6, (16, 24), torch.randint(256, (3, 16, 24)) / 255)
    drawings = torch.cat([torch.randint(256, (6, 3, 8, 8)) / 255, torch.ones(6, 1, 8, 8)], 1)
    model.dictionary.fit(drawings)
    with torch.no_grad():
        scene = model(torch.rand(1, 3, 16, 24)).harden()
        presence = torch.zeros_like(scene.presence)
        presence[0, 1, 1, 2] = 1
        image = model.reconstruct(scene._replace(presence=presence), max_active=4)
    at = (0, 1, 1, 2)
    sprite, dx, dy = (int(part[at].argmax()) for part in scene[1:4])
    expected = scene.background[0].clone()
    top, left = 4 + 2 + dy - 2 - 4, 8 + 2 + dx - 2 - 4
    visible = max(-top, 0)
    expected[:, max(top, 0) : top + 8, left : left + 8] = drawings[sprite, :3, visible:]
    assert (image[0] - expected).abs().max() < 0.5 / 255 + 1 / 1024


def test_training_lowers_the_loss():
    torch.manual_seed(0)
    model = build_model(SMALL, 4, (16, 16), torch.zeros(3, 16, 16))
    frames = torch.zeros(4, 3, 16, 16)
    for index, frame in enumerate(frames):
        frame[:, 3 + index : 8 + index, 4:9] = torch.tensor([1.0, 0.5, 0.2])[:, None, None]
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for step in range(60):
        scene = model(frames)
        scene = scene.straight_through() if step % 2 else scene
        loss = reconstruction_loss(model.reconstruct(scene, max_active=16), frames)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-2:]) < 0.3 * losses[0]


def test_image_background_shows_its_image_and_recovers_from_overshooting():
    image = torch.randint(256, (3, 4, 5)) / 255
    background = ImageBackground((4, 5), image)
    assert torch.equal(background(), image)
    with torch.no_grad():
        background.image -= 2
    assert background().abs().max() == 0
    background().sum().backward()
    assert torch.equal(background.image.grad, torch.ones(3, 4, 5))


@pytest.mark.parametrize("kind, shape", [(ColorBackground, (3, 4, 5)), (ImageBackground, (3,))])
def test_backgrounds_refuse_other_shapes(kind, shape):
    with pytest.raises(ValueError, match="expected a background of shape"):
        kind((4, 5), torch.zeros(shape))


def test_kmeans_finds_the_commonest_colour():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (120, 10, 12, 3), np.uint8)
    frames[:, :7] = (200, 72, 10)
    color = kmeans_color(frames, seed=3)
    assert torch.equal(color, kmeans_color(frames, seed=3))
    assert (color - torch.tensor([200, 72, 10]) / 255).abs().max() < 0.15


def test_kmeans_is_exact_for_few_colours():
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    frames[:, :3] = (144, 72, 17)
    expected = torch.tensor([144, 72, 17]) / 255
    torch.testing.assert_close(kmeans_color(frames), expected)
