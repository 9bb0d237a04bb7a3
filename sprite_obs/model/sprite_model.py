"""SpriteModel: joins encoder, dictionary, background and compositor."""

from torch import Tensor, nn

from sprite_obs.model.background import ColorBackground, ImageBackground
from sprite_obs.model.compositor import composite
from sprite_obs.model.dictionary import SpriteDictionary
from sprite_obs.model.encoder import WindowEncoder
from sprite_obs.model.scene import SceneLogits, SpriteScene


class SpriteModel(nn.Module):
    """Decomposes frames into a scene of sprites and renders scenes (paper, figure 1).

    Args:
        encoder: frames to scores.
        dictionary: the sprites and their codes.
        background: what lies behind them.
    """

    def __init__(
        self,
        encoder: WindowEncoder,
        dictionary: SpriteDictionary,
        background: ColorBackground | ImageBackground,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.dictionary = dictionary
        self.background = background

    def logits(self, frames: Tensor) -> SceneLogits:
        """Scores every anchor of frames `(B, 3, H, W)` in [0, 1]."""
        return self.encoder(frames, self.dictionary.codes())

    def forward(self, frames: Tensor) -> SpriteScene:
        """Infers the soft scene of frames `(B, 3, H, W)` in [0, 1]."""
        return self.scene(self.logits(frames))

    def scene(self, logits: SceneLogits) -> SpriteScene:
        """Turns scores into a soft scene in front of this model's background."""
        background = self.background()
        batch = len(logits.presence)
        return SpriteScene.from_logits(logits, background.expand(batch, *background.shape))

    def reconstruct(self, scene: SpriteScene, max_active: int | None = None) -> Tensor:
        """Renders a soft or hard scene with this model's sprites.

        Args:
            scene: of B frames.
            max_active: anchors rendered per frame, those of largest presence; None for all.

        Returns:
            `(B, 3, H, W)` in [0, 1].
        """
        return composite(self.dictionary(), scene, self.encoder.anchor_stride, max_active)
