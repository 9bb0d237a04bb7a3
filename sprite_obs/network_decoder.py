"""The network's answer: the scene that the model infers, rounded and read off as sprites."""

import numpy as np
import torch

from sprite_obs.detections import Row
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.model.scene import SpriteScene
from sprite_obs.model.sprite_model import SpriteModel

BATCH = 32
"""Frames encoded at once."""


class NetworkDecoder:
    """Turns frames into sprites by the model alone, without comparing pixels.

    Args:
        model: in evaluation mode.
        bank: the dictionary's drawings, for the size of what is visible.
        device: where the model runs.
    """

    def __init__(self, model: SpriteModel, bank: SpriteBank, device: torch.device) -> None:
        self.model = model.to(device)
        self.device = device
        self._sizes = bank.sizes
        self._corners = _visible_corners(self.model)
        self._canvas = model.dictionary.sprite_size
        self._stride = model.encoder.anchor_stride

    @torch.inference_mode()
    def infer(self, frames: np.ndarray, hard: bool = False) -> SpriteScene:
        """Infers the soft scene of `(B, H, W, 3)` uint8 frames; `hard` as in `SpriteModel`."""
        tensor = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device)
        return self.model(tensor.permute(0, 3, 1, 2).float() / 255, hard)

    def decode(self, frames: np.ndarray) -> list[Row]:
        """Finds the sprites of `(B, H, W, 3)` uint8 frames."""
        rows: list[Row] = []
        for start in range(0, len(frames), BATCH):
            rows += self._rows(self.infer(frames[start : start + BATCH], hard=True), start)
        return rows

    @torch.inference_mode()
    def render(self, frames: np.ndarray, max_active: int | None) -> np.ndarray:
        """Rebuilds frames without rounding, for natural images (paper, section 3.3).

        Args:
            frames: `(B, H, W, 3)` uint8; each takes tens of megabytes.
            max_active: as in `SpriteModel.reconstruct`.

        Returns:
            `(B, H, W, 3)` float32 in [0, 255].
        """
        rendered = self.model.reconstruct(self.infer(frames), max_active)  # (B, 3, H, W)
        return rendered.permute(0, 2, 3, 1).mul(255).cpu().numpy()

    @torch.inference_mode()
    def backgrounds(self, frames: np.ndarray) -> np.ndarray:
        """Returns what lies behind the sprites of frames, `(B, H, W, 3)` uint8."""
        parts = []
        for start in range(0, len(frames), BATCH):
            scene = self.infer(frames[start : start + BATCH]).harden()
            shown = self.model.behind(scene).permute(0, 2, 3, 1)  # (b, H, W, 3)
            parts.append(shown.mul(255).round().byte().cpu().numpy())
        return np.concatenate(parts)

    def _rows(self, scene: SpriteScene, first_frame: int) -> list[Row]:
        placed = scene.placed(self._stride)
        frame, layer, sprite, x, y, score = (part.cpu().numpy() for part in placed)
        corner = np.stack([x, y], -1) - self._canvas // 2 + self._corners[sprite]
        table = np.column_stack(
            [frame + first_frame, sprite + 1, layer, corner, self._sizes[sprite]]
        )
        return [(*row, score) for row, score in zip(table.tolist(), score.tolist(), strict=True)]


@torch.inference_mode()
def _visible_corners(model: SpriteModel) -> np.ndarray:
    """Returns `(K, 2)` int64, left and top of what is visible on each canvas that is rendered.

    The dictionary of the checkpoint is centred; a learned one need not be.
    """
    alpha = model.dictionary()[:, 3].mul(255).round().cpu().numpy()
    opaque = alpha >= 128  # (K, S, S), as in `from_canvases`
    return np.stack([opaque.any(1).argmax(1), opaque.any(2).argmax(1)], -1)
