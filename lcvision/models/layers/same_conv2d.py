"""Convolution with TensorFlow's 'same' padding."""
import torch
import torch.nn.functional as F
from torch import nn

from lcvision.registry import MODELS


@MODELS.register_module()
class SameConv2d(nn.Conv2d):
    """A convolution whose output has ceil(side / stride) places whatever the input's size.

    Both sides of an axis share the padding that this takes; where it is odd, the end gets the extra pixel. Stride and
    dilation are read at every call, so that they may change after construction.

    Args:
        kernel_size: Odd and at least ``stride``; it and what is not explained here is as in torch's ``Conv2d``.
        padding: Not used; it is here because mmcv's ``ConvModule`` gives one.
        image_size: Side in pixels from which the padding is computed, None for the input's own. It is the 'static'
            padding of the first PyTorch EfficientNets, which gave every layer that of the whole image.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)); with an even
    ``image_size``, floor in place of ceil.

    Source: TensorFlow's padding 'SAME'.

    Differs: mmcv's ``Conv2dAdaptivePadding`` computes the same, but fixes the size in an exported graph, always copies
    the map and knows no ``image_size``.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0,
                 dilation: int = 1, groups: int = 1, bias: bool = True, image_size: int | None = None):
        if kernel_size % 2 == 0 or kernel_size < stride:
            raise ValueError(f'SameConv2d: kernel_size={kernel_size} must be odd and at least stride={stride}, e.g. 3')
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)
        self.image_size = image_size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (top, bottom), (left, right) = self._padding(x, 0), self._padding(x, 1)
        if self.stride == (1, 1):
            # The only case in which no size decides whether both ends are equal.
            return self._convolve(x, self.weight, (bottom, right))
        # At inference a longer kernel, whose additional first taps are zero, saves the copy of a large map. Training is
        # slower with it, a compiler pads while it writes the map, and a dense kernel's taps cost more than the copy.
        if (self.groups == self.in_channels and self.dilation == (1, 1) and not torch.is_grad_enabled()
                and not torch.compiler.is_compiling()):
            kernel = F.pad(self.weight, (right - left, 0, bottom - top, 0))
            return self._convolve(x, kernel, (bottom, right))
        return self._convolve(F.pad(x, (left, right, top, bottom)), self.weight, (0, 0))

    def _convolve(self, x: torch.Tensor, weight: torch.Tensor, padding: tuple[int, int]) -> torch.Tensor:
        return F.conv2d(x, weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _padding(self, x: torch.Tensor, axis: int) -> tuple[int, int]:
        reach, stride = (self.kernel_size[axis] - 1) * self.dilation[axis], self.stride[axis]
        if stride == 1:
            return reach // 2, reach - reach // 2
        side = self.image_size or x.shape[2 + axis]
        # A kernel is at least as long as its stride: there is nothing to clip at zero.
        total = (side - 1) // stride * stride + reach + 1 - side
        return total // 2, total - total // 2
