"""The pieces of an inference's time, and the layers of a model that they compute."""
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median

import torch
from torch import nn

from lcvision.latency.profiler.onednn_log import Key, Primitive, convolution_key, pointwise_key


@dataclass(frozen=True)
class Kernel:
    """A kernel that ran, however it was traced.

    Attributes:
        source: 'onednn', 'torch' (its own or those of the library of matrix products that it is built with) or
            'inductor' (generated).
        operation: 'convolution', 'reorder', 'hardswish' and so on.
        name: Of the implementation.
        layer: Name of the module in the model, where it is known.
        shape: Of the problem, for a reader.
        us: Microseconds.
        macs: Multiply-adds; None for what is not a sum of products.
        isa: Instruction set, where the kernel names one.
        is_reference: Whether it is plain C++, not optimised.
    """

    source: str
    operation: str
    name: str
    layer: str | None
    shape: str
    us: float
    macs: int | None = None
    isa: str | None = None
    is_reference: bool = False

    @classmethod
    def of(cls, primitive: Primitive, layer: str | None) -> 'Kernel':
        """A kernel that oneDNN reported."""
        return cls('onednn', primitive.operation, primitive.kernel, layer, describe(primitive), primitive.us,
                   primitive.macs, primitive.isa, primitive.is_reference)

    @property
    def is_reorder(self) -> bool:
        """Whether oneDNN copied a tensor into another memory layout."""
        return self.source == 'onednn' and self.operation == 'reorder'

    @property
    def identity(self) -> tuple:
        """What one inference has in common with the next."""
        return self.source, self.operation, self.name, self.layer, self.shape


def median_kernels(traces: Sequence[Sequence[Kernel]]) -> list[Kernel]:
    """One trace for several of an inference, each kernel with its median time; those unlike most are left out."""
    identities = [tuple(kernel.identity for kernel in trace) for trace in traces]
    usual = max(identities, key=identities.count)
    same = [trace for trace, identity in zip(traces, identities, strict=True) if identity == usual]
    return [replace(kernels[0], us=median(kernel.us for kernel in kernels)) for kernels in zip(*same, strict=True)]


def describe(primitive: Primitive) -> str:
    """The problem of a primitive in a few characters."""
    if primitive.operation == 'inner_product':
        return describe_product(*primitive.product)
    if primitive.operation != 'convolution':
        return primitive.problem
    size = primitive.sizes
    return describe_convolution(primitive.weight, size['g'], (size['sh'], size['sw']), (size['oh'], size['ow']))


def describe_convolution(weight: Sequence[int], groups: int, stride: Sequence[int], output: Sequence[int]) -> str:
    """A convolution in a few characters: '3x3/2 3>16 112x112', and 'dw 5x5 256 7x7' for a depthwise one.

    ``weight`` is output channels, input channels of a group, then the kernel's size; ``output`` the output's size.
    """
    kernel = _times(weight[2:]) + (f'/{max(stride)}' if max(stride) > 1 else '')
    inputs = weight[1] * groups
    if groups == inputs == weight[0] > 1:
        return f'dw {kernel} {inputs} {_times(output)}'
    grouped = f' g{groups}' if groups > 1 else ''
    return f'{kernel} {inputs}>{weight[0]}{grouped} {_times(output)}'


def describe_product(outputs: int, inputs: int, rows: int) -> str:
    """A matrix product in a few characters: '1280>1000', with the rows where there are several."""
    return f'{inputs}>{outputs}' + (f' x{rows}' if rows > 1 else '')


def _times(sizes: Sequence[int]) -> str:
    return 'x'.join(map(str, sizes))


@dataclass(frozen=True)
class Layer:
    """One call of a convolution or linear layer: the module's name, its sizes as key and as text, its multiply-adds."""

    name: str
    key: Key
    shape: str
    macs: int


def record_layers(network: nn.Module, x: torch.Tensor) -> list[Layer]:
    """All calls of two-dimensional convolutions and linear layers, in the order of one inference in eval mode."""
    layers: list[Layer] = []
    with ExitStack() as hooks, torch.no_grad():
        for name, module in network.named_modules():
            def note(module: nn.Module, inputs: tuple, output: torch.Tensor, name: str = name) -> None:
                layers.append(_layer(name, module, inputs[0], output))

            if isinstance(module, nn.Conv2d | nn.Linear):
                hooks.enter_context(module.register_forward_hook(note))
        network(x)
    return layers


def _layer(name: str, module: nn.Module, x: torch.Tensor, output: torch.Tensor) -> Layer:
    if isinstance(module, nn.Conv2d):
        weight = tuple(module.weight.shape)
        shape = describe_convolution(weight, module.groups, module.stride, output.shape[2:])
        return Layer(name, convolution_key(weight, x.shape[1], tuple(x.shape[2:])), shape,
                     output.numel() * module.weight[0].numel())
    product = output.shape[-1], x.shape[-1], output.numel() // output.shape[-1]
    return Layer(name, pointwise_key(*product), describe_product(*product), output.numel() * x.shape[-1])


class LayerNames:
    """Hands out the layers of one inference to kernels; of several with the same sizes, in the network's order."""

    def __init__(self, layers: list[Layer]):
        self._waiting: dict[Key, deque[Layer]] = {}
        for layer in layers:
            self._waiting.setdefault(layer.key, deque()).append(layer)

    def take(self, key: Key | None) -> Layer | None:
        """The next layer with these sizes; None when there is none left."""
        waiting = self._waiting.get(key) if key else None
        return waiting.popleft() if waiting else None
