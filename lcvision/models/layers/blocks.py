"""Depthwise-separable and inverted residual blocks, and what they are made of."""
import torch
from mmcv.cnn import ConvModule, build_activation_layer
from mmcv.cnn.bricks.drop import build_dropout
from torch import nn
from torch.nn import functional as F

from lcvision.registry import MODELS


def make_divisible(width: float, divisor: int = 8) -> int:
    """Rounds a number of channels to a multiple of ``divisor``, at least one, and never loses more than a tenth.

    Source: MobileNetV2's reference code; identical in PaddleClas, torchvision and mmpretrain.
    """
    rounded = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * width else rounded


@MODELS.register_module()
class HardSigmoid(nn.Module):
    """Computes clip(slope * x + 0.5, 0, 1), with a slope above 0; torch's own hard-sigmoid has 1 / 6.

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
        return F.hardsigmoid(x * (6 * self.slope))

    def extra_repr(self) -> str:
        return f'slope={self.slope}'


@MODELS.register_module()
class AffineReLU(nn.Module):
    """ReLU, then a weight and a bias that all channels share.

    Args:
        inplace: Not used; it is here because mmcv's ``ConvModule`` gives one.

    Source: the learnable affine block of PaddleClas ``PPHGNetV2`` and timm, behind its ReLU.
    """

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * F.relu(x) + self.bias


@MODELS.register_module()
class DropConnect(nn.Module):
    """Zeroes a branch for a share ``drop_prob`` of the images in training and scales it by the rest at inference.

    Source: the EfficientNet code that the authors of EfficientNet-eLite built on.

    Differs: mmcv's ``DropPath``, TensorFlow and timm divide by the rest in training and leave the branch as it is at
    inference. This one is for weights that were trained with it.
    """

    def __init__(self, drop_prob: float):
        super().__init__()
        if not 0 <= drop_prob < 1:
            raise ValueError(f'DropConnect: drop_prob={drop_prob} must lie in 0..1, 1 excluded, e.g. 0.2')
        self.drop_prob = drop_prob

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x * (1 - self.drop_prob)
        return x * (torch.rand((x.shape[0],) + (1,) * (x.ndim - 1), device=x.device) >= self.drop_prob)

    def extra_repr(self) -> str:
        return f'drop_prob={self.drop_prob}'


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


class SqueezeExcite(nn.Module):
    """Scales every channel by a gate computed from the global means of all channels.

    Args:
        channels, mid_channels: Channels of input and output, and of the bottleneck.
        gate_cfg, act_cfg: Activations of the gate, None for relu6(x + 3) / 6, and in the bottleneck, None for ReLU.

    Source: PaddleClas PP-LCNet: ReLU inside, hard-sigmoid as gate, both convolutions with bias.
    """

    def __init__(self, channels: int, mid_channels: int, gate_cfg: dict | None = None, act_cfg: dict | None = None):
        super().__init__()
        self.reduce = nn.Conv2d(channels, mid_channels, 1)
        self.act = build_activation_layer(act_cfg) if act_cfg else nn.ReLU(inplace=True)
        self.expand = nn.Conv2d(mid_channels, channels, 1)
        self.gate = build_activation_layer(gate_cfg) if gate_cfg else nn.Hardsigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(self.expand(self.act(self.reduce(x.mean((2, 3), keepdim=True)))))


class DepthwiseSeparable(nn.Module):
    """A depthwise k x k and a 1 x 1 convolution, each with norm and activation, no shortcut.

    Args:
        kernel_size, stride: Of the depthwise convolution; odd, and padded to keep the size at stride 1.
        se: Whether a squeeze-excite of a quarter of the input width stands between the two.
        norm_cfg, act_cfg: Norm of both convolutions and activation after it; None for no activation.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    Source: PP-LCNet, figure 2; PaddleDetection's LCNet, PicoFeat and DPModule are this same block.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, *, se: bool = False,
                 norm_cfg: dict, act_cfg: dict | None):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f'DepthwiseSeparable: kernel_size={kernel_size} must be odd, e.g. 3 or 5')
        cfg: dict = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.dw = ConvModule(in_channels, in_channels, kernel_size, stride, kernel_size // 2, groups=in_channels, **cfg)
        self.se = SqueezeExcite(in_channels, in_channels // 4) if se else nn.Identity()
        self.pw = ConvModule(in_channels, out_channels, 1, **cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pw(self.se(self.dw(x)))


class InvertedResidual(nn.Module):
    """A 1 x 1 convolution to more channels, a depthwise one, a gate and a linear 1 x 1 convolution, with a shortcut.

    The shortcut stands where stride 1 and equal widths allow it.

    Args:
        mid_channels, kernel_size, stride: Of the depthwise convolution; the size is odd.
        expand: Whether the first 1 x 1 convolution is there; without it ``mid_channels`` equals ``in_channels``.
        se_channels: Width of the squeeze-excite's bottleneck, None for no squeeze-excite.
        gate_cfg, se_act_cfg: Activations of its gate and in its bottleneck, see :class:`SqueezeExcite`.
        strided_cfg: Config of a strided depthwise convolution, e.g. of :class:`SameConv2d`; None for torch's, which
            pads by ``kernel_size // 2`` on every side.
        drop_cfg: Config of what drops the branch for some images in training, where there is a shortcut; or None.
        norm_cfg, act_cfg: Norm of the three convolutions, and activation after the first two.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    Source: MobileNetV2 (arXiv 1801.04381), figure 3, and MobileNetV3 (arXiv 1905.02244), figure 4. EfficientNet's
    MBConv is this block with its own squeeze-excite.
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int, kernel_size: int, stride: int = 1, *,
                 expand: bool = True, se_channels: int | None = None, gate_cfg: dict | None = None,
                 se_act_cfg: dict | None = None, strided_cfg: dict | None = None, drop_cfg: dict | None = None,
                 norm_cfg: dict, act_cfg: dict):
        super().__init__()
        if not expand and in_channels != mid_channels:
            raise ValueError(f'InvertedResidual: mid_channels={mid_channels} must be in_channels={in_channels} '
                             'without the expanding convolution; set expand=True')
        cfg: dict = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.expand = ConvModule(in_channels, mid_channels, 1, **cfg) if expand else nn.Identity()
        # At stride 1 all paddings that keep the size are the same.
        self.dw = ConvModule(mid_channels, mid_channels, kernel_size, stride, kernel_size // 2, groups=mid_channels,
                             conv_cfg=strided_cfg if stride > 1 else None, **cfg)
        self.se = SqueezeExcite(mid_channels, se_channels, gate_cfg, se_act_cfg) if se_channels else nn.Identity()
        self.project = ConvModule(mid_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        self.shortcut = stride == 1 and in_channels == out_channels
        self.drop = build_dropout(drop_cfg) if drop_cfg and self.shortcut else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.project(self.se(self.dw(self.expand(x))))
        return x + self.drop(out) if self.shortcut else out
