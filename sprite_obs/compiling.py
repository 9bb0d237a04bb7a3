"""Tells the user why the first start after an installation takes so long."""

import logging
import time
from functools import cache
from typing import Any

from numba.core import event

from sprite_obs.workers import is_worker

LOGGER = logging.getLogger("sprite_obs")
NOTICE = (
    "compiling what finds sprites, once after an installation: it takes up to three minutes, and "
    "later starts take seconds"
)
PATIENCE = 2.0
"""Seconds of compiling before anything is said: a few functions that are used later take less."""


class FirstCompilation(event.Listener):
    """Logs a notice when functions of the package are compiled, not loaded from disk.

    Args:
        patience: seconds between the first function and the one at which the notice comes.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.is_told = is_worker()  # in workers, the process that started them tells
        self._patience = patience
        self._spent = 0.0
        self._depth, self._started = 0, 0.0  # a function that is called is compiled meanwhile

    def on_start(self, event: Any) -> None:
        """Logs the notice, unless that was done or little was compiled so far."""
        if not _is_ours(event):
            return
        if self._depth == 0:
            self._started = time.monotonic()
        self._depth += 1
        spent = self._spent + time.monotonic() - self._started
        if not self.is_told and spent >= self._patience:
            self.is_told = True
            LOGGER.warning(NOTICE)

    def on_end(self, event: Any) -> None:
        """Adds up how long it took."""
        if not _is_ours(event):
            return
        self._depth -= 1
        if self._depth == 0:
            self._spent += time.monotonic() - self._started


def _is_ours(event: Any) -> bool:
    module = event.data["dispatcher"].py_func.__module__  # None for what Numba makes up itself
    return (module or "").startswith("sprite_obs.")


@cache
def tell_of_first_compilation() -> None:
    """Makes this process log a notice once when it has to compile; call it before it does."""
    event.register("numba:compile", FirstCompilation())
