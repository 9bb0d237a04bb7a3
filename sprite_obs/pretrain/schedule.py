"""What changes from step to step: step size, noise, rounding, reach of the shifts."""

import math
from typing import NamedTuple

import numpy as np
import torch

from sprite_obs.config import TrainConfig

WARMUP = 50
LAST_STEP_SIZE = 0.01
EXPLORED = 0.6
"""Share of the steps with noise and re-assignment; the rest settles."""

SETTLING = 0.1
"""Factor of the dictionary's step size after re-assignment: copies need little correction."""
ASLEEP = 0.1
"""Share of the steps in which a scrolling background is only dreamt of."""
FIRST_LOOK = 50
"""Steps before the first re-assignment, in which the background settles."""


class StepPlan(NamedTuple):
    """How one step is done.

    Attributes:
        step_size: factor of all step sizes.
        straight_through: reconstruct from the rounded scene, with the soft one's gradient.
        gumbel: scale of the noise on the assignment.
        max_shift: largest shift in pixels.
        background: factor of the background's step size. A scrolling background waits until the
            encoder has dreamt for a while: until it finds offsets it would only blur the image.
        dictionary: factor of the dictionary's step size. While sprites are re-assigned the gradient
            leaves them alone: an encoder that does not find them yet would only blur them.
        reassign: whether unused sprites are given away before this step.
    """

    step_size: float
    straight_through: bool
    gumbel: float
    max_shift: int
    background: float
    dictionary: float
    reassign: bool


def plan_step(
    config: TrainConfig, step: int, first: int, total: int, max_shift: int, scrolls: bool
) -> StepPlan:
    """Plans a step.

    Args:
        config: all schedules.
        step: from 0.
        first: the first step that sees whole frames.
        total: number of steps.
        max_shift: of the model, in pixels.
        scrolls: whether the model's background does.
    """
    done = (step - first) / max(total - first, 1)
    every = config.straight_through_every
    reach = min(1.0, done / config.shift_warmup) if config.shift_warmup else 1.0
    return StepPlan(
        step_size=_step_size(config.schedule, step, total),
        straight_through=every > 0 and step % every == every - 1,
        gumbel=config.gumbel * max(0.0, 1 - done / EXPLORED),
        max_shift=round(reach * max_shift),
        background=0.0 if scrolls and config.dreams and done < ASLEEP else 1.0,
        dictionary=SETTLING * (done >= EXPLORED) if config.reassigns else 1.0,
        reassign=_reassigns(config, step - first, done),
    )


def _reassigns(config: TrainConfig, step: int, done: float) -> bool:
    """Once early, for random drawings are not worth keeping, and then every so many steps."""
    if not config.reassigns or not 0 < done < EXPLORED:
        return False
    return step == FIRST_LOOK or step % config.reassign_every == 0


def _step_size(schedule: str, step: int, total: int) -> float:
    """Raises the step sizes over the first steps, then lowers them along a half cosine."""
    if schedule == "constant":
        return 1.0
    half_cosine = (1 + math.cos(math.pi * step / total)) / 2
    return min(1.0, (step + 1) / WARMUP) * (LAST_STEP_SIZE + (1 - LAST_STEP_SIZE) * half_cosine)


def step_generator(seed: int, step: int) -> torch.Generator:
    """Returns the random numbers of a step, which depend on no step before it."""
    # PyTorch's generator looks at the lower 32 bits of its seed only, so both must be mixed.
    mixed = np.random.SeedSequence([seed, step]).generate_state(1)
    return torch.Generator().manual_seed(int(mixed[0]))
