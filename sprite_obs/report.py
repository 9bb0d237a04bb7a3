"""What `sprite-obs evaluate --report` shows: the worst frames, what is missed, the dictionary."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from sprite_obs.detections import Detections
from sprite_obs.evaluate import Examined
from sprite_obs.frames.sources import Frames
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.metrics.ground_truth import GroundTruth
from sprite_obs.metrics.verdicts import OUTCOMES, Verdicts, judge
from sprite_obs.view.marks import (
    FALSE,
    FALSE_UNKNOWN,
    FOUND,
    IGNORED,
    MISSED,
    UNKNOWN,
    Box,
    Kind,
    draw_boxes,
    mark_wrong,
)
from sprite_obs.view.report import FrameCard, Picture, Report, Table, TypeRow, render_report

MAX_FRAMES = 12
SPREAD = 4
"""Frames shown are no nearer than the N-th part of all, N being this times their number: what is
wrong in one frame is mostly wrong in the next."""
MIN_EXAMPLE = 0.05
"""Share of a category that is missed in the same way, from which on a frame shows that."""
UNKNOWN_TYPE = "not in the dictionary"
MAX_NAMED = 3
VARIANT_TEXT = {
    "all": "all objects",
    "game": "all objects but those of the display",
    "moving": "the objects that move, without those of the display",
}


def report_page(title: str, examined: Examined, frames: Frames, truth: GroundTruth | None) -> str:
    """Returns the page as HTML.

    Args:
        title: of the page.
        examined: what the model found in the frames.
        frames: the frames.
        truth: the objects in them, if known.
    """
    verdicts = judge(examined.found, truth, len(frames.images)) if truth else None
    names = truth.category_names if truth else ()
    return render_report(
        Report(
            title=title,
            figures=examined.figures.to_rows(),
            missed=_missed_table(verdicts, names, examined.encoder) if verdicts else None,
            how_chosen=_how_chosen(verdicts),
            kinds=[FOUND, MISSED, FALSE, FALSE_UNKNOWN, IGNORED] if verdicts else [FOUND, UNKNOWN],
            frames=_cards(examined, frames, verdicts, names),
            type_columns=["room", "found", *(["false"] if verdicts else [])],
            types=_type_rows(examined, verdicts),
            background=examined.encoder.background,
        )
    )


def worst_frames(badness: np.ndarray, ties: np.ndarray) -> list[int]:
    """Returns up to 12 frames, the worst first, that are not next to each other.

    Args:
        badness: `(N,)` integers, how bad each frame is; one of 0 is never shown.
        ties: `(N,)` integers, which of equally bad frames are worse.
    """
    apart = max(len(badness) // (SPREAD * MAX_FRAMES), 1)
    chosen: list[int] = []
    for frame in np.lexsort((-ties, -badness)).tolist():
        if len(chosen) == MAX_FRAMES or not badness[frame]:
            break
        if all(abs(frame - other) >= apart for other in chosen):
            chosen.append(frame)
    return chosen


def _how_chosen(verdicts: Verdicts | None) -> str:
    apart = "neighbours left out"
    if verdicts is None:
        return f"The frames with the most wrong pixels, {apart}."
    return (
        f"The frames with the most missed objects and false detections, {apart}; then one for each "
        "frequent miss that these do not show. Looked for are "
        f"{VARIANT_TEXT[verdicts.variant]}; an object is found by a box of an overlap (IoU) of at "
        "least 0.5."
    )


def _cards(
    examined: Examined, frames: Frames, verdicts: Verdicts | None, names: tuple[str, ...]
) -> list[FrameCard]:
    wrong_pixels = badness = examined.wrong_pixels
    if verdicts:
        count = len(frames.images)
        missed = np.bincount(verdicts.objects.frame[verdicts.missed], minlength=count)
        badness = missed + np.bincount(verdicts.found.frame[verdicts.false], minlength=count)
    shown = worst_frames(badness, wrong_pixels)
    if verdicts:
        shown += _examples(verdicts, shown)
    return [_card(frame, examined, frames, verdicts, names) for frame in shown]


def _examples(verdicts: Verdicts, shown: list[int]) -> list[int]:
    """Returns a frame for each way to miss a category that is frequent, but not shown already."""
    frame, category = verdicts.objects.frame, verdicts.objects.category
    examples: list[int] = []
    for number in np.unique(category):
        here = verdicts.missed & (category == number)
        outcomes = np.bincount(verdicts.outcome[here], minlength=len(OUTCOMES))
        for outcome in np.flatnonzero(outcomes >= MIN_EXAMPLE * (category == number).sum()):
            like_this = frame[here & (verdicts.outcome == outcome)]
            if len(like_this) and not np.isin(like_this, [*shown, *examples]).any():
                examples.append(int(np.bincount(like_this).argmax()))
    return examples


def _card(
    frame: int,
    examined: Examined,
    frames: Frames,
    verdicts: Verdicts | None,
    names: tuple[str, ...],
) -> FrameCard:
    encoder, image = examined.encoder, frames.images[frame]
    found = examined.found.of_frame(frame)
    sprites = examined.sprites.of_frame(frame)
    alone = sprites._replace(frame=np.zeros_like(sprites.frame))
    rebuilt = encoder.reconstruct(alone, encoder.backgrounds(image[None]))[0]
    if verdicts:
        boxes, notes = _judged(frame, verdicts, names, encoder)
    else:
        boxes, notes = _found(found.clipped(image.shape[:2]), encoder), []
    return FrameCard(
        title=f"frame {frame}, episode {frames.episode[frame]}",
        notes=[*notes, f"wrong pixels: {examined.wrong_pixels[frame]}"],
        pictures=[
            Picture("frame", draw_boxes(image, boxes), is_frame=False),
            Picture("hard reconstruction", rebuilt),
            Picture("wrong pixels", mark_wrong(image, (image != rebuilt).any(-1))),
        ],
    )


def _found(found: Detections, encoder: FrozenEncoder) -> list[Box]:
    """Returns the boxes where nothing is known of the objects."""
    return [
        _box(box, FOUND if type_id else UNKNOWN, _type_text(type_id, encoder) if type_id else "?")
        for box, type_id in zip(found.box.tolist(), found.type.tolist(), strict=True)
    ]


def _judged(
    frame: int, verdicts: Verdicts, names: tuple[str, ...], encoder: FrozenEncoder
) -> tuple[list[Box], list[str]]:
    """Returns the boxes of a frame, and what is missed and false in it."""
    boxes, false_types = [], []
    for row in np.flatnonzero(verdicts.found.frame == frame):
        type_id = int(verdicts.found.type[row])
        kind, text = IGNORED, ""
        if verdicts.right[row]:
            kind, text = FOUND, _type_text(type_id, encoder) if type_id else "?"
        elif verdicts.false[row]:
            kind = FALSE if type_id else FALSE_UNKNOWN
            text = _type_text(type_id, encoder) if type_id else "?"
            false_types.append(text if type_id else UNKNOWN_TYPE)
        boxes.append(_box(verdicts.found.box[row].tolist(), kind, text))
    missed = []
    for target in np.flatnonzero((verdicts.objects.frame == frame) & verdicts.missed):
        name = names[verdicts.objects.category[target]]
        boxes.append(Box(tuple(verdicts.objects.edges[target].tolist()), MISSED, name))
        missed.append(f"{name} ({OUTCOMES[verdicts.outcome[target]]})")
    notes = [
        f"{title}: {_counted(things)}"
        for title, things in (("missed", missed), ("false", false_types))
        if things
    ]
    return boxes, notes


def _box(box: list[int], kind: Kind, text: str) -> Box:
    left, top, width, height = box
    return Box((left, top, left + width, top + height), kind, text)


def _counted(things: Iterable[str]) -> str:
    """Lists things, each once, the most frequent first."""
    count = Counter(things).most_common()
    return ", ".join(thing if times == 1 else f"{thing} \u00d7{times}" for thing, times in count)


def _type_text(type_id: int, encoder: FrozenEncoder) -> str:
    return f"t{type_id} {encoder.type_names.get(type_id, '')}".strip()


def _missed_table(verdicts: Verdicts, names: tuple[str, ...], encoder: FrozenEncoder) -> Table:
    """Returns what became of the objects of each category, those with most missed ones first."""
    rows = []
    category, missed = verdicts.objects.category, verdicts.missed
    for number in sorted(set(category.tolist()), key=lambda c: (-missed[category == c].sum(), c)):
        here = category == number
        outcomes = np.bincount(verdicts.outcome[here], minlength=len(OUTCOMES)).tolist()
        types = Counter(verdicts.type[here & ~missed].tolist()).most_common(MAX_NAMED)
        shown = ", ".join(
            f"{_type_text(type_id, encoder) if type_id else UNKNOWN_TYPE} \u00d7{times}"
            for type_id, times in types
        )
        share = f"{100 * missed[here].mean():.1f} %"
        rows.append([names[number], str(here.sum()), share, *map(str, outcomes), shown])
    header = ["category", "objects", "missed", *OUTCOMES, "found as"]
    return Table(header, rows, left=["found as"])


def _type_rows(examined: Examined, verdicts: Verdicts | None) -> list[TypeRow]:
    encoder, found = examined.encoder, examined.sprites
    count = np.bincount(found.sprite, minlength=encoder.num_sprites + 1)
    false = np.zeros_like(count)
    if verdicts:
        sprites = verdicts.found.sprite[verdicts.false]
        false = np.bincount(sprites, minlength=encoder.num_sprites + 1)
    rows = []
    for type_id in np.unique(encoder.sprite_type).tolist():
        ids = np.flatnonzero(encoder.sprite_type == type_id) + 1
        cells = [str(encoder.type_capacity[type_id]), str(count[ids].sum())]
        cells += [str(false[ids].sum())] if verdicts else []
        drawings = [(str(i), _cropped(encoder.sprites[i - 1])) for i in ids.tolist()]
        rows.append(TypeRow(_type_text(type_id, encoder), cells, drawings))
    return rows


def _cropped(sprite: np.ndarray) -> np.ndarray:
    """Cuts an RGBA canvas to its drawing; one transparent pixel where there is none."""
    y, x = np.nonzero(sprite[..., 3])
    if not len(y):
        return sprite[:1, :1]
    return sprite[y.min() : y.max() + 1, x.min() : x.max() + 1]
