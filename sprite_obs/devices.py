"""Where the network runs."""

import typing
from typing import Literal

import torch

from sprite_obs.errors import DeviceError
from sprite_obs.workers import is_worker

DeviceName = Literal["cpu", "cuda", "auto"]


def choose_device(name: str) -> torch.device:
    """Turns `cpu`, `cuda` or `auto` into a device.

    With `auto`, worker processes leave the GPU to the one that started them: after a fork they
    could not use it, and each of them has one frame at a time.

    Raises:
        DeviceError: when the device does not exist on this machine.
    """
    if name not in typing.get_args(DeviceName):
        raise DeviceError(f"unknown device {name!r}; expected cpu, cuda or auto")
    if name == "cpu" or (name == "auto" and is_worker()):
        return torch.device("cpu")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError("device cuda was asked for, but this machine has none; use cpu or auto")
    return torch.device("cuda" if available else "cpu")
