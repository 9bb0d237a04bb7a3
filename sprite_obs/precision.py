"""Floats that are the same whatever a user set for training: no TF32, autocast or benchmark."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.backends import cuda, cudnn, mkldnn


class Setting(NamedTuple):
    """A setting of PyTorch, and its value for numbers that are the same everywhere."""

    read: Callable[[], Any]
    write: Callable[[Any], None]
    wanted: Any


@contextmanager
def full_precision(device_type: str) -> Iterator[None]:
    """Computes with whole float32 numbers, and equal ones each time; then restores all settings.

    With TF32 or bfloat16 a score has three digits, and a sprite whose presence is near one half
    would be there on one machine and not on another. The settings are those of the whole process.

    Args:
        device_type: ``cpu`` or ``cuda``, where the network runs.
    """
    before = [(setting, value) for setting in _settings() for value in _value(setting)]
    try:
        for setting, _ in before:
            setting.write(setting.wanted)
        with torch.autocast(device_type, enabled=False):
            yield
    finally:
        for setting, value in before:
            setting.write(value)


def _settings() -> list[Setting]:
    """Lists the settings of all versions; the newer ones last, for writing older ones moves them.

    From PyTorch 2.9 on, each kind of computing has a setting beside the older ones, and where the
    two contradict each other, reading the older one is an error, also inside of PyTorch.
    """
    matmul = torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    kinds = [(cuda, "matmul"), (cudnn, "conv"), (cudnn, "rnn"), (mkldnn, "matmul")]
    owners = [getattr(owner, kind, None) for owner, kind in (*kinds, (mkldnn, "conv"))]
    return [
        Setting(*matmul, "highest"),
        _attribute(cudnn, "allow_tf32", False),
        _attribute(cudnn, "benchmark", False),
        _attribute(cudnn, "deterministic", True),
        *(
            _attribute(owner, "fp32_precision", "ieee")
            for owner in owners
            if hasattr(owner, "fp32_precision")
        ),
    ]


def _attribute(owner: Any, name: str, wanted: Any) -> Setting:
    return Setting(partial(getattr, owner, name), partial(setattr, owner, name), wanted)


def _value(setting: Setting) -> list[Any]:
    """Returns the setting's value, or nothing where a newer one contradicts it, which counts."""
    try:
        return [setting.read()]
    except RuntimeError:
        return []
