"""SpriteDictionary: K learned RGBA sprites, decoded from latent codes."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# GroupNorm over groups of this many hidden features; 8 `code_dim` features must divide into them.
GROUP_SIZE = 64

# Targets of `fit` stay this far from 0 and 1, whose logits are infinite; half an 8-bit level is
# 1/510.
LOGIT_MARGIN = 1 / 1024

# Directions of the hidden features weaker than this share of the strongest are not used by `fit`.
RIDGE = 1e-7


class SpriteDictionary(nn.Module):
    """Latent codes and the generator that decodes them into sprites (paper, section 3.1).

    The codes start from the standard normal distribution and are layer-normalised without affine
    parameters; the generator is one hidden layer of 8 `code_dim` features with GroupNorm and ReLU,
    then a linear layer with a sigmoid.

    Args:
        num_sprites: K, entries of the dictionary.
        sprite_size: S, side of a sprite in pixels.
        code_dim: d, length of a latent code, a multiple of 8.
        drawn_sizes: sides of the squares within which sprites are drawn, dealt out in turns; all
            are centred on a canvas of `sprite_size`. Empty for whole canvases.
        normalize_codes: whether codes are layer-normalised (without, the paper's ablation, 4.2).
    """

    canvas_mask: Tensor

    def __init__(
        self,
        num_sprites: int,
        sprite_size: int,
        code_dim: int,
        drawn_sizes: Sequence[int] = (),
        normalize_codes: bool = True,
    ) -> None:
        super().__init__()
        features = 8 * code_dim
        self.sprite_size = sprite_size
        self.normalize_codes = normalize_codes
        mask = _canvas_mask(num_sprites, sprite_size, drawn_sizes or (sprite_size,))
        self.register_buffer("canvas_mask", mask, persistent=False)
        self.latents = nn.Parameter(torch.randn(num_sprites, code_dim))
        self.hidden = nn.Sequential(
            nn.Linear(code_dim, features),
            nn.GroupNorm(features // GROUP_SIZE, features),
            nn.ReLU(),
        )
        self.output = nn.Linear(features, 4 * sprite_size**2)

    def codes(self) -> Tensor:
        """Returns the normalised latent codes, `(K, d)`, with which anchors are compared."""
        if not self.normalize_codes:
            return self.latents
        return F.layer_norm(self.latents, self.latents.shape[-1:])

    def forward(self) -> Tensor:
        """Decodes all sprites: `(K, 4, S, S)` in [0, 1], RGB (not premultiplied) and alpha."""
        flat = self.output(self.hidden(self.codes())).sigmoid()  # (K, 4 S S)
        return flat.unflatten(-1, (4, self.sprite_size, self.sprite_size)) * self.canvas_mask

    @torch.no_grad()
    def relate_codes(self, sprites: Tensor) -> None:
        """Mixes the look of given sprites into their random codes, so that like ones are close.

        Half of a code's variance stays random, which keeps all codes apart; the other half are the
        principal components of the premultiplied pixels.

        Args:
            sprites: `(K, 4, S, S)` in [0, 1], RGB (not premultiplied) and alpha.
        """
        pixels = torch.cat([sprites[:, :3] * sprites[:, 3:], sprites[:, 3:]], 1).flatten(1)
        left, singular, _ = torch.linalg.svd(pixels - pixels.mean(0), full_matrices=False)
        components = (left * singular)[:, : self.latents.shape[1]]  # (K, <= d)
        components = F.pad(components, (0, self.latents.shape[1] - components.shape[1]))
        scale = components.square().mean().sqrt().clamp(min=1e-6)
        self.latents.copy_((self.latents + components / scale) / 2**0.5)

    @torch.no_grad()
    def fit(self, sprites: Tensor) -> None:
        """Sets the generator's last layer so that the dictionary shows given sprites.

        The layer is linear in the logits of the pixels, so this is a least-squares problem with a
        closed solution. With K <= 8d sprites it is exact to within half an 8-bit level; with more
        of them it is the best fit of the logits. Latent codes and hidden layer stay as they are.

        Args:
            sprites: `(K, 4, S, S)` in [0, 1], RGB (not premultiplied) and alpha. Colours are
                ignored, and become 0, where alpha is 0.

        Raises:
            ValueError: when the shape is not that of this dictionary.
        """
        expected = (len(self.latents), 4, self.sprite_size, self.sprite_size)
        if tuple(sprites.shape) != expected:
            raise ValueError(f"expected sprites of shape {expected}, got {tuple(sprites.shape)}")
        target = sprites.to(self.output.weight.device, torch.float64)
        target = torch.where(target[:, 3:] > 0, target, 0.0)
        logits = target.flatten(1).logit(eps=LOGIT_MARGIN)  # (K, 4 S S)
        solution = _least_squares(_with_ones(self.hidden(self.codes()).double()), logits)
        self.output.weight.copy_(solution[:-1].T)
        self.output.bias.copy_(solution[-1])


def _canvas_mask(num_sprites: int, side: int, drawn_sizes: Sequence[int]) -> Tensor:
    """Returns `(K, 4, S, S)`: colours pass everywhere, alpha within each sprite's square."""
    mask = torch.ones(num_sprites, 4, side, side)
    mask[:, 3] = 0
    for turn, drawn in enumerate(drawn_sizes):
        margin = (side - drawn) // 2
        mask[turn :: len(drawn_sizes), 3, margin : margin + drawn, margin : margin + drawn] = 1
    return mask


def _with_ones(features: Tensor) -> Tensor:
    return F.pad(features, (0, 1), value=1.0)


def _least_squares(regressors: Tensor, targets: Tensor) -> Tensor:
    """Solves the ridge regression through the singular values, whichever side is the longer one."""
    left, singular, right = torch.linalg.svd(regressors, full_matrices=False)
    ridge = (RIDGE * singular.max()) ** 2
    inverse = singular / (singular**2 + ridge)
    return right.mT @ (inverse[:, None] * (left.mT @ targets))
