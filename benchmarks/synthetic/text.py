"""Pages of a book, black on white (paper, section 4.5)."""

import cv2
import numpy as np

HEIGHT, WIDTH = 800, 500
MARGIN, LINE_HEIGHT, SPACE = 14, 15, 6
FONT, SCALE = cv2.FONT_HERSHEY_COMPLEX, 0.45
GAP = 1
"""Pixels between two letters."""
TEXT = """
Call me Ishmael. Some years ago - never mind how long precisely - having little or no money in my
purse, and nothing particular to interest me on shore, I thought I would sail about a little and
see the watery part of the world. It is a way I have of driving off the spleen, and regulating the
circulation. Whenever I find myself growing grim about the mouth; whenever it is a damp, drizzly
November in my soul; whenever I find myself involuntarily pausing before coffin warehouses, and
bringing up the rear of every funeral I meet; and especially whenever my hypos get such an upper
hand of me, that it requires a strong moral principle to prevent me from deliberately stepping into
the street, and methodically knocking people's hats off - then, I account it high time to get to sea
as soon as I can. This is my substitute for pistol and ball. With a philosophical flourish Cato
throws himself upon his sword; I quietly take to the ship.
"""
"""The beginning of Melville's Moby Dick, from which the paper's pages are too."""


def pages(num_pages: int, seed: int) -> list[np.ndarray]:
    """Prints the words of a text in random order.

    A letter looks the same wherever it stands: it starts at a whole pixel.

    Args:
        num_pages: how many.
        seed: of the order.

    Returns:
        `(800, 500, 3)` uint8 each.
    """
    rng = np.random.default_rng(seed)
    words = TEXT.split()
    glyphs = {letter: _glyph(letter) for letter in set("".join(words))}
    printed = [_print([glyphs[letter] for letter in word]) for word in words]
    return [_page(printed, rng) for _ in range(num_pages)]


def _page(words: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for top in range(MARGIN, HEIGHT - MARGIN - LINE_HEIGHT, LINE_HEIGHT):
        left = MARGIN
        while True:
            word = words[rng.integers(len(words))]
            right = left + word.shape[1]
            if right > WIDTH - MARGIN:
                break
            window = page[top : top + LINE_HEIGHT, left:right]
            np.minimum(window, word, out=window)
            left = right + SPACE
    return page[..., None].repeat(3, -1)


def _print(glyphs: list[np.ndarray]) -> np.ndarray:
    """Sets letters side by side: `(15, w)` uint8."""
    gap = np.full((LINE_HEIGHT, GAP), 255, np.uint8)
    return np.concatenate([part for glyph in glyphs for part in (glyph, gap)], axis=1)


def _glyph(letter: str) -> np.ndarray:
    """Draws a letter, cut at its left and right: `(15, w)` uint8."""
    canvas = np.full((LINE_HEIGHT, 3 * LINE_HEIGHT), 255, np.uint8)
    baseline = LINE_HEIGHT - 4
    cv2.putText(canvas, letter, (LINE_HEIGHT, baseline), FONT, SCALE, 0, 1, cv2.LINE_AA)
    inked = np.flatnonzero((canvas < 255).any(0))
    return canvas[:, inked[0] : inked[-1] + 1]
