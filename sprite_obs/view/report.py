"""The report of an evaluation: one HTML file that holds its pictures and needs nothing else."""

import base64
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from sprite_obs.view.marks import Kind
from sprite_obs.view.picture import to_png
from sprite_obs.view.report_style import STYLE

SPRITE_SCALE = 4
MAX_SPRITE = 160  # pixels of the page that the largest sprite takes at most


class Table(NamedTuple):
    """A table of texts; columns named in `left` are aligned there, as is the first one."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: Sequence[str] = ()


class Picture(NamedTuple):
    """A picture with a line below it.

    Attributes:
        caption: the line.
        image: `(H, W, 3)` uint8 RGB.
        is_frame: whether it has a frame's own pixels, which the page shows as squares; False for
            what is enlarged already.
    """

    caption: str
    image: np.ndarray
    is_frame: bool = True


class FrameCard(NamedTuple):
    """A frame that is worth a look: a title, what is wrong there, and pictures side by side."""

    title: str
    notes: Sequence[str]
    pictures: Sequence[Picture]


class TypeRow(NamedTuple):
    """A type with its sprites.

    Attributes:
        title: id and name.
        cells: further columns, as `Report.type_columns` names them.
        sprites: drawings, `(h, w, 4)` uint8 RGBA each, with the text below each of them.
    """

    title: str
    cells: Sequence[str]
    sprites: Sequence[tuple[str, np.ndarray]]


class Report(NamedTuple):
    """All that the page shows.

    Attributes:
        title: of the page.
        figures: names and values.
        missed: table of what is missed; None without ground truth.
        how_chosen: a sentence on which frames are shown.
        kinds: the kinds of boxes in the pictures.
        frames: the frames.
        type_columns: names of the columns between a type's title and its sprites.
        types: the dictionary.
        background: `(H, W, 3)` uint8 RGB.
    """

    title: str
    figures: Sequence[tuple[str, str]]
    missed: Table | None
    how_chosen: str
    kinds: Sequence[Kind]
    frames: Sequence[FrameCard]
    type_columns: Sequence[str]
    types: Sequence[TypeRow]
    background: np.ndarray


def render_report(report: Report) -> str:
    """Returns the whole page as HTML."""
    sections = [
        f"<h1>{escape(report.title)}</h1>",
        _section("Figures", _table(Table((), report.figures))),
        _section("What is missed", _table(report.missed)) if report.missed else "",
        _section("Frames", _frames(report)),
        _section("Dictionary", _dictionary(report)),
        _section("Background", _background(report.background)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, sections))
        + "\n</body>\n</html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>\n{content}"


def _table(table: Table) -> str:
    places = [
        ' class="left"' if name in table.left else "" for name in table.header or ("", "figure")
    ]
    lines = [_line("th", table.header, places)] if table.header else []
    lines += [_line("td", row, places) for row in table.rows]
    return f'<div class="scroll"><table>\n{"".join(lines)}</table></div>'


def _line(tag: str, cells: Sequence[str], places: Sequence[str]) -> str:
    shown = (
        f"<{tag}{place}>{escape(text)}</{tag}>" for text, place in zip(cells, places, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>\n"


def _frames(report: Report) -> str:
    keys = "".join(
        f'<li><span class="key" style="border: {kind.thickness + 1}px solid '
        f'rgb{kind.colour}"></span>{escape(kind.meaning)}</li>'
        for kind in report.kinds
    )
    legend = f"<p>{escape(report.how_chosen)}</p>\n<ul>{keys}</ul>\n"
    return legend + "\n".join(_frame(card) for card in report.frames)


def _frame(card: FrameCard) -> str:
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in card.notes)
    pictures = "\n".join(_picture(picture) for picture in card.pictures)
    return (
        f"<article>\n<h3>{escape(card.title)}</h3>\n{notes}"
        f'<div class="row">\n{pictures}\n</div>\n</article>'
    )


def _picture(picture: Picture) -> str:
    caption = escape(picture.caption)
    pixels = ' class="pixels"' if picture.is_frame else ""
    source = f'src="{_data_uri(picture.image)}" alt="{caption}"'
    return f"<figure><img{pixels} {source}><figcaption>{caption}</figcaption></figure>"


def _dictionary(report: Report) -> str:
    header = "".join(f"<th>{escape(name)}</th>" for name in ("type", *report.type_columns))
    sizes = [size for row in report.types for _, image in row.sprites for size in image.shape[:2]]
    scale = min(max(MAX_SPRITE // max(sizes, default=1), 1), SPRITE_SCALE)
    rows = "".join(_type_row(row, scale) for row in report.types)
    return (
        f'<div class="scroll"><table>\n<tr>{header}<th class="left">sprites, each with its id'
        f"</th></tr>\n{rows}</table></div>"
    )


def _type_row(row: TypeRow, scale: int) -> str:
    cells = "".join(f"<td>{escape(text)}</td>" for text in (row.title, *row.cells))
    sprites = "".join(
        f'<figure><img class="pixels" style="width: {image.shape[1] * scale}px" '
        f'src="{_data_uri(image)}" alt="sprite {escape(text)}">'
        f"<figcaption>{escape(text)}</figcaption></figure>"
        for text, image in row.sprites
    )
    return f'<tr>{cells}<td class="left"><div class="sprites">{sprites}</div></td></tr>\n'


def _background(image: np.ndarray) -> str:
    return f'<div class="narrow">{_picture(Picture("behind all sprites", image))}</div>'


def _data_uri(image: np.ndarray) -> str:
    return f"data:image/png;base64,{base64.b64encode(to_png(image)).decode()}"
