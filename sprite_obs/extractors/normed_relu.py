"""NormedReLU: what follows a layer of a network of values that shall learn from few steps."""

from torch import Tensor, nn
from torch.nn import functional


class NormedReLU(nn.Module):
    """ReLU of a layer's values, normalised to mean 0 and variance 1 over its units.

    Layer normalisation (Ba et al. 2016) without weights of its own. It keeps what DQN learns from
    its own predictions from growing without end (Gallici et al. 2024, arXiv 2407.04811).

    Example:
        >>> from stable_baselines3 import DQN
        >>> kwargs = {"net_arch": [256, 256], "activation_fn": NormedReLU}
        >>> agent = DQN("MlpPolicy", env, policy_kwargs=kwargs)
    """

    def forward(self, values: Tensor) -> Tensor:
        """Returns `(..., N)` float32 values of at least 0 for those of N units."""
        return functional.relu(functional.layer_norm(values, values.shape[-1:]))
