"""Pointwise convolution in two groups of any ratio."""
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights


class UnevenPointwise(nn.Module):
    """A 1 x 1 convolution without bias in two unequal groups: the first channels see each other, and so do the rest.

    Args:
        in_channels: Channels of the input, a multiple of the ratio's sum.
        out_channels: Channels of the output, a multiple of the ratio's sum.
        ratio: Share of the first and of the second group in input and output alike, e.g. (1, 3).

    Shapes: (N, in_channels, H, W) -> (N, out_channels, H, W).

    Raises:
        ValueError: If the channels cannot be divided in this ratio.

    Source: SeesawNet (arXiv 1905.03672), section 4.1, and the authors' code: two convolutions, so that their weights
    keep their shapes.
    """

    def __init__(self, in_channels: int, out_channels: int, ratio: tuple[int, int]):
        super().__init__()
        _check(in_channels, out_channels, ratio)
        parts = sum(ratio)
        self.sizes = [in_channels * share // parts for share in ratio]
        self.first, self.second = (nn.Conv2d(size, out_channels * share // parts, 1, bias=False)
                                   for size, share in zip(self.sizes, ratio, strict=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Each group through its convolution, one after the other."""
        first, second = x.split(self.sizes, 1)
        return torch.cat((self.first(first), self.second(second)), 1)

    def dense(self) -> nn.Conv2d:
        """One convolution that computes the same, with zeros where the groups do not see each other."""
        first, second = self.first.weight, self.second.weight
        out_channels = len(first) + len(second)
        conv = nn.Conv2d(sum(self.sizes), out_channels, 1, bias=False).to(first)
        with torch.no_grad():
            conv.weight.zero_()
            conv.weight[:len(first), :self.sizes[0]] = first
            conv.weight[len(first):, self.sizes[0]:] = second
        return conv.requires_grad_(first.requires_grad).train(self.training)

    def fold(self, norm: _BatchNorm) -> None:
        """Takes the norm that follows into both convolutions, in place.

        Args:
            norm: With running statistics, which are what it applies in eval mode.
        """
        sizes = [len(self.first.weight), len(self.second.weight)]
        tensors = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        parts = zip(*((None, None) if t is None else t.split(sizes) for t in tensors), strict=True)
        for conv, (mean, var, weight, bias) in zip((self.first, self.second), parts, strict=True):
            conv.weight, conv.bias = fuse_conv_bn_weights(conv.weight, None, mean, var, norm.eps, weight, bias)


def grouped_pointwise(in_channels: int, out_channels: int, ratio: tuple[int, int]) -> nn.Module:
    """A 1 x 1 convolution without bias in two groups: torch's own where they are equal, else an uneven one.

    Args:
        in_channels: Channels of the input, a multiple of the ratio's sum.
        out_channels: Channels of the output, a multiple of the ratio's sum.
        ratio: Share of the two groups; (1, 1) for equal ones.

    Raises:
        ValueError: If the channels cannot be divided in this ratio.
    """
    if tuple(ratio) != (1, 1):
        return UnevenPointwise(in_channels, out_channels, ratio)
    _check(in_channels, out_channels, ratio)
    return nn.Conv2d(in_channels, out_channels, 1, groups=2, bias=False)


def _check(in_channels: int, out_channels: int, ratio: tuple[int, int]) -> None:
    if len(ratio) != 2 or min(ratio) < 1:
        raise ValueError(f'a 1 x 1 convolution in two groups: ratio={ratio} must be two whole numbers above 0, '
                         'e.g. (1, 3)')
    parts = sum(ratio)
    for name, channels in (('in_channels', in_channels), ('out_channels', out_channels)):
        if channels < 1 or channels % parts:
            raise ValueError(f'a 1 x 1 convolution in two groups: {name}={channels} cannot be divided '
                             f'{ratio[0]}:{ratio[1]}; it must be a multiple of {parts}')
