"""Frames in chunks: each is answered as if it were alone, whatever comes with it."""

import numpy as np
import pytest
import torch

from sprite_obs.chunks import CUDA_CHUNK, answer_in_chunks

CPU = torch.device("cpu")
FRAMES = np.random.default_rng(0).integers(0, 256, (2 * CUDA_CHUNK + 5, 6, 4, 3), dtype=np.uint8)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


def sums_and_corners(chunk: torch.Tensor) -> list[torch.Tensor]:
    return [chunk.sum((1, 2, 3)), chunk[:, 0, 0]]


def check(frames: np.ndarray, device: torch.device, size: int | None) -> None:
    sums, corners = answer_in_chunks(sums_and_corners, frames, device, size)
    np.testing.assert_array_equal(sums, frames.sum((1, 2, 3)))
    np.testing.assert_array_equal(corners, frames[:, 0, 0])
    assert sums.dtype == np.int64 and corners.dtype == np.uint8


@pytest.mark.parametrize("size", [None, 1, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 17])
def test_all_frames_are_answered_in_order(count, size):
    check(FRAMES[:count], CPU, size)


@needs_cuda
@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("count", [0, 1, CUDA_CHUNK - 1, CUDA_CHUNK, 2 * CUDA_CHUNK + 5])
def test_all_frames_are_answered_in_order_by_a_gpu(count, size):
    check(FRAMES[:count], torch.device("cuda"), size)


@needs_cuda
def test_no_chunk_is_overwritten_before_it_was_computed():
    """The GPU is slower here than what brings it frames."""
    work = torch.rand(2048, 2048, device="cuda")

    def slowly(chunk: torch.Tensor) -> list[torch.Tensor]:
        for _ in range(20):
            work @ work
        return sums_and_corners(chunk)

    frames = np.tile(FRAMES, (2, 10, 10, 1))
    sums, _ = answer_in_chunks(slowly, frames, torch.device("cuda"), 4)
    np.testing.assert_array_equal(sums, frames.sum((1, 2, 3)))


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_every_chunk_has_the_same_size_and_the_rest_of_the_last_one_is_black(count):
    seen = []

    def look(chunk: torch.Tensor) -> list[torch.Tensor]:
        seen.append(chunk.clone())
        return [chunk]

    answer_in_chunks(look, FRAMES[:count], CPU, 4)
    assert [len(chunk) for chunk in seen] == [4] * max(-(-count // 4), 1)
    assert not torch.cat(seen)[count:].any()


def test_frames_may_lie_in_memory_in_any_order():
    check(FRAMES[::-2, :, ::-1], CPU, 3)
