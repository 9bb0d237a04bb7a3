"""The report: one page that needs nothing else, and what it says of frames made for it."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from pong_model import ORANGE, WHITE, save_pong_model

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.cli import main
from sprite_obs.evaluate import Examined, examine
from sprite_obs.frames.sources import Frames
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.report import MAX_FRAMES, report_page, worst_frames
from sprite_obs.type_names import read_named_types

BALL, RIGHT, LEFT = (80, 100, 2, 4), (140, 60, 4, 16), (16, 90, 4, 16)
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Reads a page and fails if its tags do not close in order."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.images: list[np.ndarray] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.cells: list[list[str]] = []
        self.titles: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        for name, value in attrs:
            if name in ("src", "href"):
                self.links.append(value)
        if tag == "img":
            self.images.append(decode(dict(attrs)["src"]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data
        if self.open and self.open[-1] == "h3":
            self.titles.append(data)

    def row(self, name: str) -> list[str]:
        (row,) = (row for row in self.cells if row[0] == name)
        return row


def decode(uri: str) -> np.ndarray:
    head, data = uri.split(",")
    assert head == "data:image/png;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = save_pong_model(tmp_path_factory.mktemp("models") / "pong")
    (folder / "types.yaml").write_text('"<i>paddles</i> & co": [2, 3]\n')
    return folder


@pytest.fixture(scope="module")
def images(model) -> np.ndarray:
    """Returns 40 frames with a ball and the right paddle; frame 7 has a large unknown thing."""
    images = np.repeat(load_checkpoint(model).background[None], 40, 0)
    for image in images:
        paint(image, BALL, WHITE)
        paint(image, RIGHT, (92, 186, 92))
    paint(images[7], (60, 120, 9, 5), ORANGE)
    return images


def paint(image, box, color):
    left, top, width, height = box
    image[top : top + height, left : left + width] = color


@pytest.fixture(scope="module")
def truth() -> GroundTruth:
    """Says that there also is a left paddle in frames 20 and 30, and a ghost of a ball in 3."""
    rows = [(n, 0, *BALL) for n in range(40)] + [(n, 1, *RIGHT) for n in range(40)]
    rows += [(20, 1, *LEFT), (30, 1, *LEFT), (3, 0, 84, 103, 2, 4)]
    frame, category, *box = np.array(sorted(rows)).T
    ones = np.ones(len(frame), bool)
    flags = {"hud": ~ones, "moving": ones, "visible": ones}
    names = ("ball", "paddle <&>")
    rects = np.zeros((0, 4), int)
    return GroundTruth(
        frame,
        category,
        np.stack(box, 1),
        **flags,
        hud_rects=rects,
        frame_size=(210, 160),
        category_names=names,
    )


def examined(model, images, truth=None, decoder=None) -> tuple[Examined, Frames]:
    frames = Frames(images, np.zeros(len(images), np.int32), "ALE/Pong-v5")
    named = read_named_types(model, 3)
    return examine(load_checkpoint(model), frames, "cpu", decoder, truth, named), frames


@pytest.fixture(scope="module")
def plain(model, images) -> Page:
    return Page(report_page("Pong <1>", *examined(model, images), None))


@pytest.fixture(scope="module")
def judged(model, images, truth) -> Page:
    return Page(report_page("Pong", *examined(model, images, truth), truth))


def test_the_page_needs_nothing_else(plain, judged, model, images):
    for page in plain, judged:
        assert page.links and all(link.startswith("data:image/png") for link in page.links)
        assert not page.tags & {"script", "link", "iframe"}
    text = report_page("t", *examined(model, images), None)
    assert not re.search(r"https?:|@import|url\(", text)
    assert "prefers-color-scheme: dark" in text and "image-rendering: pixelated" in text


def test_names_are_texts_not_tags(plain, judged):
    assert "i" not in plain.tags and "t2 <i>paddles</i> & co" in plain.row("t2 <i>paddles</i> & co")
    assert judged.row("paddle <&>")


def test_without_ground_truth_the_frames_of_most_wrong_pixels_are_shown(plain, images, model):
    assert plain.titles == ["frame 7, episode 0"], "all others are exact"
    boxes, rebuilt, wrong = plain.images[:3]
    assert rebuilt.shape == wrong.shape == (210, 160, 3) and boxes.shape == (630, 480, 3)
    assert (wrong == (255, 0, 255)).all(-1).sum() == 9 * 5
    expected = load_checkpoint(model).background.copy()
    paint(expected, BALL, WHITE)
    paint(expected, RIGHT, (92, 186, 92))
    np.testing.assert_array_equal(rebuilt, expected)


def test_with_ground_truth_the_frames_of_most_mistakes_are_shown(judged):
    titles = [f"frame {n}, episode 0" for n in (7, 3, 20, 30)]
    assert judged.titles == titles
    assert judged.row("paddle <&>")[1:9] == [
        "42",
        "4.8 %",
        "40",
        "0",
        "0",
        "0",
        "2",
        "t2 <i>paddles</i> & co \u00d740",
    ]
    assert judged.row("ball")[1:4] == ["41", "2.4 %", "40"]


def test_boxes_have_the_colour_of_what_they_mean(judged):
    found, missed, unknown = (70, 220, 100), (255, 60, 60), (255, 165, 40)
    shown = [
        {color for color in (found, missed, unknown) if (image == color).all(-1).any()}
        for image in judged.images[::3][:4]
    ]
    assert shown == [{found, unknown}, {found, missed}, {found, missed}, {found, missed}]


def test_the_dictionary_is_shown_by_types(plain, judged, model):
    assert plain.row("t1")[1:3] == ["1", "40"]
    assert plain.row("t2 <i>paddles</i> & co")[1:3] == ["2", "40"], "room of both"
    assert judged.row("t1")[1:4] == ["1", "40", "0"]
    ball, right, left = plain.images[3:6]
    assert (ball.shape, right.shape, left.shape) == ((4, 2, 3), (16, 4, 3), (16, 4, 3))
    np.testing.assert_array_equal(plain.images[-1], load_checkpoint(model).background)


def test_figures_are_those_of_the_evaluation(plain):
    assert plain.row("pixel-exact frames")[1] == "97.5000 %"
    assert plain.row("unknown things per frame")[1] == "0.03"


def test_the_network_decoder_has_a_page_too(model, images, truth):
    page = Page(report_page("Pong", *examined(model, images[:8], None, "network"), None))
    assert page.row("decoder")[1] == "network"
    assert len(page.images) == 3 * len(page.titles) + 3 + 1
    page = Page(report_page("Pong", *examined(model, images, truth, "network"), truth))
    assert page.row("ball")[1] == "41"


def test_worst_frames_come_first_and_apart():
    badness = np.zeros(480, int)
    badness[100:120] = 5
    badness[[110, 200, 300]] = 9, 1, 7
    ties = np.zeros(480, int)
    ties[118:120] = 1
    assert worst_frames(badness, ties) == [110, 300, 100, 200]
    badness[:] = 1
    chosen = worst_frames(badness, np.arange(480))
    assert len(chosen) == MAX_FRAMES and chosen[0] == 479
    assert np.abs(np.diff(chosen)).min() >= 10
    assert worst_frames(np.zeros(5, int), np.ones(5, int)) == []


def test_a_frequent_miss_is_shown_though_others_are_worse(model, images):
    """A paddle is missed in every second frame, three things at once in the twelve worst."""
    rows = [(n, 1, *LEFT) for n in range(0, 40, 2)]
    rows += [(n, 0, 100 + 9 * i, 40, 5, 5) for n in range(1, 40, 3) for i in range(3)]
    rows = [row for row in rows if row[1] == 0 or (row[0] - 1) % 3]
    frame, category, *box = np.array(sorted(rows)).T
    ones = np.ones(len(frame), bool)
    truth = GroundTruth(
        frame,
        category,
        np.stack(box, 1),
        ~ones,
        ones,
        ones,
        np.zeros((0, 4), int),
        (210, 160),
        ("block", "paddle"),
    )
    page = Page(report_page("Pong", *examined(model, images, truth), truth))
    shown = {int(title.split()[1].rstrip(",")) for title in page.titles}
    assert len(shown) == MAX_FRAMES + 1
    assert len(shown & set(frame[category == 1].tolist())) == 1


def test_evaluate_writes_the_page(model, images, truth, tmp_path):
    data, out = tmp_path / "frames.npz", tmp_path / "reports" / "pong.html"
    boxes = dict(zip(("gt_x", "gt_y", "gt_w", "gt_h"), truth.box.T, strict=True))
    flags = {"gt_hud": truth.hud, "gt_moving": truth.moving, "gt_visible": truth.visible}
    np.savez(
        data,
        frames=images,
        gt_frame=truth.frame,
        gt_cat=truth.category,
        **boxes,
        **flags,
        hud_rects=truth.hud_rects,
        frame_hw=np.array([210, 160]),
        category_names=np.array(truth.category_names),
    )
    flags = ["--model", str(model), "--data", str(data), "--report", str(out)]
    assert main(["evaluate", *flags]) == 0
    assert Page(out.read_text()).titles == ["frame 7, episode 0"]
    assert main(["evaluate", *flags, "--ground-truth", str(data)]) == 0
    page = Page(out.read_text())
    assert len(page.titles) == 4 and page.row("ball")
    assert [path.name for path in out.parent.iterdir()] == ["pong.html"]
