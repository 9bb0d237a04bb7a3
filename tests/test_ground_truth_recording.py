"""What a game's memory says becomes ground truth; OCAtari runs only where it is installed."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scenes import COLORS, make_scene

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import ground_truth  # noqa: E402
from truth import environment  # noqa: E402
from truth.games import are_placed, display_rects, on_display  # noqa: E402
from truth.tracks import link  # noqa: E402
from truth.visible import are_visible, background_of  # noqa: E402

from sprite_obs.errors import ConfigError, SpriteObsError  # noqa: E402
from sprite_obs.metrics.ground_truth import read_ground_truth  # noqa: E402

INSTALLED = ROOT / "models" / "ocatari"
"""Where the benchmark installs OCAtari; the tests never do, as it is a download."""
GAME = "Toys"


def walk(*places: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns times, one group and boxes of 4 x 4 pixels at (time, x, y)."""
    rows = np.array(places)
    boxes = np.column_stack([rows[:, 1:], np.full((len(rows), 2), 4)])
    return rows[:, 0], np.zeros(len(rows), int), boxes


# ---------------------------------------------------------------------------- tracks


def test_a_thing_keeps_its_track_where_others_are_near():
    time, group, box = walk((0, 0, 0), (0, 10, 0), (1, 4, 0), (1, 10, 0), (2, 8, 0), (2, 10, 0))
    track, moving = link(time, group, box)
    assert track.tolist() == [0, 1, 0, 1, 0, 1], "what rests stays itself"
    assert moving.tolist() == [True, False] * 3


def test_tracks_end_after_a_gap_and_at_a_jump():
    track, _ = link(*walk((0, 0, 0), (5, 2, 0), (11, 2, 0), (12, 60, 0), (13, 61, 0)))
    assert track.tolist() == [0, 0, 1, 2, 2]


def test_groups_are_never_linked():
    time, _, box = walk((0, 0, 0), (1, 0, 0), (2, 0, 0))
    track, _ = link(time, np.array([1, 0, 1]), box)
    assert track[0] == track[2] != track[1]


def test_one_change_of_place_is_a_motion_only_of_what_is_short_lived():
    short = walk((0, 0, 0), (1, 5, 0))
    long = walk((0, 0, 0), *((time, 5, 0) for time in range(1, 8)))
    twice = walk((0, 0, 0), *((time, 5, 0) for time in range(1, 8)), (8, 6, 0))
    assert [link(*rows)[1].all() for rows in (short, long, twice)] == [True, False, True]


def test_nothing_to_link():
    track, moving = link(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4), int))
    assert len(track) == len(moving) == 0


# ---------------------------------------------------------------------------- what is visible


RED, GREEN, BLACK = (200, 30, 30), (30, 200, 30), (0, 0, 0)


def visible(image: np.ndarray, background: np.ndarray, box: tuple[int, ...], still: bool) -> bool:
    flags = np.array([still])
    return are_visible(image[None], background, np.zeros(1, int), np.array([box]), flags).item()


def test_a_thing_is_visible_where_it_is_drawn_and_nowhere_else():
    background = np.zeros((40, 40, 3), np.uint8)
    image = background.copy()
    image[10:14, 10:14] = RED
    for still in (False, True):
        assert visible(image, background, (10, 10, 4, 4), still)
        assert not visible(image, background, (20, 20, 4, 4), still)
        assert not visible(image, background, (60, 60, 4, 4), still), "outside of the frame"
        assert not visible(image, background, (-8, 5, 4, 4), still)
    image[:4, :4] = RED
    assert visible(image, background, (-3, -3, 7, 7), False), "reaches beyond the frame"


def test_what_is_gone_differs_from_the_background_but_is_not_visible():
    background = np.zeros((40, 40, 3), np.uint8)
    background[10:14, 10:14] = RED  # a coin that lay there in most frames
    gone = np.zeros_like(background)
    assert visible(background, background, (10, 10, 4, 4), still=True)
    assert not visible(gone, background, (10, 10, 4, 4), still=True)


def test_a_thing_of_the_backgrounds_colour_is_visible_where_it_covers_another():
    background = np.zeros((40, 40, 3), np.uint8)
    background[:, 20:] = GREEN
    image = background.copy()
    image[10:14, 24:28] = BLACK
    assert visible(image, background, (24, 10, 4, 4), still=False)


def test_background_is_the_median():
    frames = np.zeros((5, 3, 4, 3), np.uint8)
    frames[:3, 1, 2] = RED
    frames[:2, 0, 0] = RED
    background = background_of(frames)
    assert background[1, 2].tolist() == list(RED) and background[0, 0].tolist() == [0, 0, 0]
    assert background.shape == (3, 4, 3) and background.dtype == np.uint8


# ---------------------------------------------------------------------------- games


def test_half_a_box_on_the_display_is_enough():
    rects = np.array([[0, 0, 160, 20], [0, 190, 160, 20]])
    box = np.array([[5, 15, 4, 10], [5, 16, 4, 10], [5, 100, 4, 4], [5, 192, 4, 4]])
    assert on_display(box, rects).tolist() == [True, False, False, True]
    assert not on_display(box, display_rects("NoSuchGame")).any()


def test_misplaced_categories_are_those_of_their_game():
    names = np.array(["Player", "Car"])
    assert are_placed("Enduro", np.array([0, 1, 1]), names).tolist() == [True, False, False]
    assert are_placed("Freeway", np.array([0, 1, 1]), names).all()


# ---------------------------------------------------------------------------- files


def raw_scene(num_frames: int, every: int, seed: int) -> dict[str, np.ndarray]:
    """Returns what `truth/play.py` writes, of three things; the drawings are their categories."""
    scene = make_scene(num_frames * every, seed)
    time, drawing, left, top = scene.truth.T
    height, width = np.array([scene.drawings[number].shape for number in drawing]).T
    none = np.zeros(len(time), int)
    kept = np.arange(0, num_frames * every, every)
    return {
        "frames": COLORS[scene.index[kept]],
        "kept": np.column_stack([kept, np.zeros_like(kept), kept + 1]),
        "objects": np.column_stack([time, none, drawing, left, top, width, height, none]),
        "category_names": np.array(["box", "cross", "ring"]),
    }


@pytest.fixture
def plays(monkeypatch) -> list[str]:
    """Replaces the game, and returns a list of what was played."""
    played = []

    def play(game, split, python):
        played.append(f"{game} {split.num_frames} {split.every}")
        return raw_scene(split.num_frames, split.every, split.seed % 100)

    monkeypatch.setattr(ground_truth, "play", play)
    monkeypatch.setattr(ground_truth, "ocatari_python", lambda folder: folder)
    return played


def test_files_are_ground_truth_that_the_metrics_read(tmp_path, plays):
    args = ground_truth.Args(out=tmp_path, games=GAME, train=60, test=20, stride=3)
    table = ground_truth.record_games(args)
    assert plays == [f"{GAME} 60 1", f"{GAME} 20 3"]
    truth = read_ground_truth(tmp_path / f"{GAME}_test.npz")
    with np.load(tmp_path / f"{GAME}_test.npz") as test:
        truth.check_fits(test["frames"])
        assert test["step"].tolist() == list(range(1, 61, 3)) and not test["episode"].any()
    raw = raw_scene(20, 3, 0)
    rows = np.isin(raw["objects"][:, 0], raw["kept"][:, 0])
    np.testing.assert_array_equal(truth.frame * 3, raw["objects"][rows, 0])
    np.testing.assert_array_equal(truth.category, raw["objects"][rows, 2])
    np.testing.assert_array_equal(truth.box, raw["objects"][rows, 3:7])
    assert truth.visible.all() and not truth.hud.any() and truth.moving.any()
    assert f"| {GAME} | box |" in table
    with np.load(tmp_path / f"{GAME}_train.npz") as train:
        assert len(train["frames"]) == len(train["episode"]) == 60


def test_finished_files_are_not_recorded_again(tmp_path, plays):
    args = ground_truth.Args(out=tmp_path, games=GAME, train=60, test=20, stride=3)
    ground_truth.record_games(args)
    (tmp_path / f"{GAME}_test.npz").unlink()
    del plays[:]
    ground_truth.record_games(args)
    ground_truth.record_games(args)
    assert plays == [f"{GAME} 20 3"]


def test_an_interrupted_recording_leaves_no_file(tmp_path, plays, monkeypatch):
    def interrupt(*_args, **_arrays):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupt)
    args = ground_truth.Args(out=tmp_path, games=GAME, train=60, test=20)
    with pytest.raises(KeyboardInterrupt):
        ground_truth.record_games(args)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["train", "test", "stride"])
def test_counts_out_of_range(name, tmp_path):
    with pytest.raises(ConfigError, match=f"--{name}"):
        ground_truth.record_games(ground_truth.Args(out=tmp_path, games=GAME, **{name: 0}))


# ---------------------------------------------------------------------------- OCAtari


def test_an_environment_is_made_once_and_again_for_other_versions(tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(environment, "_run", lambda *command: commands.append(command))
    (tmp_path / "env").mkdir()
    for version in ("ocatari==1", "ocatari==1", "ocatari==2"):
        monkeypatch.setattr(environment, "OCATARI", version)
        python = environment.ocatari_python(tmp_path / "env")
        assert python == tmp_path / "env" / "bin" / "python"
    assert [command[-1] for command in commands[2::3]] == ["ocatari==1", "ocatari==2"]
    assert len(commands) == 6


def test_an_environment_that_cannot_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "REQUIREMENTS", ("no-such-file.whl",))
    with pytest.raises(SpriteObsError, match=r"(?s)no-such-file.*run again"):
        environment.ocatari_python(tmp_path / "env")
    assert not (tmp_path / "env" / environment.STAMP).exists()


needs_ocatari = pytest.mark.skipif(
    not (INSTALLED / environment.STAMP).is_file(),
    reason="needs OCAtari, which benchmarks/ground_truth.py installs",
)


@needs_ocatari
def test_pong_is_recorded_with_boxes_that_fit_its_pixels(tmp_path):
    args = ground_truth.Args(tmp_path, "Pong", train=60, test=60, stride=2, environment=INSTALLED)
    ground_truth.record_games(args)
    truth = read_ground_truth(tmp_path / "Pong_test.npz")
    assert set(truth.category_names) >= {"Player", "Enemy", "Ball", "PlayerScore", "EnemyScore"}
    with np.load(tmp_path / "Pong_test.npz") as test:
        frames, steps = test["frames"], test["step"]
    assert frames.shape == (60, 210, 160, 3) and (np.diff(steps) == 2).all()
    player = truth.category == truth.category_names.index("Player")
    assert player.any() and truth.moving[player].all() and not truth.hud[player].any()
    for number, (x, y, w, h) in zip(truth.frame[player], truth.box[player], strict=True):
        green = (frames[number] == (92, 186, 92)).all(axis=-1)
        assert green[max(y, 34) : min(y + h, 194), x : x + w].all()


@needs_ocatari
def test_a_game_that_ocatari_does_not_know(tmp_path):
    args = ground_truth.Args(tmp_path, "NoSuchGame", train=9, test=9, environment=INSTALLED)
    with pytest.raises(SpriteObsError, match=r"cannot play NoSuchGame: .*leave it out of --games"):
        ground_truth.record_games(args)
