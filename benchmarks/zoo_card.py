"""What is said about a model of the zoo: its card, and its row in the table of docs/zoo.md."""

import math
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from detection import f1
from measure import markdown_table, number, percent

Figures = dict[str, Any]

DETECTION = {
    "F1 moving": "of objects that move, boxes that overlap by half or more (F1)",
    "MOC F1 moving": "the same by the distance of centres",
    "F1 game": "the same as the first with those that rest",
    "few_shot_16": "objects named from the types of 16 examples of each kind",
    "track switches": "per 100 frames of an object that moves",
}
HEADER = (
    "name",
    "sprites",
    "types",
    "slots",
    "exact frames, %",
    "exact pixels, %",
    *DETECTION,
    "size, kB",
)


@dataclass(frozen=True)
class Made:
    """A model of the zoo, and what is known about it.

    Attributes:
        name: what it is called in the zoo.
        size: of its checkpoint, in bytes.
        num_types: T.
        slots: `max_sprites` that has room for everything that was seen at once.
        preferred: the decoder that the whole model prefers.
        config: the file of its settings, the same for all games.
        train: `recording.json` of the frames that it was learned from.
        test: the same of the unseen frames.
        unseen: what `sprite-obs evaluate` says about those.
        truth: what it says about frames of which the true objects are known; None if none are.
    """

    name: str
    size: int
    num_types: int
    slots: int
    preferred: str
    config: str
    train: Figures
    test: Figures
    unseen: Figures
    truth: Figures | None


def row(made: Made) -> list[str]:
    """Returns a model's row, in the order of `HEADER`."""
    return [
        f"`{made.name}`",
        str(made.unseen["num_sprites"]),
        str(made.num_types),
        str(made.slots),
        percent(made.unseen["exact_frames"], 1),
        percent(made.unseen["exact_pixels"], 3),
        *detection(made.truth),
        number(made.size / 1e3, 1),
    ]


def detection(truth: Figures | None) -> list[str]:
    """Returns the figures that `DETECTION` names, dashes where they were not measured."""
    if truth is None:
        return ["-"] * len(DETECTION)
    moving, game = truth["detection"]["moving"], truth["detection"]["game"]
    few_shot = (moving["identity"] or {"few_shot": {}})["few_shot"].get("16", math.nan)
    switches = (truth["tracking"] or {}).get("switches", math.nan)
    values = f1(moving, "overlap"), f1(moving, "centre"), f1(game, "overlap"), few_shot, switches
    return [number(value, 3) for value in values]


def card(made: Made) -> str:
    """Returns the text of `card.md`."""
    env_id, test = made.train["env_id"], made.test
    parts = [
        f"# {made.name}",
        f"Finds the sprites of `{env_id}` by exact look-up; a compact model, without a network.",
        markdown_table(("what it was made of", ""), _origin(made)),
        f"On {test['num_frames']} frames that it was not learned from, recorded likewise with seed "
        f"{test['seed']}:",
        markdown_table(("reconstruction", ""), _reconstruction(made)),
        *_detection_parts(made),
        "Random play shows the beginning of a game only. What an agent reaches later may not be in "
        'the dictionary; `info["sprite_error"]` then rises.',
    ]
    return "\n\n".join(parts) + "\n"


def _origin(made: Made) -> list[list[str]]:
    train, settings = made.train, made.train["env_kwargs"]
    versions = {"torch": metadata.version("torch")} | train["versions"]
    return [
        ["script", f"`python benchmarks/zoo.py --games {train['env_id'][4:-3]}`"],
        ["frames", f"{train['num_frames']} in {len(train['episodes'])} episodes"],
        ["policy", f"{train['policy']}: random actions, held for a while; seed {train['seed']}"],
        ["frameskip", str(settings["frameskip"])],
        ["sticky actions", str(settings["repeat_action_probability"])],
        ["settings", f"`{made.config}`, seed 0"],
        ["sprites, types", f"{made.unseen['num_sprites']}, {made.num_types}"],
        ["slots for all that was seen at once", str(made.slots)],
        ["decoder that the model with its network prefers", made.preferred],
        ["size", f"{made.size} bytes"],
        ["versions", ", ".join(f"{name} {what}" for name, what in sorted(versions.items()))],
    ]


def _reconstruction(made: Made) -> list[list[str]]:
    figures = made.unseen
    psnr = figures["psnr_hard"]
    return [
        ["frames exact in every pixel", f"{percent(figures['exact_frames'], 1)} %"],
        ["exact pixels", f"{percent(figures['exact_pixels'], 3)} %"],
        ["PSNR", "exact" if psnr == "Infinity" else f"{psnr:.1f} dB"],
        ["sprites in a frame", number(figures["sprites_per_frame"], 1)],
        ["things in a frame that are no sprite of it", number(figures["unknown_per_frame"], 2)],
    ]


def _detection_parts(made: Made) -> list[str]:
    if made.truth is None:
        return ["Detection was not measured: the objects that are truly there are not known."]
    figures = zip(DETECTION, detection(made.truth), strict=True)
    return [
        f"On {made.truth['num_frames']} frames of other seeds and plain random play, of which the "
        "true objects are known (`benchmarks/ground_truth.py`; docs/detection.md says what the "
        "figures mean and how far the truth of which game can be trusted):",
        markdown_table(
            ("detection", ""), [[f"{name}: {DETECTION[name]}", text] for name, text in figures]
        ),
    ]
