"""Scenery that scrolls: what a counted model leaves of unseen frames, with and without panorama.

    sprite-obs record --env ALE/Riverraid-v5 --frames 1500 --out recordings/riverraid
    python benchmarks/scrolling.py recordings/riverraid ...

The first four fifths of each recording are learned from, the rest is read. No gradient is computed.
"""

import argparse
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np

from sprite_obs.config import PretrainConfig
from sprite_obs.discover import discovery
from sprite_obs.frames.sources import read_frames
from sprite_obs.lookup.decoder import LookupDecoder
from sprite_obs.lookup.palette import Palette
from sprite_obs.lookup.panorama import Panorama
from sprite_obs.pretrain.start import Start, start_from_frames

LEARNED = 0.8
"""Share of the frames that is learned from."""


def learn(index: np.ndarray, episode: np.ndarray, scrolls: bool) -> Start:
    """Counts sprites; without scrolling, every screen is taken for a still one."""
    if scrolls:
        return start_from_frames(index, episode, PretrainConfig())
    with patch.object(discovery, "find_layers", lambda *_: []):
        return start_from_frames(index, episode, PretrainConfig())


def judge(start: Start, index: np.ndarray) -> list[float]:
    """Returns unexplained pixels and exact frames in %, sprites a frame, frames a second."""
    thresholds = PretrainConfig().discover
    decoder = LookupDecoder(
        start.bank,
        start.tables.counts,
        start.background,
        start.tables.tiles,
        thresholds.min_visible,
        thresholds.min_explained,
        thresholds.max_foreground,
    )
    begin = time.perf_counter()
    rows, unexplained = decoder.decode_and_count(index)
    speed = len(index) / (time.perf_counter() - begin)
    share = 100 * unexplained.mean() / index[0].size
    return [share, 100 * float((unexplained == 0).mean()), len(rows) / len(index), speed]


def main() -> None:
    """Prints two lines for each recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path, nargs="+")
    print(
        "                     layers  unexplained %  exact frames %  sprites  frames/s  learned s"
    )
    for path in parser.parse_args().recordings:
        frames = read_frames(path)
        palette = Palette.of_frames(frames.images)
        index = np.stack([palette.index(image) for image in frames.images])
        split = int(LEARNED * len(index))
        for scrolls in (False, True):
            begin = time.perf_counter()
            start = learn(index[:split], frames.episode[:split], scrolls)
            spent = time.perf_counter() - begin
            behind = start.background
            layers = len(behind.layers) if isinstance(behind, Panorama) else 0
            share, exact, sprites, speed = judge(start, index[split:])
            print(
                f"{path.name:20s} {layers:6d} {share:14.3f} {exact:15.1f} {sprites:8.1f} "
                f"{speed:9.0f} {spent:10.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
