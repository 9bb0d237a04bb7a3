"""Discrete shifts: a probability for every whole-pixel offset, applied as two matrix products.

The paper (section 3.4) weighs every translation of a sprite by a softmax. Horizontal and vertical
probabilities are independent, so the weighted sum of all (2m + 1)^2 translations factors into one
banded matrix over rows and one over columns.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def shift_matrices(probabilities: Tensor, size: int) -> Tensor:
    """Builds the banded matrices that move `size` pixels onto `size + 2m` pixels.

    Entry (i, j) is the probability of the shift i - j - m. A shift of 0 puts the pixels in the
    middle of the larger canvas.

    Args:
        probabilities: `(N, 2m + 1)`, of the shifts -m..m in pixels.
        size: side of the canvas before the shift, in pixels.

    Returns:
        `(N, size + 2m, size)`; each column sums to what its probabilities sum to.
    """
    padded = F.pad(probabilities, (size - 1, size - 1))  # (N, 2m + 2 size - 1)
    return padded.unfold(-1, size, 1).flip(-1)  # (N, size + 2m, size)


def shift_sprites(sprites: Tensor, shift_x: Tensor, shift_y: Tensor) -> Tensor:
    """Moves sprites by soft or hard shifts onto canvases large enough that nothing is clipped.

    Args:
        sprites: `(N, channels, S, S)`, with premultiplied colour if they have an alpha channel.
        shift_x: `(N, 2m + 1)`, probabilities of the shifts -m..m in pixels, x to the right.
        shift_y: `(N, 2m + 1)`, the same downwards.

    Returns:
        `(N, channels, S + 2m, S + 2m)`: a sprite with shift 0 lies in the middle.
    """
    count, channels, size, _ = sprites.shape
    columns = shift_matrices(shift_x, size).mT  # (N, S, S + 2m)
    rows = shift_matrices(shift_y, size)  # (N, S + 2m, S)
    wide = columns.shape[-1]
    # Pixel rows go first so that both products are plain batched ones, without a copy in between.
    image = sprites.transpose(1, 2).reshape(count, size * channels, size)
    image = torch.bmm(image, columns)  # (N, S * channels, S + 2m)
    image = torch.bmm(rows, image.view(count, size, channels * wide))
    return image.view(count, wide, channels, wide).transpose(1, 2)
