"""SpriteModel: joins encoder, dictionary, background and compositor."""

import torch
from torch import Tensor, nn

from sprite_obs.model.anchor_encoder import AnchorEncoder
from sprite_obs.model.background import ColorBackground, ImageBackground
from sprite_obs.model.compositor import composite, num_groups
from sprite_obs.model.dictionary import SpriteDictionary
from sprite_obs.model.scene import SceneLogits, SpriteScene
from sprite_obs.model.scroll import OffsetNetwork, ScrollBackground
from sprite_obs.model.shift_network import CropShiftNetwork


class SpriteModel(nn.Module):
    """Decomposes frames into a scene of sprites and renders scenes (paper, figure 1).

    Args:
        encoder: frames to scores.
        dictionary: the sprites and their codes.
        background: what lies behind them.
        shift_network: scores of the shifts; None when the encoder gives them.
        offset_network: scores of a scrolling background's offset; None when it does not scroll.
    """

    def __init__(
        self,
        encoder: AnchorEncoder,
        dictionary: SpriteDictionary,
        background: ColorBackground | ImageBackground | ScrollBackground,
        shift_network: CropShiftNetwork | None = None,
        offset_network: OffsetNetwork | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.dictionary = dictionary
        self.background = background
        self.shift_network = shift_network
        self.offset_network = offset_network

    def logits(self, frames: Tensor, hard: bool = False, fixed_codes: bool = False) -> SceneLogits:
        """Scores every anchor of frames.

        Args:
            frames: `(B, 3, H, W)` in [0, 1].
            hard: whether a shift network sees each anchor's likeliest sprite instead of the mixture
                (paper, section 3.3: at test time).
            fixed_codes: whether the latent codes get no gradient through the scores.
        """
        codes = self.dictionary.codes()
        logits = self.encoder(frames, codes.detach() if fixed_codes else codes)
        if self.shift_network:
            logits = self._with_crop_shifts(self.shift_network, logits, frames, hard)
        if self.offset_network:
            offset_x, offset_y = self.offset_network(frames)
            logits = logits._replace(offset_x=offset_x, offset_y=offset_y)
        return logits

    def forward(self, frames: Tensor, hard: bool = False) -> SpriteScene:
        """Infers the soft scene of frames `(B, 3, H, W)` in [0, 1]; `hard` as in `logits`."""
        return self.scene(self.logits(frames, hard))

    def scene(self, logits: SceneLogits) -> SpriteScene:
        """Turns scores into a soft scene in front of this model's background."""
        if isinstance(self.background, ScrollBackground):
            assert logits.offset_x is not None and logits.offset_y is not None
            offsets = logits.offset_x.softmax(-1), logits.offset_y.softmax(-1)
            return SpriteScene.from_logits(logits, self.background(*offsets))
        background = self.background()
        return SpriteScene.from_logits(
            logits, background.expand(len(logits.presence), *background.shape)
        )

    def reconstruct(
        self, scene: SpriteScene, max_active: int | None = None, order: Tensor | None = None
    ) -> Tensor:
        """Renders a soft or hard scene with this model's sprites.

        Args:
            scene: of B frames.
            max_active: anchors rendered per frame, those of largest presence; None for all.
            order: `(B, num_groups)`, which overlapping neighbours lie above; None averages.

        Returns:
            `(B, 3, H, W)` in [0, 1].
        """
        scene = scene._replace(background=self.behind(scene))
        return composite(self.dictionary(), scene, self.encoder.anchor_stride, max_active, order)

    def behind(self, scene: SpriteScene) -> Tensor:
        """Returns the background of each frame of a scene, `(B, 3, H, W)` in [0, 1]."""
        if not isinstance(self.background, ScrollBackground):
            return scene.background
        # The scene may have been rounded since it was made, and its offset with it.
        return self.background(scene.offset_x, scene.offset_y)

    @property
    def max_shift(self) -> int:
        """Largest shift in pixels."""
        if self.shift_network:
            return self.shift_network.max_shift
        assert self.encoder.max_shift is not None
        return self.encoder.max_shift

    @property
    def num_groups(self) -> int:
        """Number of groups of anchors of which no two of one group can overlap."""
        return num_groups(self.dictionary.sprite_size, self.max_shift, self.encoder.anchor_stride)

    def _with_crop_shifts(
        self, network: CropShiftNetwork, logits: SceneLogits, frames: Tensor, hard: bool
    ) -> SceneLogits:
        grid = logits.presence.shape  # (B, L, R, C)
        weights, presence = logits.assignment.softmax(-1), logits.presence.sigmoid()
        if hard:
            weights = torch.zeros_like(weights).scatter_(-1, weights.argmax(-1, True), 1.0)
            presence = torch.ones_like(presence)
        sprites = self.dictionary()
        premultiplied = torch.cat([sprites[:, :3] * sprites[:, 3:], sprites[:, 3:]], 1)
        mixed = (weights * presence[..., None]).flatten(0, 3) @ premultiplied.flatten(1)  # Eq. 2
        cells = torch.cartesian_prod(*(torch.arange(n, device=frames.device) for n in grid))
        frame, _, row, column = cells.unbind(-1)  # (N,)
        shift_x, shift_y = network(
            frames,
            mixed.unflatten(-1, premultiplied.shape[1:]),
            frame,
            row,
            column,
            self.encoder.anchor_stride,
        )
        return logits._replace(
            shift_x=shift_x.unflatten(0, grid), shift_y=shift_y.unflatten(0, grid)
        )
