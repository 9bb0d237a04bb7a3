"""What the pictures have in common: a dark page, small text, PNG."""

import cv2
import numpy as np

PAGE, INK = (18, 19, 23), (205, 208, 214)
FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_SCALE = 0.4


def blank_page(height: int, width: int) -> np.ndarray:
    """Returns an empty `(height, width, 3)` uint8 RGB picture."""
    return np.full((height, width, 3), PAGE, np.uint8)


def write_text(page: np.ndarray, text: str, x: int, baseline: int, centred: bool = False) -> None:
    """Writes a line of small text into a picture; it starts at x or has its centre there."""
    (width, _), _ = cv2.getTextSize(text, FONT, FONT_SCALE, 1)
    left = x - width // 2 if centred else x
    cv2.putText(page, text, (left, baseline), FONT, FONT_SCALE, INK, 1, cv2.LINE_AA)


def to_png(picture: np.ndarray) -> bytes:
    """Encodes an `(H, W, 3)` uint8 RGB picture as the content of a PNG file."""
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return data.tobytes()
