"""What a killed run needs to go on as if nothing had happened."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from sprite_obs.checkpoint import load_tensors, save_tensors
from sprite_obs.errors import CheckpointError

STATE_FILE = "training.safetensors"


def save_state(
    folder: Path,
    step: int,
    model: nn.Module,
    optimizer: Optimizer,
    identity: dict[str, Any],
) -> None:
    """Writes weights and optimiser after `step` steps, atomically."""
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in values.items()}
    save_tensors(folder / STATE_FILE, tensors, {"step": step, "identity": identity})


def load_state(
    folder: Path,
    model: nn.Module,
    optimizer: Optimizer,
    identity: dict[str, Any],
) -> int:
    """Restores what `save_state` wrote and returns the number of steps done.

    Raises:
        CheckpointError: when there is no state, or it belongs to other data or another config.
    """
    if not (folder / STATE_FILE).exists():
        raise CheckpointError(
            f"nothing to resume: there is no {folder / STATE_FILE}; start without --resume"
        )
    tensors, about = load_tensors(folder / STATE_FILE)
    different = _differing(identity, about["identity"])
    if different:
        raise CheckpointError(
            f"cannot resume {folder}: it was started with another {' and another '.join(different)}"
            "; resume with the same, or pretrain into a new folder"
        )
    model.load_state_dict(_strip(tensors, "model."))
    optimizer.load_state_dict(_optimizer_state(optimizer, _strip(tensors, "optimizer.")))
    return int(about["step"])


def _differing(now: dict[str, Any], then: dict[str, Any], where: str = "") -> list[str]:
    """Names the settings, such as `config.train.batch_size`, in which two runs differ."""
    names = []
    for key in sorted(now.keys() | then.keys()):
        a, b = now.get(key), then.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            names += _differing(a, b, f"{where}{key}.")
        elif a != b:
            names.append(f"{where}{key}")
    return names


def _strip(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}


def _optimizer_state(optimizer: Optimizer, tensors: dict[str, Tensor]) -> dict[str, Any]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    return {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
