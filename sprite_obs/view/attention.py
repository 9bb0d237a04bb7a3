"""What an agent looks at: the things in a frame, how much it attends to each, what is rebuilt."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from sprite_obs.view.overlay import label_plate, type_colour, write_label
from sprite_obs.view.picture import blank_page, cut_text, enlarged, write_text

WIDTH = 480  # pixels that an enlarged frame comes near to; larger frames keep their size
GAP = 12  # pixels between the parts of a picture
CAPTION_HEIGHT = 26  # above them
LIST_WIDTH = 230  # of the list of things
LINE_HEIGHT = 30
BAR_HEIGHT = 8
THICKEST = 6  # pixels of the box around what gets all attention; all others have at least 1


class Watched(NamedTuple):
    """A thing that the agent observes.

    Attributes:
        box: left, top, width, height in pixels of the frame.
        type: its type id, which gives the colour.
        name: what it is called.
        track: its number.
        attention: the agent's, 0 to 1.
    """

    box: tuple[int, int, int, int]
    type: int
    name: str
    track: int
    attention: float


def attention_picture(
    frame: np.ndarray, rebuilt: np.ndarray, things: Sequence[Watched], caption: str
) -> np.ndarray:
    """Draws the things over the frame, the reconstruction beside it, and a list of the things.

    The more the agent attends to a thing, the thicker is its box; beside it stand name, track and
    attention. The list begins with what it attends to most.

    Args:
        frame: `(H, W, 3)` uint8 RGB.
        rebuilt: the same, what the found sprites show.
        things: what the agent observes.
        caption: a line of text, over the list.

    Returns:
        `(height, width, 3)` uint8 RGB; the same size for frames of one size, whatever is in them.
    """
    scale = max(round(WIDTH / frame.shape[1]), 1)
    height, width = frame.shape[0] * scale, frame.shape[1] * scale
    page_width = 2 * width + LIST_WIDTH + 4 * GAP
    page = blank_page(CAPTION_HEIGHT + height + GAP, page_width + page_width % 2)
    page = np.concatenate([page, page[: len(page) % 2]])  # videos have even sides
    images = _with_boxes(frame, things, scale), enlarged(rebuilt, scale)
    for number, (title, image) in enumerate(zip(("frame", "rebuilt"), images, strict=True)):
        left = GAP + number * (width + GAP)
        page[CAPTION_HEIGHT : CAPTION_HEIGHT + height, left : left + width] = image
        write_text(page, title, left, CAPTION_HEIGHT - 9)
    left = 2 * width + 3 * GAP
    write_text(page, cut_text(caption, LIST_WIDTH), left, CAPTION_HEIGHT - 9)
    room = height // LINE_HEIGHT
    ranked = sorted(things, key=lambda thing: (-thing.attention, thing.type, thing.track))
    for line, thing in enumerate(ranked[:room]):
        _write_line(page, thing, left, CAPTION_HEIGHT + line * LINE_HEIGHT)
    return page


def label(thing: Watched) -> str:
    """Returns what is written beside a thing: its name and track."""
    return f"{thing.name} #{thing.track}"


def percent(thing: Watched) -> str:
    """Returns the agent's attention to a thing as text."""
    return f"{100 * thing.attention:.0f} %"


def _with_boxes(frame: np.ndarray, things: Sequence[Watched], scale: int) -> np.ndarray:
    image = enlarged(frame, scale)
    corner = image.shape[1] - 1, image.shape[0] - 1
    taken = np.zeros(image.shape[:2], bool)
    labels = []
    for thing in sorted(things, key=lambda thing: thing.attention):  # the most important on top
        left, top, width, height = (scale * side for side in thing.box)
        colour = type_colour(thing.type)
        # OpenCV's own thick lines would reach inside.
        for reach in range(1, 1 + max(round(THICKEST * thing.attention), 1)):
            start = [max(left - reach, 0), max(top - reach, 0)]
            end = [
                min(left + width - 1 + reach, corner[0]),
                min(top + height - 1 + reach, corner[1]),
            ]
            cv2.rectangle(image, start, end, colour, 1)
        taken[max(top, 0) : end[1], max(left, 0) : end[0]] = True
        text = f"{label(thing)}: {percent(thing)}"
        labels.append((text, label_plate(image, text, start, end), colour))
    for text, plate, colour in reversed(labels):
        if not taken[plate].any():  # in a crowd, the things are worth more than their names
            write_label(image, text, plate, colour)
            taken[plate] = True
    return image


def _write_line(page: np.ndarray, thing: Watched, left: int, top: int) -> None:
    write_text(page, cut_text(label(thing), LIST_WIDTH - 50), left, top + 12)
    write_text(page, percent(thing), left + LIST_WIDTH - 44, top + 12)
    length = round((LIST_WIDTH - GAP) * thing.attention)
    page[top + 17 : top + 17 + BAR_HEIGHT, left : left + length] = type_colour(thing.type)
