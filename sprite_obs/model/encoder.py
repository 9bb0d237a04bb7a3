"""WindowEncoder: frames -> scores of a scene, each anchor from its own small window of pixels."""

import torch.nn.functional as F
from torch import Tensor, nn

from sprite_obs.model.anchor_encoder import AnchorEncoder, log_temperature
from sprite_obs.model.scene import SceneLogits

# Colours are centred and spread before the first convolution: with values in [0, 1] the encoder
# needs about twice as many steps to tell the dark colours of a game apart.
MEAN_COLOR, COLOR_SCALE = 0.5, 4.0


class WindowEncoder(AnchorEncoder):
    """Reads each anchor's sprites off the 3 x 3 anchor cells around it (paper, section 3.2).

    Emulator frames repeat bit for bit, so a recording has few distinct windows; an encoder whose
    output depends on nothing but a bounded window learns from each of them once. Hence no
    normalisation over the frame: only over the channels of one position. Beyond the frame's border
    the window holds black pixels (zeros), so the same function applies to every anchor.

    Cell (r, c) covers the pixels from (r, c) * stride on; its centre is the anchor. Unlike in the
    paper the shifts come from the shared features instead of a second network per anchor.

    Args:
        num_layers: L, depth layers.
        anchor_stride: side of a cell in pixels.
        max_shift: m, largest shift in pixels; None leaves the shifts to another network.
        code_dim: d, length of the latent codes.
        width: channels of the hidden features.
        normalize_codes: whether anchors' codes are layer-normalised like the dictionary's.
        learned_temperature: whether the scores of Eq. 1 have a learned scale; without, it is 1.
    """

    def __init__(
        self,
        num_layers: int,
        anchor_stride: int,
        max_shift: int | None,
        code_dim: int,
        width: int,
        normalize_codes: bool = True,
        learned_temperature: bool = True,
    ) -> None:
        super().__init__(num_layers, anchor_stride, max_shift, normalize_codes)
        self.head_sizes = [code_dim, 1, self.num_shifts, self.num_shifts]
        self.features = nn.Sequential(
            nn.Conv2d(3, width, anchor_stride, stride=anchor_stride),
            nn.GELU(),
            nn.Conv2d(width, width, 3),  # no padding: the frame is padded instead
            nn.GELU(),
            nn.Conv2d(width, width, 1),
            nn.GELU(),
        )
        self.heads = nn.Linear(width, num_layers * sum(self.head_sizes))
        self.log_scale = log_temperature(learned_temperature)

    def forward(self, frames: Tensor, codes: Tensor) -> SceneLogits:
        """Scores every anchor of whole frames.

        Args:
            frames: `(B, 3, H, W)` in [0, 1].
            codes: `(K, d)`, the dictionary's normalised latent codes.

        Returns:
            Scores on the grid of R = ceil(H / stride) by C = ceil(W / stride) anchors.
        """
        return self.encode_windows(self.pad(frames), codes)

    def pad(self, frames: Tensor) -> Tensor:
        """Completes the last cells of frames with zeros and adds one cell of zeros on each side.

        Args:
            frames: `(B, 3, H, W)`.

        Returns:
            `(B, 3, (R + 2) * stride, (C + 2) * stride)`, all pixels of the anchors' windows.
        """
        stride = self.anchor_stride
        bottom, right = (stride + -side % stride for side in frames.shape[-2:])
        return F.pad(frames, (stride, right, stride, bottom))

    def encode_windows(self, windows: Tensor, codes: Tensor) -> SceneLogits:
        """Scores the anchors whose whole window lies in the given pixels; nothing is padded.

        Args:
            windows: `(B, 3, (R + 2) * stride, (C + 2) * stride)` in [0, 1]; windows of single
                anchors are `(B, 3, 3 * stride, 3 * stride)`.
            codes: `(K, d)`, the dictionary's normalised latent codes.

        Returns:
            Scores of R x C anchors: all cells of `windows` but the outermost.
        """
        centred = (windows - MEAN_COLOR) * COLOR_SCALE
        heads = self.heads(self.features(centred).permute(0, 2, 3, 1))  # (B, R, C, L * heads)
        heads = heads.unflatten(-1, (self.num_layers, -1)).permute(0, 3, 1, 2, 4)
        anchor, presence, shift_x, shift_y = heads.split(self.head_sizes, -1)  # (B, L, R, C, ...)
        assignment = self.compare(anchor, codes)  # (B, L, R, C, K)
        return SceneLogits(presence.squeeze(-1), assignment, shift_x, shift_y)
