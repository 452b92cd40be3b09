"""Hard-sigmoid of any slope."""
import torch
import torch.nn.functional as F
from torch import nn

from lcvision.registry import MODELS


@MODELS.register_module()
class HardSigmoid(nn.Module):
    """Computes clip(slope * x + 0.5, 0, 1).

    Args:
        slope: Steepness, above 0; torch's own hard-sigmoid has 1 / 6.

    Raises:
        ValueError: If ``slope`` is not above 0.

    Source: Paddle's ``hardsigmoid``; PaddleClas' MobileNetV3 gates with slope 0.2.

    Differs: computed as torch's hard-sigmoid of a scaled input, half the time of a multiply-add and a clip on the small
    tensors a gate sees; the result may differ in the last bit. mmcv's ``HSigmoid`` warns whenever it is built.
    """

    def __init__(self, slope: float = 0.2):
        super().__init__()
        if not slope > 0:
            raise ValueError(f'HardSigmoid: slope={slope} must be above 0, e.g. 0.2')
        self.slope = slope

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the clipped line, element by element."""
        return F.hardsigmoid(x * (6 * self.slope))

    def extra_repr(self) -> str:
        """The slope."""
        return f'slope={self.slope}'
