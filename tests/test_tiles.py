"""Walls of equal tiles: found because single ones vanish, and decoded with their gaps."""

import numpy as np
import pytest
from scenes import HEIGHT, WIDTH, paint

from sprite_obs.config import PretrainConfig
from sprite_obs.discover.tiles import find_tiles
from sprite_obs.lookup.background import Background
from sprite_obs.lookup.bank import make_bank
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.links import Links
from sprite_obs.lookup.tiles import claim_tiles, tile_drawings, tile_links, with_sprites
from sprite_obs.pretrain.start import start_from_frames

ROWS = {20: 2, 24: 3, 28: 4}
"""Top and colour of each row of bricks."""
LEFTS = range(8, 88, 8)
WALL = [(left, top, 8, 4, color) for top, color in ROWS.items() for left in LEFTS]
BALL = np.full((2, 2), 5, np.uint8)


def draw(bricks) -> np.ndarray:
    frame = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left, top, width, height, color in bricks:
        frame[top : top + height, left : left + width] = color
    return frame


def games(num_games: int = 6, num_frames: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Lets a ball fly below a wall, which loses a brick from time to time."""
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(num_games):
        bricks, place = list(WALL), rng.integers(0, 30)
        for n in range(num_frames):
            if n % 8 == 7:
                bricks.pop(rng.integers(len(bricks)))
            frame = draw(bricks)
            paint(frame, BALL, place + n, 40 + n % 25)
            frames.append(frame)
    return np.stack(frames), np.repeat(np.arange(num_games, dtype=np.int32), num_frames)


@pytest.fixture(scope="module")
def start():
    return start_from_frames(*games(), PretrainConfig())


def decoder(**settings) -> LookupDecoder:
    """Returns a decoder that knows the wall and the ball, sprite 4."""
    tiles = np.array(WALL, np.int32)
    drawings = {color: tile for tile, color in zip(tile_drawings(tiles), tiles[:, 4], strict=True)}
    bank = make_bank([*drawings.values(), BALL])
    behind = Background.still(draw([]))
    return LookupDecoder(bank, np.ones(4), behind, with_sprites(tiles, bank), **settings)


def test_a_wall_is_found_tile_by_tile(start):
    assert {tuple(tile[:5]) for tile in start.tables.tiles.tolist()} == set(WALL)
    assert (start.background.image == 0).all()
    for *_, width, height, color, sprite in start.tables.tiles.tolist():
        assert (start.bank.drawing(sprite - 1) == np.full((height, width), color)).all()
    assert len(start.bank) == 4
    assert len(set(start.sprite_type[start.tables.tiles[:, 5] - 1])) == 1


def test_all_frames_are_read_with_their_gaps(start):
    index, _ = games()
    is_tile = np.isin(start.seen.sprite, start.tables.tiles[:, 5])
    for n in range(0, len(index), 7):
        rows = start.seen.rows(is_tile & (start.seen.frame == n))
        there = {tile for tile in WALL if index[n, tile[1], tile[0]] == tile[4]}
        assert {tuple(box) for box in rows.box.tolist()} == {tile[:4] for tile in there}
    assert len(start.seen.frame) == is_tile.sum() + len(index), "and the ball in each of them"


def test_a_wall_without_events_is_background():
    index = np.stack([draw(WALL)] * 60)
    for n, frame in enumerate(index):
        paint(frame, BALL, n, 50)
    start = start_from_frames(index, np.zeros(60, np.int32), PretrainConfig())
    assert not len(start.tables.tiles)
    assert (start.background.image == draw(WALL)).all()


def test_neighbours_of_one_row_are_one_object_up_to_the_next_gap():
    gaps = {(24, 20), (48, 20), (56, 20)}
    rows = decoder().decode(draw(b for b in WALL if b[:2] not in gaps)[None])
    assert len(rows) == len(WALL) - len(gaps)
    tiles = with_sprites(np.array(WALL, np.int32), make_bank(tile_drawings(np.array(WALL)[::10])))
    links = Links(tile_links(tiles))
    frame, sprite, _, *corner = np.array(rows)[:, :5].astype(int).T
    number = links.group(frame, sprite, np.stack(corner, 1))
    assert np.bincount(np.unique(number, return_inverse=True)[1]).tolist() == [2, 2, 3, 10, 10]


def test_a_tile_is_claimed_while_something_small_passes_in_front():
    tiles = np.array(WALL, np.int32)
    for size, expected in (((2, 4), True), ((3, 4), False)):
        frame = draw(WALL)
        frame[20 : 20 + size[0], 8 : 8 + size[1]] = 5
        mask = frame != 0
        assert claim_tiles(frame, mask, tiles).tolist() == [expected] + [True] * (len(WALL) - 1)
        rest = frame == 5
        rest[20:24, 8:16] |= not expected
        assert (mask == rest).all()


@pytest.mark.parametrize("top", [19, 21, 31])
def test_what_passes_in_front_of_a_wall_lies_above_it(top):
    frame = draw(WALL)
    paint(frame, BALL, 30, top)
    rows, unexplained = decoder().decode_and_count(frame[None])
    assert [(row[2], *row[3:5]) for row in rows if row[1] == 4] == [(1, 30, top)]
    assert {row[2] for row in rows if row[1] != 4} == {0}
    assert unexplained.tolist() == [0]


def test_away_from_the_wall_things_stay_on_the_lowest_layer():
    frame = draw(WALL)
    paint(frame, BALL, 30, 50)
    assert (0, 4, 0, 30, 50, 2, 2, 1.0) in decoder().decode(frame[None])


def test_a_wall_has_no_second_grid_and_no_tiles_larger_than_a_canvas():
    frames, _ = games()
    usual, cleared = draw(WALL), draw([])
    tiles = find_tiles(frames, usual, cleared, 48)
    assert {tuple(tile) for tile in tiles.tolist()} == set(WALL)
    covered = np.zeros(usual.shape, int)
    for left, top, width, height, _ in tiles:
        covered[top : top + height, left : left + width] += 1
    assert covered.max() == 1
    assert len(find_tiles(frames, usual, cleared, 6)) == 0
