"""Several processes that train one model: how they start, who is who, sums over all of them."""

import os
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn

from sprite_obs.config import TrainConfig
from sprite_obs.errors import ConfigError

Batch = TypeVar("Batch", bound=Any)
PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed"}


def make_fabric(device: torch.device, config: TrainConfig) -> Fabric:
    """Joins this process with those that `torchrun` or `fabric run` started beside it.

    Args:
        device: of this process; the index of a CUDA device comes from the launcher.
        config: batch sizes and precision.

    Raises:
        ConfigError: when the processes cannot share the batches evenly.
    """
    processes = int(os.environ.get("WORLD_SIZE", 1))
    on_this_machine = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    for key in ("batch_size", "teach_batch_size"):
        if getattr(config, key) % processes:
            raise ConfigError(
                f"train.{key}: expected a multiple of the {processes} processes, got "
                f"{getattr(config, key)}"
            )
    fabric = Fabric(
        accelerator=device.type,
        devices=os.environ.get("LT_DEVICES", on_this_machine),  # which ones, with `fabric run`
        num_nodes=processes // on_this_machine,
        # Teaching steps leave the generator and the background out.
        strategy=(
            DDPStrategy(find_unused_parameters=config.init == "frames") if processes > 1 else "auto"
        ),
        precision=PRECISIONS[config.precision],  # type: ignore[arg-type]
    )
    if "LT_CLI_USED" not in os.environ:  # `fabric run` has launched it already
        fabric.launch()
    return fabric


def is_first_process() -> bool:
    """Says whether this process writes files and messages; true without others."""
    return int(os.environ.get("RANK", 0)) == 0


def world_size() -> int:
    """Returns the number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def share_of(batch: Batch) -> Batch:
    """Returns this process's part of a tensor or list, whose length all processes divide."""
    size = len(batch) // world_size()
    first = size * dist.get_rank() if world_size() > 1 else 0
    return batch[first : first + size]


def total(values: Tensor) -> Tensor:
    """Sums a tensor over all processes.

    Gradients are averaged over processes after the backward pass, so the gradient of a loss made
    from totals is that of one process on the whole batch only if each process counts its own part
    once per process.
    """
    if world_size() == 1:
        return values
    everywhere = values.detach().clone()
    dist.all_reduce(everywhere)
    own = values * world_size()
    return everywhere + (own - own.detach())


def mean(value: Tensor) -> float:
    """Returns the mean of a scalar over all processes."""
    return total(value.detach()).item() / world_size()


def agree(module: nn.Module) -> None:
    """Gives all processes the first one's parameters."""
    if world_size() > 1:
        for parameter in module.parameters():
            dist.broadcast(parameter.data, src=0)
