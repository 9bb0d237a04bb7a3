"""One step: what it draws, and the losses it makes of that."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sprite_obs.config import TrainConfig
from sprite_obs.model.encoder import WindowEncoder
from sprite_obs.model.scene import SpriteScene
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.pretrain.dream import dream
from sprite_obs.pretrain.losses import (
    naming_loss,
    offset_loss,
    prior_loss,
    reconstruction_loss,
    usage_loss,
)
from sprite_obs.pretrain.parallel import share_of
from sprite_obs.pretrain.schedule import StepPlan
from sprite_obs.pretrain.teach import WindowBatch, WindowSampler


class TrainingData(NamedTuple):
    """What the steps draw from.

    Attributes:
        frames: `(N, 3, H, W)` uint8.
        windows: distinct windows with labels; None without counting.
        sprites: `(K, 4, S, S)` in [0, 1], the counted sprites; None without counting.
    """

    frames: Tensor
    windows: WindowSampler | None = None
    sprites: Tensor | None = None


class StepData(NamedTuple):
    """What one step learns from, in this process.

    Attributes:
        windows: labelled windows to name, or None.
        frames: `(B, 3, H, W)` in [0, 1] to reconstruct, or None.
        seeds: one per frame, of everything random about it.
    """

    windows: WindowBatch | None
    frames: Tensor | None
    seeds: list[int]


def draw_step(
    data: TrainingData,
    config: TrainConfig,
    generator: torch.Generator,
    device: torch.device,
    with_frames: bool,
) -> StepData:
    """Draws this process's part of a step's batches."""
    windows = data.windows.sample(config.teach_batch_size, generator) if data.windows else None
    seeds = share_of(torch.randint(2**62, (config.batch_size,), generator=generator).tolist())
    if not with_frames:
        return StepData(windows, None, seeds)
    rows = share_of(torch.randint(len(data.frames), (config.batch_size,), generator=generator))
    frames = data.frames[rows.to(data.frames.device)].to(device).float() / 255
    return StepData(windows, frames, seeds)


class Losses(nn.Module):
    """All losses of a step as one module, so that several processes can share the step."""

    def __init__(self, model: SpriteModel, config: TrainConfig) -> None:
        super().__init__()
        self.model: SpriteModel = model
        self.config = config

    def forward(self, data: StepData, plan: StepPlan) -> dict[str, Tensor]:
        """Returns the weighted losses by name; their sum is minimised."""
        losses: dict[str, Tensor] = {}
        if data.windows is not None:
            encoder = self.model.encoder
            assert isinstance(encoder, WindowEncoder)  # `check_config` sees to that
            logits = encoder.encode_windows(data.windows.pixels, self.model.dictionary.codes())
            losses["teaching"] = naming_loss(logits, data.windows.sprite, data.windows.shift)
        if data.frames is not None:
            losses |= self._frame_losses(data.frames, data.seeds, plan)
        return losses

    def _frame_losses(self, frames: Tensor, seeds: list[int], plan: StepPlan) -> dict[str, Tensor]:
        config = self.config
        logits = self.model.logits(frames).within(plan.max_shift)
        if plan.gumbel:
            logits = logits.with_gumbel_noise(plan.gumbel, seeds)
        scene = self.model.scene(logits)
        shown = scene.straight_through() if plan.straight_through else scene
        order = self._order(seeds).to(frames.device) if config.overlap == "random" else None
        losses = {
            "reconstruction": reconstruction_loss(
                self.model.reconstruct(shown, config.max_active, order), frames
            ),
            "prior": config.beta_weight * prior_loss(scene),
        }
        if config.init == "random":
            losses["usage"] = config.usage_weight * usage_loss(scene)
        if config.presence_weight:
            losses["presence"] = config.presence_weight * scene.presence.mean()
        if config.dreams:
            losses["dream"] = config.dream_weight * self._dream_loss(scene, seeds)
        return losses

    def _dream_loss(self, scene: SpriteScene, seeds: list[int]) -> Tensor:
        dreams = dream(self.model, scene, seeds)
        # The codes learn from real frames only: moving them would change the drawings.
        logits = self.model.logits(dreams.frames, fixed_codes=True)
        loss = naming_loss(logits, dreams.sprite, dreams.shift)
        return loss if logits.offset_x is None else loss + offset_loss(logits, dreams.offset)

    def _order(self, seeds: list[int]) -> Tensor:
        """Draws an order of each frame's overlapping neighbours: `(B, G)`."""
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        groups = self.model.num_groups
        return torch.stack([torch.randperm(groups, generator=g) for g in generators])
