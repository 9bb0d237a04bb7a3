"""Marks on a frame: boxes of things found, missed and false, and pixels that are wrong."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from sprite_obs.view.overlay import label_plate, write_label
from sprite_obs.view.picture import enlarged

WIDTH = 480  # pixels that an enlarged frame comes near to; larger frames keep their size
DIMMED = 0.4
WRONG = (255, 0, 255)  # magenta, which few games use


class Kind(NamedTuple):
    """How boxes of a kind are drawn, and what they mean."""

    colour: tuple[int, int, int]
    thickness: int
    meaning: str


# Missed ones are thick as well, for those who do not tell red from green.
FOUND = Kind((70, 220, 100), 1, "found")
MISSED = Kind((255, 60, 60), 2, "missed")
FALSE = Kind((90, 160, 255), 1, "false, a sprite of the dictionary")
UNKNOWN = Kind((255, 165, 40), 1, "not in the dictionary")
FALSE_UNKNOWN = UNKNOWN._replace(meaning="false, not in the dictionary")
IGNORED = Kind((150, 150, 150), 1, "found, but not judged: of the display, at rest, ...")


class Box(NamedTuple):
    """A box to be drawn: its edges (left, top, right, bottom, in pixels), kind and text."""

    edges: tuple[int, int, int, int]
    kind: Kind
    text: str = ""


def draw_boxes(frame: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """Draws boxes over an enlarged frame, just outside the pixels they hold.

    A text is left out where it would cover another one or what is in a box: in a crowd, the things
    are worth more than their names.

    Args:
        frame: `(H, W, 3)` uint8 RGB.
        boxes: what to draw, the last on top; its text is the first to have room.

    Returns:
        `(H * scale, W * scale, 3)` uint8 RGB, `scale` such that the picture is about 480 wide.
    """
    scale = max(round(WIDTH / frame.shape[1]), 1)
    image = enlarged(frame, scale)
    corner = image.shape[1] - 1, image.shape[0] - 1
    labels = []
    taken = np.zeros(image.shape[:2], bool)
    for edges, kind, text in boxes:
        left, top, right, bottom = (scale * edge for edge in edges)
        for reach in range(1, kind.thickness + 1):  # OpenCV's own thick lines would reach inside
            start = [max(left - reach, 0), max(top - reach, 0)]
            end = [min(right - 1 + reach, corner[0]), min(bottom - 1 + reach, corner[1])]
            cv2.rectangle(image, start, end, kind.colour, 1)
        taken[start[1] : end[1], start[0] : end[0]] = True
        labels.append((text, label_plate(image, text, start, end), kind.colour))
    for text, plate, colour in reversed(labels):
        if text and not taken[plate].any():
            write_label(image, text, plate, colour)
            taken[plate] = True
    return image


def mark_wrong(frame: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Shows wrong pixels in magenta on the frame in dim grey.

    Args:
        frame: `(H, W, 3)` uint8 RGB.
        wrong: `(H, W)` bool.

    Returns:
        `(H, W, 3)` uint8 RGB.
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) * DIMMED  # (H, W)
    image = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    image[wrong] = WRONG
    return image
