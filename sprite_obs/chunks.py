"""Many frames through a network in chunks of one size, copied while the one before is computed."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

CPU_CHUNK = 1
"""A CPU rounds otherwise in other batches, so it has none."""
CUDA_CHUNK = 64
"""Frames that a GPU computes at once. The last chunk is filled up: a size of its own would round
otherwise."""

Answer = Callable[[Tensor], Sequence[Tensor]]
"""From a chunk `(b, H, W, 3)` uint8 on the device to tensors `(b, ...)`, without waiting for it."""


def answer_in_chunks(
    answer: Answer, frames: np.ndarray, device: torch.device, size: int | None = None
) -> list[np.ndarray]:
    """Asks about all frames; what is said of one does not depend on the others.

    On a GPU nothing waits: while a chunk is computed, the next one is brought into page-locked
    memory and copied on a stream of its own, and the answers to the one before are fetched.

    Args:
        answer: computes one chunk.
        frames: `(B, H, W, 3)` uint8, B may be 0.
        device: where `answer` computes.
        size: frames of a chunk; None for what suits the device.

    Returns:
        The answers, `(B, ...)` each.
    """
    is_cuda = device.type == "cuda"
    size = size or (CUDA_CHUNK if is_cuda else CPU_CHUNK)
    lane = CudaLane(device) if is_cuda else CpuLane()
    parts, waiting = [], None
    for start in range(0, max(len(frames), 1), size):
        computing = lane.fetch(answer(lane.bring(frames[start : start + size], size)))
        if waiting is not None:
            parts.append(lane.wait(waiting))
        waiting = computing
    assert waiting is not None
    parts.append(lane.wait(waiting))
    return [np.concatenate(arrays)[: len(frames)] for arrays in zip(*parts, strict=True)]


Fetched = tuple[list[Tensor], torch.cuda.Event | None]
"""Answers that are or will be in the memory of the CPU, and when they are."""


class CpuLane:
    """Chunks that stay where they are."""

    def bring(self, frames: np.ndarray, size: int) -> Tensor:
        """Returns a chunk of `size` frames, the missing ones black."""
        if len(frames) < size:
            missing = np.zeros((size - len(frames), *frames.shape[1:]), np.uint8)
            frames = np.concatenate([frames, missing])
        return torch.from_numpy(np.ascontiguousarray(frames))

    def fetch(self, answers: Sequence[Tensor]) -> Fetched:
        """Takes the answers as they are."""
        return list(answers), None

    def wait(self, fetched: Fetched) -> list[np.ndarray]:
        """Returns the answers."""
        return [tensor.numpy() for tensor in fetched[0]]


class CudaLane:
    """Chunks that go to a GPU, on a stream beside the one that computes, and answers that return.

    PyTorch keeps page-locked memory for the next chunks, and gives none of it away while a copy
    still reads it.

    Args:
        device: the GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._copying = device, torch.cuda.Stream(device)
        self._computing = torch.cuda.current_stream(device)

    def bring(self, frames: np.ndarray, size: int) -> Tensor:
        """Begins to copy a chunk of `size` frames, the missing ones black."""
        locked = torch.empty((size, *frames.shape[1:]), dtype=torch.uint8, pin_memory=True)
        locked[: len(frames)].copy_(torch.from_numpy(np.ascontiguousarray(frames)))
        locked[len(frames) :] = 0
        with torch.cuda.stream(self._copying):
            chunk = locked.to(self._device, non_blocking=True)
        self._computing.wait_stream(self._copying)
        chunk.record_stream(self._computing)  # or its memory might be used for the next one
        return chunk

    def fetch(self, answers: Sequence[Tensor]) -> Fetched:
        """Begins to copy answers back."""
        locked = [torch.empty(a.shape, dtype=a.dtype, pin_memory=True) for a in answers]
        for here, there in zip(locked, answers, strict=True):
            here.copy_(there, non_blocking=True)
        done = torch.cuda.Event()
        done.record(self._computing)
        return locked, done

    def wait(self, fetched: Fetched) -> list[np.ndarray]:
        """Returns answers when they are there."""
        answers, done = fetched
        assert done is not None
        done.synchronize()
        return [tensor.numpy() for tensor in answers]
