"""Parameters and multiply-adds of a network, in the two conventions of the papers."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

_ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.Sigmoid, nn.SiLU, nn.LeakyReLU)


@dataclass(frozen=True)
class Complexity:
    """Counts of one network at one input size.

    Args:
        params: Learnable parameters.
        buffers: Elements of BN running means and variances.
        macs: Multiply-adds of convolutions and linear layers; bias, BN, activation and pooling count nothing.
        elementwise: Elements that pass through a BN or an activation, one operation each.
    """

    params: int
    buffers: int
    macs: int
    elementwise: int

    @property
    def paddle_flops(self) -> int:
        """What the PP-LCNet paper's tables print: multiply-adds plus one operation per BN and activation element."""
        return self.macs + self.elementwise


def count_params(model: nn.Module) -> int:
    """Learnable parameters of ``model``."""
    return sum(p.numel() for p in model.parameters())


def count_complexity(model: nn.Module, *inputs: torch.Tensor) -> Complexity:
    """Counts parameters and operations of one forward pass.

    A hard-sigmoid gate counts nothing, as in the counter behind the paper's table.

    Args:
        model: Any module; it is run once in eval mode without gradients and left as it was, every part in its mode.
        inputs: What its forward takes, batch 1 for counts per image.

    Source: reproduces all eight rows of the PP-LCNet paper's Table 2 (``paddle_flops``) and EfficientNet-eLite's
    Table 5 (``macs``).
    """
    totals = {'macs': 0, 'elementwise': 0}

    def count(module: nn.Module, _: tuple, output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            kernel = module.kernel_size[0] * module.kernel_size[1]
            totals['macs'] += output.numel() * kernel * module.in_channels // module.groups
        elif isinstance(module, nn.Linear):
            totals['macs'] += output.numel() * module.in_features
        else:
            totals['elementwise'] += output.numel()

    counted = (nn.Conv2d, nn.Linear, _BatchNorm, *_ACTIVATIONS)
    handles = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, counted)]
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.inference_mode():
            model(*inputs)
    finally:
        for module, training in modes:
            module.training = training
        for handle in handles:
            handle.remove()
    buffers = sum(buffer.numel() for m in model.modules() if isinstance(m, _BatchNorm)
                  for buffer in (m.running_mean, m.running_var) if buffer is not None)
    return Complexity(count_params(model), buffers, **totals)
