"""The network's answer: the scene that the model infers, rounded and read off as sprites."""

from functools import cached_property

import numpy as np
import torch

from sprite_obs.chunks import answer_in_chunks
from sprite_obs.lookup.bank import SpriteBank
from sprite_obs.model.encoder import WindowEncoder
from sprite_obs.model.scene import LikeliestSprites, SpriteScene
from sprite_obs.model.sprite_model import SpriteModel
from sprite_obs.precision import full_precision

PROPOSED = 3
"""Sprites proposed at an anchor and layer, and shifts in each direction."""


class NetworkDecoder:
    """Turns frames into sprites by the model alone, without comparing pixels.

    Args:
        model: in evaluation mode.
        bank: the dictionary's drawings, for the size of what is visible.
        device: where the model runs.

    Attributes:
        stride: distance of two anchors in pixels.
    """

    def __init__(self, model: SpriteModel, bank: SpriteBank, device: torch.device) -> None:
        self.model = model.to(device)
        self.device = device
        self._sizes = bank.sizes
        self._corners = _visible_corners(self.model)
        self._canvas = model.dictionary.sprite_size
        self.stride = model.encoder.anchor_stride

    @torch.inference_mode()
    def infer(self, frames: np.ndarray) -> SpriteScene:
        """Infers the soft scene of `(B, H, W, 3)` uint8 frames."""
        with full_precision(self.device.type):
            tensor = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device)
            return self._infer(tensor)

    @torch.inference_mode()
    def decode(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds the sprites of frames, in each the same as if it were alone.

        Args:
            frames: `(B, H, W, 3)` uint8.

        Returns:
            `(N, 7)` int32, frame, sprite id, layer, left, top, width and height, and the scores
            `(N,)` float32 of the sprites.
        """
        with full_precision(self.device.type):
            answers = answer_in_chunks(self._likeliest, frames, self.device)
        return self._table(LikeliestSprites(*map(torch.from_numpy, answers)))

    @torch.inference_mode()
    def render(self, frames: np.ndarray, max_active: int | None) -> np.ndarray:
        """Rebuilds frames without rounding, for natural images (paper, section 3.3).

        Args:
            frames: `(B, H, W, 3)` uint8; each takes tens of megabytes.
            max_active: as in `SpriteModel.reconstruct`.

        Returns:
            `(B, H, W, 3)` float32 in [0, 255].
        """
        scene = self.infer(frames)
        with full_precision(self.device.type):
            rendered = self.model.reconstruct(scene, max_active)  # (B, 3, H, W)
        return rendered.permute(0, 2, 3, 1).mul(255).cpu().numpy()

    @torch.inference_mode()
    def backgrounds(self, frames: np.ndarray) -> np.ndarray:
        """Returns what lies behind the sprites of frames, `(B, H, W, 3)` uint8."""
        with full_precision(self.device.type):
            return answer_in_chunks(self._behind, frames, self.device)[0]

    @torch.inference_mode()
    def propose(self, pixels: np.ndarray) -> np.ndarray:
        """Names what the anchors of a part of a frame may show, where they show a sprite at all.

        Each anchor and layer proposes its three likeliest sprites at its three likeliest shifts in
        each direction. The model's encoder must be a `WindowEncoder` that gives the shifts.

        Args:
            pixels: `(h, w, 3)` float32 in [0, 1], whole cells of the grid of anchors; the outermost
                ones are surroundings and propose nothing.

        Returns:
            `(N, 3)` int64, index of the sprite, left and top of its drawing in `pixels`, the
            likeliest first.
        """
        encoder, stride = self.model.encoder, self.stride
        assert isinstance(encoder, WindowEncoder)
        part = torch.from_numpy(pixels).to(self.device).permute(2, 0, 1)[None]
        with full_precision(self.device.type):
            logits = encoder.encode_windows(part, self._codes)
            scene = SpriteScene.from_logits(logits, part)
        present = scene.presence >= 0.5  # (1, L, R, C)
        _, _, row, column = (axis.cpu().numpy() for axis in present.nonzero(as_tuple=True))
        sprite, likely = _likeliest(scene.assignment[present])  # (N, k)
        shift_x, likely_x = _likeliest(scene.shift_x[present])
        shift_y, likely_y = _likeliest(scene.shift_y[present])
        centre = stride + stride // 2 - scene.shift_x.shape[-1] // 2 - self._canvas // 2
        x = (column * stride + centre)[:, None] + shift_x
        y = (row * stride + centre)[:, None] + shift_y
        likelihood = scene.presence[present].cpu().numpy()[:, None, None, None] * (
            likely[:, :, None, None] * likely_x[:, None, :, None] * likely_y[:, None, None, :]
        )  # (N, k, k, k)
        left = self._corners[sprite, 0][:, :, None, None] + x[:, None, :, None]
        top = self._corners[sprite, 1][:, :, None, None] + y[:, None, None, :]
        columns = np.broadcast_arrays(sprite[:, :, None, None], left, top)
        proposals = np.stack([column.ravel() for column in columns], 1).astype(np.int64)
        return proposals[np.argsort(-likelihood.ravel(), kind="stable")]

    @cached_property
    def _codes(self) -> torch.Tensor:
        return self.model.dictionary.codes().detach()

    def _infer(self, chunk: torch.Tensor, hard: bool = False) -> SpriteScene:
        return self.model(chunk.permute(0, 3, 1, 2).float() / 255, hard)

    def _likeliest(self, chunk: torch.Tensor) -> LikeliestSprites:
        likeliest = self._infer(chunk, hard=True).likeliest()
        # Whole numbers in half of the bytes, to be copied and joined.
        return LikeliestSprites(likeliest.presence, *(part.int() for part in likeliest[1:]))

    def _behind(self, chunk: torch.Tensor) -> list[torch.Tensor]:
        shown = self.model.behind(self._infer(chunk).harden()).permute(0, 2, 3, 1)  # (b, H, W, 3)
        return [shown.mul(255).round().byte()]

    def _table(self, likeliest: LikeliestSprites) -> tuple[np.ndarray, np.ndarray]:
        placed = likeliest.placed(self.stride)
        frame, layer, sprite, x, y, score = (part.numpy() for part in placed)
        corner = np.stack([x, y], -1) - self._canvas // 2 + self._corners[sprite]
        table = np.column_stack([frame, sprite + 1, layer, corner, self._sizes[sprite]])
        return table.astype(np.int32), score


@torch.inference_mode()
def _visible_corners(model: SpriteModel) -> np.ndarray:
    """Returns `(K, 2)` int64, left and top of what is visible on each canvas that is rendered.

    The dictionary of the checkpoint is centred; a learned one need not be.
    """
    alpha = model.dictionary()[:, 3].mul(255).round().cpu().numpy()
    opaque = alpha >= 128  # (K, S, S), as in `from_canvases`
    return np.stack([opaque.any(1).argmax(1), opaque.any(2).argmax(1)], -1)


def _likeliest(weights: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Returns `(N, k)` indices and weights of the largest of `(N, ...)` weights."""
    best = weights.topk(min(PROPOSED, weights.shape[-1]))
    return best.indices.cpu().numpy(), best.values.cpu().numpy()
