"""AnchorEncoder: what both encoders have in common, and the scores of Eq. 1."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AnchorEncoder(nn.Module):
    """Frames to scores of a scene, on a grid of anchors; each encoder has its own features.

    Args:
        num_layers: L, depth layers.
        anchor_stride: distance of two anchors in pixels.
        max_shift: m, largest shift in pixels; None leaves the shifts to another network.
        normalize_codes: whether anchors' codes are layer-normalised like the dictionary's.
    """

    # A subclass sets it, with `log_temperature`, after its layers: that is the order in which the
    # states of interrupted runs number the parameters.
    log_scale: nn.Parameter | None

    def __init__(
        self, num_layers: int, anchor_stride: int, max_shift: int | None, normalize_codes: bool
    ) -> None:
        super().__init__()
        self.num_layers = num_layers
        self.anchor_stride = anchor_stride
        self.max_shift = max_shift
        self.normalize_codes = normalize_codes
        self.num_shifts = 0 if max_shift is None else 2 * max_shift + 1

    def compare(self, anchors: Tensor, codes: Tensor) -> Tensor:
        """Compares anchors with the dictionary: Eq. 1 before its softmax.

        Args:
            anchors: `(..., d)`, the anchors' codes.
            codes: `(K, d)`, the dictionary's codes, normalised if `normalize_codes`.

        Returns:
            `(..., K)`.
        """
        dim = codes.shape[-1]
        if self.normalize_codes:
            anchors = F.layer_norm(anchors, (dim,))
        scale = 1 if self.log_scale is None else self.log_scale.exp()
        return anchors @ (codes.mT * (scale / math.sqrt(dim)))


def log_temperature(learned: bool) -> nn.Parameter | None:
    """Returns the logarithm of a learned scale of the scores; None for the paper's fixed 1.

    Two normalised codes have a product of at most d, which bounds the softmax of Eq. 1 away from
    one-hot; a learned scale lifts that bound.
    """
    return nn.Parameter(torch.zeros(())) if learned else None
