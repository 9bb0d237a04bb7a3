"""The training loop: first what counting found, then whole frames, by gradient."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from sprite_obs.config import TrainConfig
from sprite_obs.errors import SpriteObsError
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.losses import prior_loss, reconstruction_loss, usage_loss
from sprite_obs.pretrain.state import load_state, save_state
from sprite_obs.pretrain.teach import WindowBatch, WindowSampler, teaching_loss

GRADIENT_NORM = 1.0
WEIGHT_DECAY = 0.01
WARMUP = 50
Report = Callable[[int, dict[str, float]], None]


class TrainingData(NamedTuple):
    """What the loop draws from.

    Attributes:
        frames: `(N, 3, H, W)` uint8.
        windows: distinct windows with labels; None without counting.
        sprites: `(K, 4, S, S)` in [0, 1], the counted sprites; None without counting.
    """

    frames: Tensor
    windows: WindowSampler | None = None
    sprites: Tensor | None = None


class Losses(nn.Module):
    """All losses of a step as one module, so that several processes can share the step."""

    def __init__(self, model: SpriteModel, config: TrainConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(
        self, frames: Tensor | None, windows: WindowBatch | None, straight_through: bool
    ) -> dict[str, Tensor]:
        """Returns the weighted losses by name; their sum is minimised.

        Args:
            frames: `(B, 3, H, W)` in [0, 1] to reconstruct, or None.
            windows: labelled windows to classify, or None.
            straight_through: reconstruct from the rounded scene, with the soft one's gradient.
        """
        losses: dict[str, Tensor] = {}
        if windows is not None:
            codes = self.model.dictionary.codes()
            logits = self.model.encoder.encode_windows(windows.pixels, codes)
            losses["teaching"] = teaching_loss(logits, windows)
        if frames is not None:
            losses |= self._frame_losses(frames, straight_through)
        return losses

    def _frame_losses(self, frames: Tensor, straight_through: bool) -> dict[str, Tensor]:
        scene = self.model(frames)
        shown = scene.straight_through() if straight_through else scene
        losses = {
            "reconstruction": reconstruction_loss(
                self.model.reconstruct(shown, self.config.max_active), frames
            ),
            "prior": self.config.beta_weight * prior_loss(scene),
        }
        if self.config.init == "random":
            losses["usage"] = self.config.usage_weight * usage_loss(scene)
        return losses


def make_optimizer(model: SpriteModel, config: TrainConfig) -> Optimizer:
    """AdamW with a step size of its own for the background (paper, section 3.6)."""
    background = list(model.background.parameters())
    own = {id(parameter) for parameter in background}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in own]
    groups = [{"params": rest, "base_lr": config.learning_rate}]
    if background:
        groups.append({"params": background, "base_lr": config.background_learning_rate})
    return AdamW(groups, lr=config.learning_rate, weight_decay=WEIGHT_DECAY)


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
        fabric: device and precision.
        folder: where the state is kept.
        seed: of the sampling.
        identity: what must be equal for a state to be continued.
        resume: continue from the state in `folder`.
        report: called with the step and the losses after each step.

    Raises:
        SpriteObsError: when the loss is no longer a number.
        CheckpointError: when there is no fitting state to resume from.
    """
    step_losses = Losses(model, config)
    module, optimizer = fabric.setup(step_losses, make_optimizer(model, config))
    generator = torch.Generator().manual_seed(seed)
    done = load_state(folder, model, optimizer, generator, identity) if resume else 0
    teaching = config.teach_iterations if data.windows is not None else 0
    total = teaching + config.iterations
    model.train()
    for step in range(done, total):
        if step == teaching and data.sprites is not None:
            model.dictionary.fit(data.sprites)  # teaching has moved the codes, and their drawings
        frames = _draw_frames(data, config, generator, fabric) if step >= teaching else None
        windows = data.windows.sample(config.teach_batch_size, generator) if data.windows else None
        _set_step_size(optimizer, step, total)
        losses = module(frames, windows, straight_through=step % 2 == 1)
        loss = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(loss):
            raise SpriteObsError(
                f"the loss became {loss.item()} at step {step}; lower train.learning_rate"
            )
        optimizer.zero_grad()
        fabric.backward(loss)
        fabric.clip_gradients(module, optimizer, max_norm=GRADIENT_NORM)
        optimizer.step()
        if report:
            report(step + 1, {name: value.item() for name, value in losses.items()})
        if (step + 1) % config.checkpoint_every == 0 or step + 1 == total:
            save_state(folder, step + 1, model, optimizer, generator, identity)
    model.eval()


def _draw_frames(
    data: TrainingData, config: TrainConfig, generator: torch.Generator, fabric: Fabric
) -> Tensor:
    rows = torch.randint(len(data.frames), (config.batch_size,), generator=generator)
    return data.frames[rows].to(fabric.device).float() / 255


def _set_step_size(optimizer: Optimizer, step: int, total: int) -> None:
    """Raises the step sizes over the first steps, then lowers them along a half cosine."""
    decay = 0.01 + 0.99 * (1 + math.cos(math.pi * step / total)) / 2
    factor = min(1.0, (step + 1) / WARMUP) * decay
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor
