"""Finds the layer of a model that a kernel computes, by the sizes of both."""
from collections import deque
from dataclasses import dataclass

import torch
from torch import nn

from lcvision.latency.profiler.kernel import describe_convolution, describe_product
from lcvision.latency.profiler.onednn_log import Key, convolution_key, pointwise_key


@dataclass(frozen=True)
class Layer:
    """One call of a convolution or linear layer.

    Attributes:
        name: Of the module.
        key: Identifies it by its sizes.
        shape: For a reader.
        macs: Multiply-adds.
    """

    name: str
    key: Key
    shape: str
    macs: int


def record_layers(network: nn.Module, x: torch.Tensor) -> list[Layer]:
    """All calls of two-dimensional convolutions and linear layers, in the order of one inference.

    Args:
        network: In eval mode; it is left as it is.
        x: (1, 3, H, W) input.
    """
    layers: list[Layer] = []
    handles = []
    for name, module in network.named_modules():
        def note(module: nn.Module, inputs: tuple, output: torch.Tensor, name: str = name) -> None:
            layers.append(_layer(name, module, inputs[0], output))

        if isinstance(module, (nn.Conv2d, nn.Linear)):
            handles.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            network(x)
    finally:
        for handle in handles:
            handle.remove()
    return layers


class LayerNames:
    """Hands out layers to kernels; where several layers have the same sizes, in the order of the network.

    Args:
        layers: Of one inference.
    """

    def __init__(self, layers: list[Layer]):
        self._waiting: dict[Key, deque[Layer]] = {}
        for layer in layers:
            self._waiting.setdefault(layer.key, deque()).append(layer)

    def take(self, key: Key | None) -> Layer | None:
        """The next layer with these sizes; None when there is none left."""
        waiting = self._waiting.get(key) if key else None
        return waiting.popleft() if waiting else None


def _layer(name: str, module: nn.Module, x: torch.Tensor, output: torch.Tensor) -> Layer:
    if isinstance(module, nn.Conv2d):
        weight = tuple(module.weight.shape)
        shape = describe_convolution(weight, module.groups, module.stride, output.shape[2:])
        return Layer(name, convolution_key(weight, x.shape[1], tuple(x.shape[2:])), shape,
                     output.numel() * module.weight[0].numel())
    outputs, inputs = output.shape[-1], x.shape[-1]
    rows = output.numel() // outputs
    return Layer(name, pointwise_key(outputs, inputs, rows), describe_product(outputs, inputs, rows),
                 output.numel() * inputs)
