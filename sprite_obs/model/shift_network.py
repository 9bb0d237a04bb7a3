"""CropShiftNetwork: each anchor's shift from a crop and its sprite (paper, section 3.4)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sprite_obs.model.pyramid import downsampling, mlp


class CropShiftNetwork(nn.Module):
    """Reads shifts off the crop of the frame around an anchor and the sprite that it shows.

    The two are stacked on channels, the blocks of the encoder bring them down to 2 x 2 positions,
    and a hidden layer of `code_dim` features sees all four. It runs once per anchor, whatever
    anchors it is given.

    Args:
        sprite_size: S, side of sprites and crops in pixels, even.
        max_shift: m, largest shift in pixels (paper: S / 2).
        code_dim: d, size of the hidden layer, a multiple of 8.
        width: channels of the last blocks.
    """

    def __init__(self, sprite_size: int, max_shift: int, code_dim: int, width: int) -> None:
        super().__init__()
        self.sprite_size, self.max_shift = sprite_size, max_shift
        self.features = downsampling(7, width, sprite_size // 2, width)
        self.shifts = mlp(4 * width, code_dim, 2 * (2 * max_shift + 1))

    def forward(
        self,
        frames: Tensor,
        drawings: Tensor,
        frame: Tensor,
        row: Tensor,
        column: Tensor,
        anchor_stride: int,
    ) -> tuple[Tensor, Tensor]:
        """Scores the shifts of any N anchors.

        Args:
            frames: `(B, 3, H, W)` in [0, 1].
            drawings: `(N, 4, S, S)` in [0, 1], what each anchor shows (Eq. 2), with premultiplied
                colour, soft or hard.
            frame: `(N,)` int64, which frame the anchor belongs to.
            row: `(N,)` int64, row of its cell.
            column: `(N,)` int64, column of its cell.
            anchor_stride: distance of two anchors in pixels.

        Returns:
            `(N, 2m + 1)` scores of the shifts -m..m in pixels, to the right and downwards.
        """
        crops = crops_around_anchors(frames, frame, row, column, self.sprite_size, anchor_stride)
        features = self.features(torch.cat([crops, drawings], 1))  # (N, width, 2, 2)
        shift_x, shift_y = self.shifts(features.flatten(1)).chunk(2, -1)
        return shift_x, shift_y


def crops_around_anchors(
    frames: Tensor, frame: Tensor, row: Tensor, column: Tensor, size: int, anchor_stride: int
) -> Tensor:
    """Cuts out squares centred on anchors: where sprites without a shift are composited.

    Args:
        frames: `(B, 3, H, W)`.
        frame: `(N,)` int64.
        row: `(N,)` int64, of ceil(H / stride) rows of cells.
        column: `(N,)` int64, of ceil(W / stride) columns.
        size: S, side of a square in pixels, even.
        anchor_stride: distance of two anchors in pixels.

    Returns:
        `(N, 3, S, S)`, zero outside of the frame.
    """
    height, width = frames.shape[-2:]
    before = size // 2 - anchor_stride // 2
    below, right = (
        (side - 1) // anchor_stride * anchor_stride + size - before - side
        for side in (height, width)
    )
    padded = F.pad(frames, (before, right, before, below))  # cuts off what is negative
    squares = padded.unfold(2, size, anchor_stride).unfold(3, size, anchor_stride)
    return squares.permute(0, 2, 3, 1, 4, 5)[frame, row, column]  # of views (B, R, C, 3, S, S)
