"""Drawings as text: one letter per pixel."""

import numpy as np

CLEAR = "."
COLORS = {
    "k": (34, 28, 48),
    "a": (112, 116, 132),
    "A": (68, 70, 88),
    "r": (204, 52, 56),
    "R": (128, 28, 52),
    "o": (236, 128, 40),
    "y": (244, 200, 56),
    "Y": (176, 120, 24),
    "g": (72, 164, 76),
    "G": (32, 100, 64),
    "c": (60, 180, 200),
    "b": (48, 96, 200),
    "B": (32, 48, 128),
    "p": (148, 84, 184),
    "P": (88, 44, 124),
    "m": (228, 96, 148),
    "n": (152, 92, 48),
    "N": (96, 52, 32),
    "s": (228, 164, 116),
    "t": (208, 184, 132),
}
"""RGB of each letter, none of them close to white."""


def from_text(art: str) -> np.ndarray:
    """Turns lines of letters into a drawing.

    Args:
        art: a line per row of pixels, all of one length; a dot is transparent.

    Returns:
        `(h, w, 4)` uint8 RGBA; transparent pixels are 0 throughout.
    """
    palette = {letter: (*color, 255) for letter, color in COLORS.items()}
    palette[CLEAR] = (0, 0, 0, 0)
    return np.array([[palette[letter] for letter in line] for line in art.split()], np.uint8)


def draw(art: dict[str, str], scale: int) -> dict[str, np.ndarray]:
    """Turns named texts into drawings, each pixel repeated `scale` times in both directions."""
    return {name: enlarge(from_text(lines), scale) for name, lines in art.items()}


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
    """Repeats each pixel of an `(h, w, ...)` picture `scale` times in both directions."""
    return picture.repeat(scale, 0).repeat(scale, 1)
