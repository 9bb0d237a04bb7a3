"""PyramidEncoder: the paper's encoder, blocks of partial convolutions (section 3.2)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sprite_obs.model.anchor_encoder import AnchorEncoder, log_temperature
from sprite_obs.model.scene import SceneLogits

# GroupNorm over groups of at most this many features, fewer where their number does not divide.
GROUP_SIZE = 16

# No block has fewer channels: normalisation leaves little of groups of one or two.
MIN_WIDTH = 8


class PartialConv2d(nn.Module):
    """A convolution for which pixels beyond the border are missing, not black (Liu et al., 2018).

    A window that hangs over the border sees fewer pixels; its sum is divided by the share that it
    sees. What is missing always lies beyond the tensor's border: frames that no cell divides are
    not filled up, and there is an output for each begun `stride` pixels. Each output sees a pixel,
    so the mask for the next block is all of the output and needs no tensor of its own.

    Args:
        channels_in: channels of the images.
        channels_out: channels of the result.
        stride: distance of two windows in pixels.
        before: pixels by which the first window hangs over, less than `stride`.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, before: int) -> None:
        super().__init__()
        # 3 at the paper's stride of 2. Odd, so that a window has a middle; not below the stride,
        # or some pixels would be seen by no window. Of this size, a stack of blocks sees squares of
        # one pixel less than a sprite whatever its strides are.
        self.kernel_size = 2 * stride - 1
        self.stride, self.before = stride, before
        # No bias: the GroupNorm that follows has one.
        self.convolution = nn.Conv2d(
            channels_in, channels_out, self.kernel_size, stride, before, bias=False
        )

    def forward(self, images: Tensor) -> Tensor:
        """Convolves `(N, channels_in, H, W)` to `(N, channels_out, R, C)`, R = ceil(H / stride)."""
        height, width = images.shape[-2:]
        below, right = self._missing(height), self._missing(width)
        if below or right:
            images = F.pad(images, (0, right, 0, below))
        # In this order in memory a CPU convolves and normalises twice as fast.
        sums = self.convolution(images.contiguous(memory_format=torch.channels_last))
        # The pixels that a window sees are a rectangle: their share is a product of two shares.
        return sums * (self._ratios(height, sums)[:, None] * self._ratios(width, sums))

    def _missing(self, size: int) -> int:
        """Counts the pixels that the last window needs beyond the convolution's own padding."""
        last = (size - 1) // self.stride * self.stride - self.before
        return max(last + self.kernel_size - size - self.before, 0)

    def _ratios(self, size: int, like: Tensor) -> Tensor:
        """Returns kernel size over pixels seen, of each window along one direction."""
        first = torch.arange(0, size, self.stride, device=like.device) - self.before
        seen = (first + self.kernel_size).clamp(max=size) - first.clamp(min=0)
        return (self.kernel_size / seen).to(like.dtype)


def block_strides(factor: int) -> list[int]:
    """Splits a factor into halvings and an odd rest, the strides of downsampling blocks.

    Args:
        factor: half of a sprite's side; 16 gives the paper's 2, 2, 2, 2 and 24 gives 2, 2, 2, 3.
    """
    halvings = (factor & -factor).bit_length() - 1
    rest = factor >> halvings
    return [2] * halvings + [rest] * (rest > 1 or not halvings)


def downsampling(channels_in: int, width: int, factor: int, channels_out: int) -> nn.Sequential:
    """Builds the blocks that encoder and shift network have in common (sections 3.2 and 3.4).

    A block is a partial convolution, GroupNorm and LeakyReLU. The convolutions' result at (r, c)
    sees a square of `2 * factor - 1` pixels around pixel (r, c) * factor + factor // 2, the middle
    of the cell (r, c).

    Args:
        channels_in: channels of the images.
        width: most channels between blocks; the first block has a quarter, each next one doubles.
        factor: product of the strides.
        channels_out: channels of the result.
    """
    strides = block_strides(factor)
    between = [max(min(width * 2**i // 4, width), MIN_WIDTH) for i in range(len(strides) - 1)]
    channels = [channels_in, *between, channels_out]
    blocks: list[nn.Module] = []
    for i, stride in enumerate(strides):
        # Two pixels have no middle. A halving whose windows hang over takes the first of them, one
        # whose windows do not the second; the last halving's half makes up for all the others.
        last_halving = stride == 2 and 2 not in strides[i + 1 :]
        before = 0 if last_halving else stride // 2
        blocks += [
            PartialConv2d(channels[i], channels[i + 1], stride, before),
            group_norm(channels[i + 1]),
            nn.LeakyReLU(inplace=True),
        ]
    return nn.Sequential(*blocks)


def group_norm(features: int) -> nn.GroupNorm:
    """Normalises groups of up to `GROUP_SIZE` features."""
    return nn.GroupNorm(features // math.gcd(features, GROUP_SIZE), features)


def mlp(features_in: int, hidden: int, features_out: int) -> nn.Sequential:
    """Builds one hidden layer with GroupNorm and LeakyReLU, for rows `(N, features_in)`."""
    return nn.Sequential(
        nn.Linear(features_in, hidden),
        group_norm(hidden),
        nn.LeakyReLU(inplace=True),
        nn.Linear(hidden, features_out),
    )


class PyramidEncoder(AnchorEncoder):
    """Reads sprites off a frame as the paper does, with anchors every half sprite (section 3.2).

    Its normalisation takes in the whole frame, so unlike in `WindowEncoder` every pixel has some
    influence on all anchors. Cell (r, c) covers the pixels from (r, c) * stride on; its centre is
    the anchor.

    Args:
        num_layers: L, depth layers.
        sprite_size: S, side of a sprite in pixels, even; anchors are S // 2 apart.
        max_shift: m, largest shift in pixels; None leaves the shifts to another network.
        code_dim: d, length of the latent codes, a multiple of 8.
        width: channels of the features of one layer.
        normalize_codes: whether anchors' codes are layer-normalised like the dictionary's.
        learned_temperature: whether the scores of Eq. 1 have a learned scale; without, it is 1.
    """

    def __init__(
        self,
        num_layers: int,
        sprite_size: int,
        max_shift: int | None,
        code_dim: int,
        width: int,
        normalize_codes: bool = True,
        learned_temperature: bool = True,
    ) -> None:
        super().__init__(num_layers, sprite_size // 2, max_shift, normalize_codes)
        self.features = downsampling(3, width, self.anchor_stride, num_layers * width)
        self.norm = nn.LayerNorm(width)
        self.presence = mlp(width, code_dim, 1)
        self.anchor = nn.Linear(width, code_dim)
        self.shifts = mlp(width, code_dim, 2 * self.num_shifts) if self.num_shifts else None
        self.log_scale = log_temperature(learned_temperature)

    def forward(self, frames: Tensor, codes: Tensor) -> SceneLogits:
        """Scores every anchor of whole frames.

        Args:
            frames: `(B, 3, H, W)` in [0, 1].
            codes: `(K, d)`, the dictionary's latent codes, normalised if `normalize_codes`.

        Returns:
            Scores on the grid of R = ceil(H / stride) by C = ceil(W / stride) anchors; the shifts'
            last dimension is 0 without `max_shift`.
        """
        features = self.features(frames).unflatten(1, (self.num_layers, -1)).movedim(2, -1)
        grid = features.shape[:-1]  # (B, L, R, C)
        rows = self.norm(features.flatten(0, -2))  # (B * L * R * C, width)
        shifts = self.shifts(rows) if self.shifts else rows[:, :0]
        shift_x, shift_y = shifts.unflatten(0, grid).tensor_split(2, -1)
        return SceneLogits(
            presence=self.presence(rows).view(grid),
            assignment=self.compare(self.anchor(rows), codes).unflatten(0, grid),
            shift_x=shift_x,
            shift_y=shift_y,
        )
