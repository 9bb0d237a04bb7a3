"""The training loop: first what counting found, then whole frames, by gradient."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from sprite_obs.config import TrainConfig
from sprite_obs.errors import SpriteObsError
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.collapse import check_collapse
from sprite_obs.pretrain.parallel import agree, is_first_process, mean
from sprite_obs.pretrain.reassign import reassign
from sprite_obs.pretrain.schedule import StepPlan, plan_step, step_generator
from sprite_obs.pretrain.state import load_state, save_state
from sprite_obs.pretrain.step import Losses, StepData, TrainingData, draw_step

WEIGHT_DECAY = 0.01
LOOKED_AT = 64
"""Frames in which unused sprites and the signs of a collapse are looked for."""
CHECK_EVERY, GRACE = 500, 0.25
"""Steps between two looks for a collapse, and share of the steps before the first: from a random
start one sprite serves for much until others take over."""
Report = Callable[[int, dict[str, float]], None]


def make_optimizer(model: SpriteModel, config: TrainConfig) -> Optimizer:
    """AdamW with a step size of its own for the background (paper, section 3.6)."""
    parts = {
        "dictionary": list(model.dictionary.parameters()),
        "background": list(model.background.parameters()),
    }
    own = {id(parameter) for part in parts.values() for parameter in part}
    parts["rest"] = [parameter for parameter in model.parameters() if id(parameter) not in own]
    sizes = {"background": config.background_learning_rate}
    groups = [
        {"params": part, "name": name, "base_lr": sizes.get(name, config.learning_rate)}
        for name, part in parts.items()
        if part
    ]
    return AdamW(groups, lr=config.learning_rate, weight_decay=WEIGHT_DECAY)


class _Run(NamedTuple):
    """What all steps have in common; `module` is what Fabric made of the model's losses."""

    model: SpriteModel
    module: nn.Module
    optimizer: Optimizer
    data: TrainingData
    config: TrainConfig
    fabric: Fabric


def train(
    model: SpriteModel,
    data: TrainingData,
    config: TrainConfig,
    fabric: Fabric,
    folder: Path,
    seed: int,
    identity: dict[str, Any],
    resume: bool = False,
    report: Report | None = None,
) -> None:
    """Trains a model in place; writes a state to resume from now and then.

    Args:
        model: the model to train.
        data: frames, and windows for the teaching steps.
        config: steps, weights and step sizes.
        fabric: device, precision and processes.
        folder: where the state is kept.
        seed: of everything random.
        identity: what must be equal for a state to be continued.
        resume: continue from the state in `folder`.
        report: called with the step and the losses after each step.

    Raises:
        SpriteObsError: when the loss is no longer a number, or the dictionary has collapsed.
        CheckpointError: when there is no fitting state to resume from.
    """
    module, optimizer = fabric.setup(Losses(model, config), make_optimizer(model, config))
    run = _Run(model, module, optimizer, data, config, fabric)
    start = load_state(folder, model, optimizer, identity) if resume else 0
    first = config.teach_iterations if data.windows is not None else 0
    total = first + config.iterations
    scrolls = model.offset_network is not None
    model.train()
    for step in range(start, total):
        generator = step_generator(seed, step)
        plan = plan_step(config, step, first, total, model.max_shift, scrolls)
        if step == first:
            _show_counted(run)
        if plan.reassign:
            _reassign(run, generator)
        drawn = draw_step(data, config, generator, fabric.device, step >= first)
        figures = _descend(run, plan, drawn, step)
        if report:
            report(step + 1, figures)
        if _may_have_collapsed(config, step + 1 - first):
            check_collapse(model, _look_at(run, generator), config.max_active, step + 1)
        due = (step + 1) % config.checkpoint_every == 0 or step + 1 == total
        if due and is_first_process():
            save_state(folder, step + 1, model, optimizer, identity)
    model.eval()


def _show_counted(run: _Run) -> None:
    """Lets the dictionary show the counted sprites again: teaching has moved the codes."""
    if run.data.sprites is not None:
        run.model.dictionary.fit(run.data.sprites)
        agree(run.model.dictionary)


def _reassign(run: _Run, generator: torch.Generator) -> None:
    frames = _look_at(run, generator)
    rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    run.model.eval()
    reassign(run.model, frames, rng, run.config.max_active)
    run.model.train()
    agree(run.model.dictionary)


def _descend(run: _Run, plan: StepPlan, drawn: StepData, step: int) -> dict[str, float]:
    """Takes one step down the sum of the losses; returns these, as means over all processes."""
    losses = run.module(drawn, plan)
    figures = {name: mean(value) for name, value in losses.items()}
    if not math.isfinite(sum(figures.values())):
        raise SpriteObsError(
            f"the loss is no longer a number at step {step}: {figures}; lower train.learning_rate"
        )
    _set_step_sizes(run.optimizer, plan)
    run.optimizer.zero_grad()
    run.fabric.backward(torch.stack(list(losses.values())).sum())
    max_norm = run.config.max_gradient_norm
    if max_norm is not None:
        run.fabric.clip_gradients(run.module, run.optimizer, max_norm=max_norm)
    run.optimizer.step()
    return figures


def _set_step_sizes(optimizer: Optimizer, plan: StepPlan) -> None:
    for group in optimizer.param_groups:
        pace = {"dictionary": plan.dictionary, "background": plan.background}
        group["lr"] = group["base_lr"] * plan.step_size * pace.get(group["name"], 1.0)


def _may_have_collapsed(config: TrainConfig, done: int) -> bool:
    """Says whether to look for a collapse after so many steps on whole frames."""
    return done > GRACE * config.iterations and done % CHECK_EVERY == 0


def _look_at(run: _Run, generator: torch.Generator) -> Tensor:
    """Draws `(N, 3, H, W)` frames in [0, 1], the same in all processes."""
    frames = run.data.frames
    rows = torch.randint(len(frames), (LOOKED_AT,), generator=generator)
    return frames[rows.to(frames.device)].to(run.fabric.device).float() / 255
