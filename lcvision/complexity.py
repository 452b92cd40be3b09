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

    def __add__(self, other: 'Complexity') -> 'Complexity':
        """Counts of two parts together."""
        return Complexity(self.params + other.params, self.buffers + other.buffers, self.macs + other.macs,
                          self.elementwise + other.elementwise)


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
    return sum(count_layers(model, *inputs).values(), Complexity(0, 0, 0, 0))


def count_layers(model: nn.Module, *inputs: torch.Tensor) -> dict[str, Complexity]:
    """Counts each layer of a network for itself.

    Args:
        model: As for :func:`count_complexity`.
        inputs: As for :func:`count_complexity`.

    Returns:
        The name of every module that holds parameters or computes something, in the order of the network's modules,
        to what is its own, its children's counts excluded. Shared parameters count where they are met first.
    """
    operations: dict[nn.Module, list[int]] = {}

    def count(module: nn.Module, _: tuple, output: torch.Tensor) -> None:
        done = operations.setdefault(module, [0, 0])
        if isinstance(module, nn.Conv2d):
            kernel = module.kernel_size[0] * module.kernel_size[1]
            done[0] += output.numel() * kernel * module.in_channels // module.groups
        elif isinstance(module, nn.Linear):
            done[0] += output.numel() * module.in_features
        else:
            done[1] += output.numel()

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
    seen: set[int] = set()
    layers = {name: Complexity(_own_params(m, seen), _own_buffers(m), *operations.get(m, (0, 0)))
              for name, m in model.named_modules()}
    return {name: counts for name, counts in layers.items() if counts != Complexity(0, 0, 0, 0)}


def _own_params(module: nn.Module, seen: set[int]) -> int:
    own = [p for p in module.parameters(recurse=False) if id(p) not in seen]
    seen.update(map(id, own))
    return sum(p.numel() for p in own)


def _own_buffers(module: nn.Module) -> int:
    if not isinstance(module, _BatchNorm):
        return 0
    return sum(b.numel() for b in (module.running_mean, module.running_var) if b is not None)
