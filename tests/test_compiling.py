"""The notice of the first start is logged once, when something is compiled and not before."""

import logging

import numba
import numpy as np

from sprite_obs.compiling import NOTICE, FirstCompilation
from sprite_obs.lookup.cut import touched_sides


def compiled_anew() -> None:
    """Compiles a function of the package in memory, whatever is on disk."""
    window = np.array([0, 0, 9, 9], np.int32)
    assert numba.njit(touched_sides.py_func)(0, 3, 4, 9, window) == 9


@numba.njit
def of_another_package(x):
    return x + 1


def test_the_first_compilation_is_told_once(caplog):
    caplog.set_level(logging.WARNING, "sprite_obs")
    listener = FirstCompilation(patience=0)
    with numba.core.event.install_listener("numba:compile", listener):
        of_another_package(1)
        assert not listener.is_told and NOTICE not in caplog.messages
        compiled_anew()
        assert listener.is_told and NOTICE in caplog.messages
        caplog.clear()
        compiled_anew()
    assert NOTICE not in caplog.messages


def test_little_is_compiled_without_a_word(caplog):
    caplog.set_level(logging.WARNING, "sprite_obs")
    listener = FirstCompilation(patience=600)
    with numba.core.event.install_listener("numba:compile", listener):
        compiled_anew()
        first = listener._spent
        compiled_anew()
    assert not listener.is_told and NOTICE not in caplog.messages
    assert 0 < first < listener._spent, "all of it counts"
    listener = FirstCompilation(patience=first / 1000)
    with numba.core.event.install_listener("numba:compile", listener):
        compiled_anew()
        compiled_anew()
    assert listener.is_told and NOTICE in caplog.messages


def test_what_is_on_disk_is_not_compiled():
    window = np.array([0, 0, 9, 9], np.int32)
    numba.njit(cache=True)(touched_sides.py_func)(0, 3, 4, 9, window)  # now it is
    from_disk, listener = numba.njit(cache=True)(touched_sides.py_func), FirstCompilation()
    with numba.core.event.install_listener("numba:compile", listener):
        assert from_disk(0, 3, 4, 9, window) == 9
    assert from_disk.stats.cache_hits and not listener.is_told
