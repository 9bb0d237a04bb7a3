import ctypes
import sys

import numpy as np
import pytest
from homebrew_game import write_game

from sprite_obs.envs.nes.console import Console

START = 16


def fill_free_memory(byte: int) -> None:
    """Leaves blocks that hold a byte to whoever asks for memory next."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    sizes = [*range(16, 2000, 16)] * 20 + [*range(2000, 120_000, 512)] * 3
    blocks = [libc.malloc(size) for size in sizes]
    for block, size in zip(blocks, sizes, strict=True):
        ctypes.memset(block, byte, size)
    for block in blocks:
        libc.free(block)


@pytest.mark.skipif(sys.platform != "linux", reason="fills memory through the C library")
def test_what_memory_held_before_does_not_matter(tmp_path):
    rom = str(write_game(tmp_path).with_suffix(".nes"))
    seen = []
    for byte in (0, 255):
        fill_free_memory(byte)
        console = Console(rom)
        frames = []
        for frame in range(60):
            console.play(START if 30 < frame < 40 else 0)
            frames.append(console.frame)
        seen.append(np.stack(frames))
    np.testing.assert_array_equal(*seen)
    assert seen[0].any()
