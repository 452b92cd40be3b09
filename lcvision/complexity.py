"""Parameters and multiply-adds of a network, in the two conventions of the papers."""
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._python_dispatch import TorchDispatchMode

_MEAN, _POOLING = torch.ops.aten.mean.dim, torch.ops.aten.adaptive_avg_pool2d.default
_SPATIAL = {2, 3}


@dataclass(frozen=True)
class Complexity:
    """Counts of one network at one input size.

    Attributes:
        params: Learnable parameters.
        buffers: Elements of BN running means and variances.
        macs: Multiply-adds of convolutions and linear layers; bias, BN, activation and pooling count nothing.
        elementwise: What Paddle's counter adds to them: two operations for every element of a BN, one for every
            bias that a convolution adds, and one for every element that a global average pooling reads or returns.
            Activations count nothing.
    """

    params: int
    buffers: int
    macs: int
    elementwise: int

    @property
    def paddle_flops(self) -> int:
        """What the PP-LCNet paper's tables print: ``paddle.flops``, multiply-adds and element-wise operations."""
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

    Args:
        model: Any module; it is run once in eval mode without gradients and left as it was, every part in its mode.
        inputs: What its forward takes, batch 1 for counts per image.

    Source: reproduces all rows of the PP-LCNet paper's tables 2 and 3 and, to two decimals, PaddleClas' lists of these
    models (``paddle_flops``), and EfficientNet-eLite's table 5 (``macs``).
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
    running: list[nn.Module] = []

    def enter(module: nn.Module, _: tuple) -> None:
        running.append(module)

    def leave(module: nn.Module, _: tuple, output: torch.Tensor) -> None:
        running.pop()
        done = operations.setdefault(module, [0, 0])
        if isinstance(module, nn.Conv2d):
            kernel = module.kernel_size[0] * module.kernel_size[1]
            done[0] += output.numel() * kernel * module.in_channels // module.groups
            done[1] += output.numel() if module.bias is not None else 0
        elif isinstance(module, nn.Linear):
            done[0] += output.numel() * module.in_features
        elif isinstance(module, _BatchNorm):
            done[1] += 2 * output.numel()

    def pool(elements: int) -> None:
        operations.setdefault(running[-1], [0, 0])[1] += elements

    handles = [handle for m in model.modules()
               for handle in (m.register_forward_pre_hook(enter), m.register_forward_hook(leave))]
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.inference_mode(), _Poolings(pool):
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


class _Poolings(TorchDispatchMode):
    """Tells of every global average pooling how many elements it reads and returns, module or not."""

    def __init__(self, tell: Callable[[int], None]):
        super().__init__()
        self._tell = tell

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        if func is _POOLING or (func is _MEAN and args[0].ndim == 4 and {d % 4 for d in args[1]} == _SPATIAL):
            self._tell(args[0].numel() + output.numel())
        return output


def _own_params(module: nn.Module, seen: set[int]) -> int:
    own = [p for p in module.parameters(recurse=False) if id(p) not in seen]
    seen.update(map(id, own))
    return sum(p.numel() for p in own)


def _own_buffers(module: nn.Module) -> int:
    if not isinstance(module, _BatchNorm):
        return 0
    return sum(b.numel() for b in (module.running_mean, module.running_var) if b is not None)
