"""Draws what was found over a frame."""

import colorsys
from functools import cache

import cv2
import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.view.picture import enlarged

FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_SCALE = 0.36
GOLDEN_RATIO = 0.618034  # successive multiples of it give hues far from each other


def draw_detections(frame: np.ndarray, detections: Detections, scale: int = 3) -> np.ndarray:
    """Draws a box around each sprite with its id and layer, as ``id:layer``, in its type's colour.

    Boxes lie just outside the sprite's pixels. Sprites that are not in the dictionary get a white
    box and a question mark for their id.

    Args:
        frame: `(H, W, 3)` uint8.
        detections: what was found in this one frame.
        scale: whole number by which the frame is enlarged, pixel by pixel.

    Returns:
        `(H * scale, W * scale, 3)` uint8, RGB.
    """
    image = enlarged(frame, scale)  # (H * scale, W * scale, 3)
    bottom_right = image.shape[1] - 1, image.shape[0] - 1
    starts = np.maximum(detections.box[:, :2] * scale - 1, 0).tolist()
    ends = np.minimum(detections.box.reshape(-1, 2, 2).sum(1) * scale, bottom_right).tolist()
    names = zip(detections.sprite, detections.type.tolist(), detections.layer, strict=True)
    labels = []
    for (sprite, type_id, layer), start, end in zip(names, starts, ends, strict=True):
        cv2.rectangle(image, start, end, type_colour(type_id), 1)
        labels.append((f"{sprite or '?'}:{layer}", start, end, type_colour(type_id)))
    for text, start, end, colour in labels:  # after all boxes, so that no box crosses a text
        write_label(image, text, label_plate(image, text, start, end), colour)
    return image


@cache
def type_colour(type_id: int) -> tuple[int, int, int]:
    """Returns the RGB colour in 0..255 of a type, white for type 0."""
    if type_id == 0:
        return 255, 255, 255
    red, green, blue = colorsys.hsv_to_rgb(type_id * GOLDEN_RATIO % 1, 0.5, 1)
    return int(red * 255), int(green * 255), int(blue * 255)


def label_plate(
    image: np.ndarray, text: str, start: list[int], end: list[int]
) -> tuple[slice, slice]:
    """Returns where a text belongs: above a box, or below it where there is no room above.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        text: what to write.
        start: left and top of the box.
        end: right and bottom of the box.

    Returns:
        Rows and columns of the image.
    """
    (width, height), _ = cv2.getTextSize(text, FONT, FONT_SCALE, 1)
    left = max(min(start[0], image.shape[1] - width - 2), 0)
    baseline = start[1] - 3 if start[1] > height + 4 else end[1] + height + 2
    baseline = min(baseline, image.shape[0] - 3)
    return slice(max(baseline - height - 1, 0), baseline + 2), slice(left, left + width + 2)


def write_label(
    image: np.ndarray, text: str, plate: tuple[slice, slice], colour: tuple[int, int, int]
) -> None:
    """Writes a text in an RGB colour into a picture, on what `label_plate` returned, darkened."""
    image[plate] //= 3
    start = plate[1].start + 1, plate[0].stop - 2
    cv2.putText(image, text, start, FONT, FONT_SCALE, colour, 1, cv2.LINE_AA)
