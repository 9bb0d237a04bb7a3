"""Placing sprites and blending layers; functions, no parameters (paper, section 3.5).

The paper draws a random order where sprites of one layer overlap, as `order` does here. Without it
their colours are averaged by alpha and their transparencies multiplied, which needs no order: it is
exact where sprites do not overlap, and the same scene always gives the same image. Only the anchors
that show something are worth rendering, so each frame renders those of largest presence.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from sprite_obs.model.scene import SpriteScene
from sprite_obs.model.shift import shift_sprites

# Below this sum of alphas an average colour is not worth a division: opacity equals the sum.
SMALL_ALPHA = 1e-6


class _Active(NamedTuple):
    """The N anchors that are rendered, as rows: canvas index (b * L + l), cell and content."""

    canvas: Tensor  # (N,)
    row: Tensor  # (N,)
    column: Tensor  # (N,)
    presence: Tensor  # (N,)
    assignment: Tensor  # (N, K)
    shift_x: Tensor  # (N, 2m + 1)
    shift_y: Tensor  # (N, 2m + 1)


def composite(
    sprites: Tensor,
    scene: SpriteScene,
    anchor_stride: int,
    max_active: int | None = None,
    order: Tensor | None = None,
) -> Tensor:
    """Renders a scene: places its sprites on their layers and blends these back to front.

    A sprite's canvas has its centre (S/2, S/2) at anchor + shift, anchors being the centres of
    cells: its left edge is at `column * stride + stride / 2 + shift_x - S / 2`. Parts outside of
    the frame are cropped. Presence multiplies a sprite's alpha once. Sprites and shifts are mixed
    in premultiplied colour, so transparent pixels lend no colour.

    Args:
        sprites: `(K, 4, S, S)` in [0, 1], RGB (not premultiplied) and alpha; S is even.
        scene: soft or hard scene of B frames; the background gives the frame's size.
        anchor_stride: distance of two anchors in pixels, even and at most 2m.
        max_active: anchors rendered per frame, those of largest presence over all layers (of equals
            the first); the rest counts as inactive. None renders all.
        order: `(B, G)` int64, a permutation per frame of the G = `num_groups` groups of anchors
            that cannot overlap; sprites of later groups lie over those of earlier ones. None
            averages.

    Returns:
        `(B, 3, H, W)` in [0, 1].
    """
    active = _select_active(scene, max_active)
    drawings = _render(sprites, active)  # (N, 4, S + 2m, S + 2m)
    canvases = scene.presence.shape[1]
    if order is not None:
        active = _ordered(active, order, canvases, -(-drawings.shape[-1] // anchor_stride))
        canvases *= order.shape[1]
    premultiplied, log_transmittance = _accumulate(drawings, active, scene, anchor_stride, canvases)
    return _blend(premultiplied, log_transmittance, scene.background)


def num_groups(sprite_size: int, max_shift: int, anchor_stride: int) -> int:
    """Returns into how many groups anchors must be split so that no two of one group overlap."""
    return (-(-(sprite_size + 2 * max_shift) // anchor_stride)) ** 2


def _ordered(active: _Active, order: Tensor, layers: int, span: int) -> _Active:
    """Gives each group of anchors a canvas of its own, at its place in the order."""
    group = active.row % span * span + active.column % span  # (N,)
    frame = active.canvas // layers
    return active._replace(canvas=active.canvas * order.shape[1] + order[frame, group])


def _select_active(scene: SpriteScene, max_active: int | None) -> _Active:
    batch, layers, rows, columns = scene.presence.shape
    cells = rows * columns
    per_frame = scene.presence.detach().flatten(1)  # (B, L * R * C)
    # Sorted stably rather than by topk, which leaves the choice among equals open.
    order = per_frame.argsort(dim=-1, descending=True, stable=True)[:, :max_active]
    first = torch.arange(batch, device=order.device)[:, None] * (layers * cells)
    flat = (order + first).flatten()  # (N,)
    return _Active(
        canvas=flat // cells,
        row=flat % cells // columns,
        column=flat % columns,
        presence=scene.presence.flatten()[flat],
        assignment=scene.assignment.flatten(0, 3).index_select(0, flat),
        shift_x=scene.shift_x.flatten(0, 3).index_select(0, flat),
        shift_y=scene.shift_y.flatten(0, 3).index_select(0, flat),
    )


def _render(sprites: Tensor, active: _Active) -> Tensor:
    """Draws each active anchor's mixture of shifted sprites, in premultiplied colour."""
    alpha = sprites[:, 3:]
    premultiplied = torch.cat([sprites[:, :3] * alpha, alpha], 1)  # (K, 4, S, S)
    # Pixel rows before channels is the order in memory that shifting wants.
    by_row = premultiplied.transpose(1, 2)  # (K, S, 4, S)
    weights = active.assignment * active.presence[:, None]
    mixed = (weights @ by_row.flatten(1)).unflatten(1, by_row.shape[1:])  # (N, S, 4, S)
    return shift_sprites(mixed.transpose(1, 2), active.shift_x, active.shift_y)


def _accumulate(
    drawings: Tensor, active: _Active, scene: SpriteScene, stride: int, canvases: int
) -> tuple[Tensor, Tensor]:
    """Adds drawings up per canvas: premultiplied (B, n, 4, H, W) and log(1 - a) (B, n, 1, H, W)."""
    batch, _, rows, columns = scene.presence.shape
    height, width = scene.background.shape[-2:]
    # With the canvas's origin at the first anchor's drawing, all drawings start at multiples of the
    # stride. That origin lies this far outside of the frame:
    margin = drawings.shape[-1] // 2 - stride // 2

    def on_canvases(images: Tensor) -> Tensor:
        sums = _overlap_add(images, active, (batch * canvases, rows, columns), stride)
        sums = sums[..., margin : margin + height, margin : margin + width]
        return sums.unflatten(0, (batch, canvases))

    return on_canvases(drawings), on_canvases(_log_transmittance(drawings[:, 3:]))


def _log_transmittance(alpha: Tensor) -> Tensor:
    # Opaque pixels get a transmittance of one rounding error, as log(0) has no gradient. The clamp
    # keeps the gradient, or opaque sprites could never fade.
    below_one = alpha + (alpha.clamp(max=1 - torch.finfo(alpha.dtype).eps) - alpha).detach()
    return torch.log1p(-below_one)


def _overlap_add(
    images: Tensor, active: _Active, grid: tuple[int, int, int], stride: int
) -> Tensor:
    """Adds `(N, c, w, w)` images into `(canvases, c, y, x)` sums, whole cells of pixels at a time.

    Image n starts at the pixel (row, column) * stride of its canvas.
    """
    canvases, rows, columns = grid
    channels, side = images.shape[1:3]
    span = -(-side // stride)  # cells that an image touches, per direction
    images = F.pad(images, (0, -side % stride, 0, -side % stride))
    cells = images.unflatten(3, (span, stride)).unflatten(2, (span, stride))
    cells = cells.permute(0, 2, 4, 3, 1, 5)  # (N, span, span, stride, c, stride)
    tall, wide = rows + span - 1, columns + span - 1
    offset = torch.arange(span, device=images.device)
    y = active.row[:, None, None] + offset[:, None]  # (N, span, 1)
    x = active.column[:, None, None] + offset  # (N, 1, span)
    index = (active.canvas[:, None, None] * tall + y) * wide + x  # (N, span, span)
    sums = images.new_zeros(canvases * tall * wide, stride * channels * stride)
    sums = sums.index_add(0, index.flatten(), cells.reshape(index.numel(), -1))
    sums = sums.view(canvases, tall, wide, stride, channels, stride).permute(0, 4, 1, 3, 2, 5)
    return sums.reshape(canvases, channels, tall * stride, wide * stride)


def _blend(premultiplied: Tensor, log_transmittance: Tensor, background: Tensor) -> Tensor:
    """Puts canvases over the background, back to front (Porter and Duff's "over")."""
    colour, alpha = premultiplied[:, :, :3], premultiplied[:, :, 3:]
    opacity = -torch.expm1(log_transmittance)  # (B, n, 1, H, W), 1 - product of (1 - a)
    ratio = torch.where(alpha > SMALL_ALPHA, opacity / alpha.clamp(min=SMALL_ALPHA), 1.0)
    image = background
    # Unbound rather than indexed, whose gradient would fill a tensor of all canvases for each one.
    for shown, through in zip((colour * ratio).unbind(1), (1 - opacity).unbind(1), strict=True):
        image = shown + image * through
    return image
