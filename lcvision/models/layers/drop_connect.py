"""Stochastic depth as the first PyTorch EfficientNets had it."""
import torch
from torch import nn

from lcvision.registry import MODELS


@MODELS.register_module()
class DropConnect(nn.Module):
    """Zeroes a block's branch for some images in training and scales it by the rest's share at inference.

    Args:
        drop_prob: Share of the images whose branch is dropped, in [0, 1).

    Shapes: (N, ...) -> (N, ...).

    Raises:
        ValueError: If ``drop_prob`` lies outside [0, 1).

    Source: the EfficientNet code that the authors of EfficientNet-eLite built on.

    Differs: mmcv's ``DropPath``, TensorFlow and timm divide by the share kept in training and leave the branch as it is
    at inference. This one is for weights that were trained with it.
    """

    def __init__(self, drop_prob: float):
        super().__init__()
        if not 0 <= drop_prob < 1:
            raise ValueError(f'DropConnect: drop_prob={drop_prob} must lie in 0..1, 1 excluded, e.g. 0.2')
        self.drop_prob = drop_prob

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The branch, dropped or scaled."""
        if not self.training:
            return x * (1 - self.drop_prob)
        kept = torch.rand((x.shape[0],) + (1,) * (x.ndim - 1), device=x.device) >= self.drop_prob
        return x * kept

    def extra_repr(self) -> str:
        """The share dropped."""
        return f'drop_prob={self.drop_prob}'
