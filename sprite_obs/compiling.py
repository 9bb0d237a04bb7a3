"""Tells the user why the first start after an installation takes so long."""

import logging
from functools import cache
from typing import Any

from numba.core import event

from sprite_obs.workers import is_worker

LOGGER = logging.getLogger("sprite_obs")
NOTICE = (
    "compiling what finds sprites, once after an installation: it takes one to three minutes, "
    "and later starts take seconds"
)


class FirstCompilation(event.Listener):
    """Logs a notice when the first function of the package is compiled, not loaded from disk."""

    def __init__(self) -> None:
        self.is_told = is_worker()  # in workers, the process that started them tells

    def on_start(self, event: Any) -> None:
        """Logs the notice, unless that was done or another package's function is compiled."""
        module = event.data["dispatcher"].py_func.__module__
        if not self.is_told and module.startswith("sprite_obs."):
            self.is_told = True
            LOGGER.warning(NOTICE)

    def on_end(self, event: Any) -> None:
        """Does nothing; listeners must have it."""


@cache
def tell_of_first_compilation() -> None:
    """Makes this process log a notice once when it has to compile; call it before it does."""
    event.register("numba:compile", FirstCompilation())
