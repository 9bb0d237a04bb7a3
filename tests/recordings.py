"""What the tests of recordings read back from them."""

from pathlib import Path

import numpy as np

from sprite_obs.frames.store import Episode, read_episode, read_info


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def episodes(folder: Path) -> list[Episode]:
    info = read_info(folder)
    return [read_episode(folder, info, index) for index in range(len(info.episodes))]


def actions_of(policy, count=20_000):
    return np.array([policy(np.zeros((1, 1, 3), np.uint8)) for _ in range(count)])
