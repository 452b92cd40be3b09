"""1 x 1 convolutions of 1 x 1 maps as the matrix products that they are."""
import torch
import torch.nn.functional as F
from torch import nn


class PointwiseLinear(nn.Module):
    """A linear layer over channels in the place of a 1 x 1 convolution.

    Args:
        conv: A convolution with a 1 x 1 kernel, stride 1, no padding and one group.

    Shapes: (N, C, H, W) -> (N, D, H, W).
    """

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.weight = nn.Parameter(conv.weight.detach().flatten(1).clone(), requires_grad=False)
        self.bias = None if conv.bias is None else nn.Parameter(conv.bias.detach().clone(), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same numbers as the convolution."""
        return F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


def linearize_vectors(network: nn.Module, example: torch.Tensor) -> nn.Module:
    """Replaces the 1 x 1 convolutions that only ever see 1 x 1 maps: squeeze-and-excitation, classifiers, pooling.

    Such a convolution computes for a microsecond or ten and is called through oneDNN in 25; a matrix product is
    generated in place by a compiler.

    Args:
        network: In eval mode; it is changed.
        example: An input of it.

    Returns:
        The network.
    """
    sizes: dict[nn.Module, int] = {}

    def note(conv: nn.Module, inputs: tuple) -> None:
        sizes[conv] = max(sizes.get(conv, 0), inputs[0].shape[-2:].numel())

    handles = [m.register_forward_pre_hook(note) for m in network.modules() if _is_pointwise(m)]
    try:
        with torch.no_grad():
            network(example)
    finally:
        for handle in handles:
            handle.remove()
    for parent in list(network.modules()):
        for name, child in parent._modules.items():
            if sizes.get(child) == 1 and isinstance(child, nn.Conv2d):  # type: ignore[arg-type]
                parent._modules[name] = PointwiseLinear(child)
    return network


def _is_pointwise(module: nn.Module) -> bool:
    return (type(module) is nn.Conv2d and module.kernel_size == module.stride == (1, 1) and module.groups == 1 and
            module.padding in ((0, 0), 'same', 'valid'))
