"""The console's table of sprites, compared with the pixels of real frames."""

from pathlib import Path

import numpy as np
import pytest
from homebrew_game import TILES, owners, scenery, sprites_of, world, write_game

from sprite_obs.envs.make import make_env
from sprite_obs.envs.nes.oam import drawn_sprites
from sprite_obs.frames.policies import StickyPolicy

HIDDEN = 0xF8


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> list[tuple[np.ndarray, dict]]:
    """Returns 25 frames with their infos."""
    game: Path = write_game(tmp_path_factory.mktemp("nes"))
    with make_env(str(game)) as env:
        act = StickyPolicy(env.action_space, 2)
        frames = [env.reset(seed=2)]
        while len(frames) < 25:
            frame, _, terminated, _, info = env.step(act(frames[-1][0]))
            frames.append((frame, info))
            if terminated:
                frames.append(env.reset())
    return frames


def table(*sprites: tuple[int, int, int, int]) -> np.ndarray:
    """Returns a table of 64 sprites (y, tile, attributes, x), the others below the screen."""
    rows = [*sprites, *[(HIDDEN, 0, 0, 0)] * (64 - len(sprites))]
    return np.array(rows, np.uint8).ravel()


def test_sprites_are_drawn_a_row_lower_than_the_table_says():
    (sprite, *others) = drawn_sprites(table((99, 7, 0x41, 30)), 8)
    assert sprite.tolist() == [30, 100, 7, 0x41, 8, 0xFF]
    assert not np.array(others)[:, 5].any()


def test_tall_sprites_have_sixteen_rows():
    assert drawn_sprites(table((99, 7, 0, 30)), 16)[0].tolist() == [30, 100, 7, 0, 16, 0xFFFF]


def test_only_the_first_eight_of_a_line_are_drawn():
    sprites = [(50, n, 0, 10 * n) for n in range(8)] + [(53, 8, 0, 0), (46, 9, 0, 0)]
    drawn = drawn_sprites(table(*sprites), 8)[:, 5].tolist()
    assert drawn[:8] == [0xFF] * 8
    assert drawn[8] == 0b11100000  # lines 54 to 58 are full
    assert drawn[9] == 0b00001111


def test_rows_below_the_screen_are_not_drawn():
    drawn = drawn_sprites(table((235, 0, 0, 0), (239, 0, 0, 0), (255, 0, 0, 0)), 8)[:, 5]
    assert drawn[:3].tolist() == [0b00001111, 0, 0]


def test_nothing_is_drawn_while_sprites_are_switched_off():
    assert not drawn_sprites(table((99, 7, 0, 30)), 8, enabled=False)[:, 5].any()


def test_every_pixel_of_real_frames_is_what_the_table_and_the_scenery_say(seen):
    """Each colour of each palette is one colour on the screen: nothing is missed or misplaced."""
    colours: dict[tuple[int, ...], set[bytes]] = {}
    cameras = set()
    for frame, info in seen:
        cameras.add(info["camera_x"])
        for key, pixel in zip(
            expected(info).reshape(-1, 3).tolist(), pixels_of(frame), strict=True
        ):
            colours.setdefault(tuple(key), set()).add(pixel)
    assert len(cameras) > 5  # it scrolled
    assert {len(shades) for shades in colours.values()} == {1}
    assert len({key for key in colours if key[0]}) > 8  # four palettes of sprites


def pixels_of(frame: np.ndarray) -> list[bytes]:
    raw = frame.tobytes()
    return [raw[i : i + 3] for i in range(0, len(raw), 3)]


def expected(info: dict) -> np.ndarray:
    """Returns whether each pixel is a sprite's, its palette and its index: `(240, 256, 3)` int."""
    screen = background(int(info["camera_x"]))
    oam = info["oam"]
    for thing in reversed(range(8)):
        for n in reversed(sprites_of(thing)):
            x, y, tile, attributes, height, rows = oam[n].tolist()
            if not rows:
                continue
            picture = TILES[tile][:, ::-1] if attributes & 0x40 else TILES[tile]
            for row in range(height):
                for column in range(8):
                    if rows >> row & 1 and picture[row, column] and x + column < 256:
                        index = int(picture[row, column])
                        screen[y + row, x + column] = 1, attributes & 3, index
    return screen


def background(camera: int) -> np.ndarray:
    """Returns what is behind the sprites; index 0 is the same colour in all palettes."""
    tiles, palettes = world()
    picture = np.array(scenery())[tiles].swapaxes(1, 2).reshape(240, 512)
    palette = np.kron(palettes, np.ones((32, 32), int))[:240]
    screen = np.stack([np.zeros_like(palette), palette * (picture > 0), picture], 2)
    return screen[:, camera : camera + 256].astype(int).copy()


def test_each_pixel_belongs_to_the_thing_in_front(seen):
    for _, info in seen[::20]:
        front = owners(info["oam"])
        drawn = expected(info)[..., 0] == 1
        np.testing.assert_array_equal(front >= 0, drawn)
