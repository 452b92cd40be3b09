"""Parameters and multiply-adds of a network, in the two conventions of the papers."""
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass

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
        elementwise: What Paddle's counter adds to them: two operations an element of a BN, one a bias that a
            convolution adds, one an element that a global average pooling reads or returns; activations count nothing.
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
        return Complexity(*map(sum, zip(astuple(self), astuple(other), strict=True)))


def count_params(model: nn.Module) -> int:
    """Learnable parameters of ``model``."""
    return _elements(model.parameters())


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
    """Counts each layer on its own; arguments as for :func:`count_complexity`.

    Returns:
        The name of every module that holds parameters or computes something, in the order of the network's modules,
        to its own counts, without its children's. Shared parameters count where they occur first.
    """
    counter = _Counter()
    handles = [handle for module in model.modules() for handle in (
        module.register_forward_pre_hook(counter.enter), module.register_forward_hook(counter.leave))]
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.inference_mode(), counter:
            model(*inputs)
    finally:
        for module, training in modes:
            module.training = training
        for handle in handles:
            handle.remove()
    layers: dict[str, Complexity] = {}
    seen: set[nn.Parameter] = set()
    for name, module in model.named_modules():
        params = set(module.parameters(recurse=False)) - seen
        seen |= params
        statistics = (module.running_mean, module.running_var) if isinstance(module, _BatchNorm) else ()
        layers[name] = Complexity(_elements(params), _elements(statistics), *counter.operations[module])
    return {name: counts for name, counts in layers.items() if counts != Complexity(0, 0, 0, 0)}


class _Counter(TorchDispatchMode):
    """Counts each module's multiply-adds and element-wise operations; global average pooling need not be a module."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: defaultdict[nn.Module, list[int]] = defaultdict(lambda: [0, 0])
        self.running: list[nn.Module] = []

    def enter(self, module: nn.Module, _: tuple) -> None:
        self.running.append(module)

    def leave(self, module: nn.Module, _: tuple, output: torch.Tensor) -> None:
        done = self.operations[self.running.pop()]
        if isinstance(module, nn.Conv2d):
            done[0] += output.numel() * module.weight.numel() // module.out_channels
            done[1] += output.numel() if module.bias is not None else 0
        elif isinstance(module, nn.Linear):
            done[0] += output.numel() * module.in_features
        elif isinstance(module, _BatchNorm):
            done[1] += 2 * output.numel()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        if func is _POOLING or (func is _MEAN and args[0].ndim == 4 and {d % 4 for d in args[1]} == _SPATIAL):
            self.operations[self.running[-1]][1] += args[0].numel() + output.numel()
        return output


def _elements(tensors: Iterable[torch.Tensor | None]) -> int:
    return sum(tensor.numel() for tensor in tensors if tensor is not None)
