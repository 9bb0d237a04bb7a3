"""Measures how many frames per second are encoded, alone and in batches; no game plays meanwhile.

python benchmarks/encode_speed.py --env ALE/Pong-v5 --model models/pong

Frames are recorded first and encoded again and again: by the look-up, and by the network on the
CPU and, if there is one, on a GPU. The ways take turns; figures are medians over the turns, by the
clock on the wall and by CPU time.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
import tyro
from measure import markdown_table, number, run_benchmark, run_sprite_obs

from sprite_obs.decoders import DecoderName
from sprite_obs.devices import DeviceName
from sprite_obs.errors import ConfigError
from sprite_obs.frames.sources import read_frames
from sprite_obs.frozen import FrozenEncoder

HEADER = (
    "decoder",
    "device",
    "batch",
    "frames/s",
    "frames per CPU second",
    "times as fast as one by one",
)


@dataclass(frozen=True)
class Args:
    """Measures how many frames per second are encoded, alone and in batches."""

    model: str
    """Folder of a model, or the name of one of the zoo, which has the look-up only."""
    env: str = "ALE/Pong-v5"
    """Id of the environment whose frames are encoded."""
    frames: int = 256
    """Frames that are encoded in each turn, as many times over as fill the largest batch."""
    batch_sizes: str = "1,32,256"
    """Sizes of batches, with commas between them."""
    repeats: int = 5
    """Turns of each way, after one that is not counted."""
    threads: int = 1
    """Threads of PyTorch on the CPU."""
    seed: int = 0
    """Of the recording."""
    out: Path | None = None
    """Markdown file for the table, which is printed in any case."""


class Way(NamedTuple):
    """Who encodes how many frames at once, and what its device is called."""

    encoder: FrozenEncoder
    device: str
    batch: int


def measure(args: Args, folder: Path) -> str:
    """Records frames into a folder and encodes them; returns the table.

    Raises:
        ConfigError: when a size is no number of frames.
    """
    torch.set_num_threads(args.threads)
    sizes = batch_sizes(args.batch_sizes)
    flags = "--frames", args.frames, "--seed", args.seed, "--out", folder
    run_sprite_obs("record", "--env", args.env, *flags)
    images = read_frames(folder).images
    images = np.concatenate([images] * -(-max(sizes) // len(images)))
    ways = [Way(*who, size) for who, size in product(encoders(args), sizes)]
    turns = [[encode(way, images) for way in ways] for _ in range(args.repeats + 1)]
    per_frame = np.median(turns[1:], axis=0) / len(images)  # (ways, 2) seconds
    one_by_one = np.repeat(per_frame[:: len(sizes), 0], len(sizes))
    return markdown_table(HEADER, map(row, ways, per_frame, one_by_one))


def batch_sizes(text: str) -> list[int]:
    """Reads sizes of batches; one frame at a time comes first, to compare with."""
    sizes = text.split(",")
    if not all(size.isdecimal() and int(size) for size in sizes):
        raise ConfigError(f"batch_sizes: expected numbers such as 1,32,256, got {text!r}")
    return sorted({1, *map(int, sizes)})


def encoders(args: Args) -> Iterator[tuple[FrozenEncoder, str]]:
    """Yields each encoder that this machine and model have, with its device's name."""
    cpu = f"CPU, {args.threads} threads"
    yield FrozenEncoder.load(args.model, decoder="lookup"), cpu
    devices: list[tuple[DeviceName, str]] = [("cpu", cpu)]
    if torch.cuda.is_available():
        devices.append(("cuda", torch.cuda.get_device_name()))
    network: DecoderName = "network"
    for device, name in devices:
        yield FrozenEncoder.load(args.model, device, network), name


def encode(way: Way, images: np.ndarray) -> tuple[float, float]:
    """Encodes all frames; returns seconds by the clock on the wall, and of CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(images), way.batch):
        way.encoder.encode(images[start : start + way.batch])  # NumPy arrays: the GPU is waited for
    return time.perf_counter() - wall, time.process_time() - cpu


def row(way: Way, seconds: np.ndarray, one_by_one: float) -> list[str]:
    """Returns a row of the table from what a frame takes by both clocks."""
    wall, cpu = 1 / seconds
    return [
        way.encoder.decoder,
        way.device,
        str(way.batch),
        number(wall, 0),
        number(cpu, 0),
        number(one_by_one / seconds[0], 2),
    ]


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    with TemporaryDirectory() as folder:
        run_benchmark(lambda: measure(args, Path(folder) / "frames"), args.out)
