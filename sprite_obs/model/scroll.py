"""A background larger than the frame, and where in it a frame lies (paper, section 3.5)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sprite_obs.model.background import ImageBackground
from sprite_obs.model.pyramid import downsampling, mlp
from sprite_obs.model.shift import shift_matrices

# The last features of `OffsetNetwork` have at most this many rows and columns.
MAX_GRID = 8

# `stitch` looks at places where at least this share of a frame's pixels is known, ...
MIN_KNOWN = 0.5
# ... and adds at once all frames with a mean squared difference up to LEEWAY * least + TOLERANCE.
# Of places that fit equally well, those with more known pixels win by up to one TOLERANCE.
LEEWAY, TOLERANCE = 1.5, 1e-4


class ScrollBackground(nn.Module):
    """A learned image of which each frame shows a part, cut out at a whole-pixel offset.

    Args:
        frame_size: (H, W) in pixels.
        reach: (Y, X), pixels by which the image is higher and wider; 0 where nothing scrolls.
        image: `(3, H + Y, W + X)` in [0, 1] to start from, reproduced exactly; None for grey.

    Raises:
        ValueError: when `image` has another shape.
    """

    def __init__(
        self, frame_size: tuple[int, int], reach: tuple[int, int], image: Tensor | None = None
    ) -> None:
        super().__init__()
        self.frame_size, self.reach = frame_size, reach
        size = frame_size[0] + reach[0], frame_size[1] + reach[1]
        self.whole = ImageBackground(size, image)

    def forward(self, offset_x: Tensor, offset_y: Tensor) -> Tensor:
        """Cuts out frames by soft or hard offsets.

        Args:
            offset_x: `(B, X + 1)`, probabilities of the image's column at the frame's left edge.
            offset_y: `(B, Y + 1)`, probabilities of its row at the frame's upper edge.

        Returns:
            `(B, 3, H, W)` in [0, 1].
        """
        height, width = self.frame_size
        # What moves a frame onto the whole image cuts the frame out of it when transposed.
        rows = shift_matrices(offset_y, height).mT  # (B, H, H + Y)
        columns = shift_matrices(offset_x, width)  # (B, W + X, W)
        image = self.whole().transpose(0, 1).flatten(0, 1)  # (3 (H + Y), W + X)
        # Columns first: images that scroll sideways are more frequent, and then this is less work.
        cut = (image @ columns).unflatten(1, (-1, 3))  # (B, H + Y, 3, W)
        cut = rows @ cut.flatten(2)  # (B, H, 3 W)
        return cut.unflatten(2, (3, width)).transpose(1, 2)


class OffsetNetwork(nn.Module):
    """Recognises where in a larger image a frame lies.

    Blocks of the encoder's kind bring the frame down to a grid of at most 8 x 8 positions; a hidden
    layer sees all of them, each with weights of its own.

    Args:
        frame_size: (H, W) in pixels.
        reach: (Y, X), largest offsets in pixels.
        width: channels of the last blocks.
    """

    def __init__(self, frame_size: tuple[int, int], reach: tuple[int, int], width: int) -> None:
        super().__init__()
        factor = 2 ** max(math.ceil(math.log2(max(frame_size) / MAX_GRID)), 1)
        positions = math.prod(math.ceil(side / factor) for side in frame_size)
        self.classes = [reach[1] + 1, reach[0] + 1]
        self.features = downsampling(3, width, factor, width)
        self.offsets = mlp(positions * width, 2 * width, sum(self.classes))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Scores the offsets of frames.

        Args:
            frames: `(B, 3, H, W)` in [0, 1].

        Returns:
            `(B, X + 1)` and `(B, Y + 1)`: scores of the offsets from 0 to X and from 0 to Y pixels.
        """
        scores = self.offsets(self.features(frames).flatten(1))
        offset_x, offset_y = scores.split(self.classes, -1)
        return offset_x, offset_y


def mean_image(frames: Tensor, reach: tuple[int, int]) -> Tensor:
    """Guesses a scrolling background: the mean frame in the middle, continued at its border.

    With all offsets equally frequent this is the background, blurred by `reach`, at its true place.

    Args:
        frames: `(N, 3, H, W)` in [0, 1], at many offsets.
        reach: (Y, X) in pixels.

    Returns:
        `(3, H + Y, W + X)` in [0, 1].
    """
    top, left = reach[0] // 2, reach[1] // 2
    around = (left, reach[1] - left, top, reach[0] - top)
    return F.pad(frames.mean(0, keepdim=True), around, mode="replicate")[0]


@torch.no_grad()
def stitch(frames: Tensor, reach: tuple[int, int]) -> Tensor:
    """Puts a scrolling background together from frames that overlap, without any training.

    Starts with the first frame and goes on with those that fit best to what is there. Sprites do
    no harm while they cover little of a frame. Takes about 80 N bytes of memory per pixel of
    `(H + 2 Y, W + 2 X)`.

    Args:
        frames: `(N, 3, H, W)` in [0, 1], in any order; neighbours share half of their pixels.
        reach: (Y, X) in pixels.

    Returns:
        `(3, H + Y, W + X)` in [0, 1]: what was seen in the middle, the mean colour around it.
    """
    # The first frame may belong to any end of the image, so there is room on each side of it.
    height, width = (side + 2 * most for side, most in zip(frames.shape[-2:], reach, strict=True))
    total = frames.new_zeros(4, height, width)  # sums of colours and their number
    _add(total, frames[0], reach)
    waiting = frames[1:]
    while len(waiting):
        error, places = _best_places(waiting, total)
        fits = error <= LEEWAY * error.min().clamp(min=0) + TOLERANCE
        for frame, place in zip(waiting[fits], places[fits].tolist(), strict=True):
            _add(total, frame, place)
        waiting = waiting[~fits]
    return _seen_part(total, reach)


def _add(total: Tensor, frame: Tensor, place: Sequence[int]) -> None:
    window = total[:, place[0] :, place[1] :][:, : frame.shape[1], : frame.shape[2]]
    window += F.pad(frame, (0, 0, 0, 0, 0, 1), value=1.0)


def _best_places(frames: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
    """Finds where frames differ least from what is known: errors `(N,)`, places `(N, 2)` (y, x)."""
    known = (total[3:] > 0).to(total.dtype)
    image = total[:3] / total[3:].clamp(min=1)
    ones = torch.ones_like(frames[:, :1])
    # (f - i)^2 over the known pixels is f^2 - 2 f i + i^2, three correlations in one.
    parts = torch.cat([frames.square().sum(1, keepdim=True), -2 * frames, ones], 1)
    error = _correlate(parts, torch.cat([known, image, image.square().sum(0, keepdim=True)]))
    share = _correlate(ones[:1], known) / ones[0].numel()  # (1, 2Y + 1, 2X + 1)
    error = error / (frames[0].numel() * share.clamp(min=MIN_KNOWN)) - TOLERANCE * share
    least, index = error.where(share >= MIN_KNOWN, torch.inf).flatten(1).min(1)
    return least, torch.stack([index // error.shape[2], index % error.shape[2]], 1)


def _correlate(parts: Tensor, image: Tensor) -> Tensor:
    """Sums products of `(N, c, h, w)` with all windows of `(c, H, W)`: `(N, H - h + 1, ...)`."""
    size = image.shape[-2:]
    spectra = torch.fft.rfft2(parts, s=size).conj() * torch.fft.rfft2(image)
    sums = torch.fft.irfft2(spectra.sum(1), s=size)
    return sums[:, : size[0] - parts.shape[2] + 1, : size[1] - parts.shape[3] + 1]


def _seen_part(total: Tensor, reach: tuple[int, int]) -> Tensor:
    seen = total[3] > 0
    image = total[:3] / total[3].clamp(min=1)
    image = torch.where(seen, image, image[:, seen].mean(1)[:, None, None])
    for dim, most in enumerate(reach):
        along = seen.any(1 - dim)
        places, length = along.nonzero(), len(along) - most
        first = (int(places[0] + places[-1]) + 1 - length) // 2
        image = image.narrow(dim + 1, max(min(first, most), 0), length)
    return image
