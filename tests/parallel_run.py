"""Pretrains on made-up frames, alone or as one of several processes that `torchrun` started.

Usage: parallel_run.py JOBS.json OUT. JOBS holds configurations by name. Process R writes what it
did with job J to OUT/J-R.json, and lets pretraining write to OUT/J-R.
"""

import json
import os
import sys
import zlib
from pathlib import Path
from typing import Any

import torch
from scenes import make_scene
from torch import Tensor

from sprite_obs.config import PretrainConfig, from_dict
from sprite_obs.errors import ConfigError
from sprite_obs.pretrain.pretrain import pretrain

NUM_FRAMES = 60


def run(job: dict[str, Any], folder: Path) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    """Returns the losses of all steps and the weights."""
    config = from_dict(PretrainConfig, job)
    losses: list[dict[str, float]] = []
    frames = make_scene(NUM_FRAMES).frames()
    if config.train.init == "random":  # a part will do, and takes less time
        frames = frames._replace(images=frames.images[:, 16:56, :64].copy())
    checkpoint = pretrain(
        frames,
        config,
        folder,
        torch.device("cpu"),
        report=lambda _, figures: losses.append(figures),
    )
    return losses, checkpoint.model.state_dict()


def _as_json(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    try:
        losses, weights = run(job, folder)
    except ConfigError as error:
        return {"refused": str(error)}
    flat = torch.cat([weight.flatten() for weight in weights.values()])
    return {"losses": losses, "checksum": zlib.crc32(flat.numpy().tobytes())}


if __name__ == "__main__":
    jobs, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    for name, job in jobs.items():
        mine = f"{name}-{os.environ['RANK']}"
        (out / f"{mine}.json").write_text(json.dumps(_as_json(job, out / mine)))
