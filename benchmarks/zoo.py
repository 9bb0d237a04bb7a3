"""Makes the zoo: records games, learns their sprites, exports small models and measures them.

python benchmarks/zoo.py --games Pong,Breakout

Prints the table of docs/zoo.md. What is done is not done again: after an interruption, the same
command goes on, a game after the other. Each game takes some minutes of one core.
"""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ground_truth
import tyro
from measure import ROOT, markdown_table, run_benchmark, run_sprite_obs, write_text
from truth.environment import ENVIRONMENT
from zoo_card import HEADER, Made, card, row

from sprite_obs.checkpoint import SETTINGS_FILE, load_checkpoint
from sprite_obs.config import PretrainConfig, load_yaml, to_dict
from sprite_obs.errors import SpriteObsError
from sprite_obs.games import game_name
from sprite_obs.zoo.find import MODEL_FILE

GAMES = (
    "Asterix",
    "Bowling",
    "Boxing",
    "Breakout",
    "Carnival",
    "Freeway",
    "Frostbite",
    "Kangaroo",
    "MsPacman",
    "Pong",
    "Seaquest",
    "SpaceInvaders",
)
RECORDING_FILE = "recording.json"
STATE_FILE = "training.safetensors"


@dataclass(frozen=True)
class Args:
    """Makes the zoo."""

    games: str = ",".join(GAMES)
    """Games to make, with commas between them."""
    work: Path = ROOT / "models" / "zoo"
    """Folder for recordings, whole models and the objects that are truly there."""
    out: Path = ROOT / "sprite_obs" / "zoo"
    """Folder of the zoo."""
    frames: int = 6000
    """Frames to learn from, of held random actions."""
    unseen: int = 1000
    """Frames to measure on, of another seed."""
    seed: int = 0
    """Of the frames to learn from; the unseen ones have the next one."""
    config: Path = ROOT / "configs" / "pretrain" / "atari.yaml"
    """Settings, the same for all games."""
    truth: bool = True
    """Measure detection, too, against objects that OCAtari reads from the game's memory."""
    environment: Path = ENVIRONMENT
    """Folder of OCAtari's own Python environment, which is made if it is not there."""


def make_zoo(args: Args) -> str:
    """Makes all games; returns the table of their figures.

    Raises:
        SpriteObsError: when a command fails; it has said why on stderr.
    """
    rows = []
    for game in args.games.split(","):
        rows.append(row(make(game, args)))
        print(f"{game} is done", file=sys.stderr)
    return markdown_table(HEADER, rows)


def make(game: str, args: Args) -> Made:
    """Makes one game's model, as far as that is not done, measures it and writes its card."""
    name = game_name(game)
    folder, model = args.work / name, args.out / name
    train, unseen = folder / "train", folder / "test"
    record(game, train, args.frames, args.seed)
    record(game, unseen, args.unseen, args.seed + 1)
    pretrain(train, folder / "full", args)
    run_sprite_obs("export", "--model", folder / "full", "--out", model)
    checkpoint = load_checkpoint(model)
    made = Made(
        name=name,
        size=(model / MODEL_FILE).stat().st_size,
        num_types=len(checkpoint.type_capacity) - 1,
        slots=int(checkpoint.tables.object_capacity[1:].sum()),
        preferred=read_json(folder / "full" / SETTINGS_FILE)["decoder"],
        config=str(args.config.resolve().relative_to(ROOT)),
        train=read_json(train / RECORDING_FILE),
        test=read_json(unseen / RECORDING_FILE),
        unseen=evaluate(model, unseen, folder / "unseen.json"),
        truth=measured_truth(game, model, args) if args.truth else None,
    )
    write_text(model / "card.md", card(made))
    return made


def record(game: str, out: Path, frames: int, seed: int) -> None:
    """Records a game, unless that is done."""
    done = read_json(out / RECORDING_FILE)
    if (done.get("num_frames"), done.get("seed")) == (frames, seed):
        return
    shutil.rmtree(out, ignore_errors=True)  # an interrupted recording cannot be continued
    out.parent.mkdir(parents=True, exist_ok=True)
    settings = "--frames", frames, "--seed", seed
    run_sprite_obs("record", "--env", f"ALE/{game}-v5", *settings, "--out", out)


def pretrain(data: Path, out: Path, args: Args) -> None:
    """Learns a game's sprites, unless that is done, and goes on with what was interrupted."""
    settings = "--num-threads", 1, "--device", "cpu"  # so that numbers do not depend on the machine
    wanted = to_dict(load_yaml(PretrainConfig, args.config)) | {"num_threads": 1}
    done = read_json(out / SETTINGS_FILE)
    if done.get("num_frames") == args.frames and all(done[key] == wanted[key] for key in wanted):
        return
    interrupted = not done and (out / STATE_FILE).exists()
    resume = ["--resume"] if interrupted else []
    paths = "--data", data, "--config", args.config, "--out", out
    run_sprite_obs("pretrain", *paths, *settings, *resume)


def evaluate(model: Path, data: Path, out: Path, *flags: object) -> dict[str, Any]:
    """Measures a model on frames and returns the figures."""
    run_sprite_obs("evaluate", "--model", model, "--data", data, "--out", out, *flags)
    return read_json(out)


def measured_truth(game: str, model: Path, args: Args) -> dict[str, Any] | None:
    """Measures detection; None where OCAtari does not know the game or cannot be installed."""
    out = args.work / "truth"
    settings = ground_truth.Args(out=out, games=game, environment=args.environment)
    try:
        ground_truth.record_games(settings)
    except SpriteObsError as error:
        print(f"{game}: no ground truth: {error}", file=sys.stderr)
        return None
    data = out / f"{game}_test.npz"
    figures = args.work / game_name(game) / "truth.json"
    return evaluate(model, data, figures, "--ground-truth", data)


def read_json(path: Path) -> dict[str, Any]:
    """Returns what a file holds, nothing if there is none."""
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    run_benchmark(lambda: make_zoo(args), None)
