"""What the pictures have in common: a dark page, small text, PNG."""

import cv2
import numpy as np

PAGE, INK = (18, 19, 23), (205, 208, 214)
FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_SCALE = 0.4


def blank_page(height: int, width: int) -> np.ndarray:
    """Returns an empty `(height, width, 3)` uint8 RGB picture."""
    page = np.empty((height, width, 3), np.uint8)
    page[:1] = PAGE
    page[1:] = page[:1]  # copying whole rows is much faster than filling pixels
    return page


def enlarged(picture: np.ndarray, scale: int) -> np.ndarray:
    """Returns an `(H, W, C)` uint8 picture enlarged pixel by pixel: `(H scale, W scale, C)`."""
    height, width, _ = picture.shape
    size = width * scale, height * scale
    return cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_NEAREST)


def write_text(page: np.ndarray, text: str, x: int, baseline: int, centred: bool = False) -> None:
    """Writes a line of small text into a picture; it starts at x or has its centre there."""
    (width, _), _ = cv2.getTextSize(text, FONT, FONT_SCALE, 1)
    left = x - width // 2 if centred else x
    cv2.putText(page, text, (left, baseline), FONT, FONT_SCALE, INK, 1, cv2.LINE_AA)


def cut_text(text: str, width: int) -> str:
    """Returns the beginning of a line of small text that fits into so many pixels."""
    text = text.strip()
    while text and cv2.getTextSize(text, FONT, FONT_SCALE, 1)[0][0] > width:
        text = text[:-1]
    return text


def to_png(picture: np.ndarray) -> bytes:
    """Encodes an `(H, W, 3)` RGB or `(H, W, 4)` RGBA uint8 picture as the content of a PNG file."""
    order = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, order))
    return data.tobytes()
