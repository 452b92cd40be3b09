"""PP-LCNetV2."""
import copy
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule, build_activation_layer
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers.blocks import SqueezeExcite, make_divisible
from lcvision.registry import MODELS

_STEM_WIDTH = 32
# By size, the width multiplier and the blocks of the four stages.
_ARCHS = {'small': (0.75, (2, 2, 4, 2)), 'base': (1.0, (2, 2, 6, 2)), 'large': (1.25, (2, 2, 8, 2))}
# One tuple a stage: (output width at multiplier 1, kernel, what its blocks have beyond the two convolutions).
_STAGES: tuple[tuple[int, int, dict], ...] = (
    (128, 3, {}), (256, 3, {}), (512, 5, dict(rep=True, se=True, split=True)),
    (1024, 5, dict(rep=True, shortcut=True)))


@MODELS.register_module()
class PPLCNetV2(Backbone):
    """PP-LCNetV2: depthwise-separable blocks with ReLU, whose late depthwise kernels are trained as sums of several.

    Args:
        arch: 'small', 'base' or 'large': the width multiplier and the blocks of each stage.
        kwargs: See :class:`Backbone`.

    Source: PaddleClas ``PPLCNetV2``. The 1280-wide 1 x 1 convolution belongs to the classification head, which is
    PP-LCNet's with ReLU.

    Differs: PaddleClas also holds the folded kernels while they are not in use; they are no parameters here.
    """

    def __init__(self, arch: str = 'base', **kwargs: Any):
        self.check_choice(arch=(arch, _ARCHS))
        super().__init__(**kwargs)
        scale, depths = _ARCHS[arch]
        cfg: dict = dict(norm_cfg=self.norm_cfg, act_cfg=dict(type='ReLU'))
        first, channels = (make_divisible(_STEM_WIDTH * factor * scale) for factor in (1, 2))
        self.stem = nn.Sequential(ConvModule(3, first, 3, 2, 1, **cfg), _Block(first, channels, 3, 1, **cfg))
        self.stages, widths = nn.ModuleList(), []
        for (base_width, kernel, extras), depth in zip(_STAGES, depths, strict=True):
            width = make_divisible(base_width * scale)
            self.stages.append(nn.Sequential(
                _Block(channels, width, kernel, 2, **extras, **cfg),
                *(_Block(width, width, kernel, 1, **extras, **cfg) for _ in range(depth - 1))))
            channels = width
            widths.append(width)
        self.declare((0, 1, 2, 3), widths)


class _Block(nn.Module):
    """A depthwise convolution and a 1 x 1 one (``split``: two), with what a stage adds to them."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, *, rep: bool = False,
                 se: bool = False, split: bool = False, shortcut: bool = False, norm_cfg: dict, act_cfg: dict):
        super().__init__()
        cfg: dict = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.dw = (RepDepthwise(in_channels, kernel_size, stride, **cfg) if rep else
                   ConvModule(in_channels, in_channels, kernel_size, stride, kernel_size // 2, groups=in_channels,
                              **cfg))
        self.se = SqueezeExcite(in_channels, in_channels // 4, dict(type='Sigmoid')) if se else nn.Identity()
        half = out_channels // 2
        self.pw = (nn.Sequential(ConvModule(in_channels, half, 1, **cfg), ConvModule(half, out_channels, 1, **cfg))
                   if split else ConvModule(in_channels, out_channels, 1, **cfg))
        self.shortcut = shortcut and stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.pw(self.se(self.dw(x)))
        return x + out if self.shortcut else out


class RepDepthwise(nn.Module):
    """The sum of depthwise convolutions with all odd kernels up to one, each with its norm, and an activation.

    Args:
        channels: Channels of input and output.
        kernel_size, stride: Of the largest kernel, odd; the 1 x 1 kernel is there at stride 1 only.
        norm_cfg, act_cfg: Norm of each convolution, and activation after the sum.

    Shapes: (N, channels, H, W) -> (N, channels, ceil(H / stride), ceil(W / stride)).

    Source: PaddleClas ``RepDepthwiseSeparable``.
    """

    def __init__(self, channels: int, kernel_size: int, stride: int, *, norm_cfg: dict, act_cfg: dict):
        super().__init__()
        self.branches = nn.ModuleList(
            ConvModule(channels, channels, size, stride, size // 2, groups=channels, norm_cfg=norm_cfg, act_cfg=None)
            for size in range(kernel_size, 1 if stride > 1 else 0, -2))
        self.act = build_activation_layer(act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(reduce(torch.add, [branch(x) for branch in self.branches]))

    def switch_to_deploy(self) -> None:
        """Becomes one convolution with the running statistics of the norms; other norms than batch norms stay."""
        branches: list[Any] = [*self.branches]
        norms: list[Any] = [getattr(branch, 'norm', None) for branch in branches]
        if not all(isinstance(norm, _BatchNorm) and norm.running_mean is not None for norm in norms):
            return
        conv = copy.deepcopy(branches[0].conv)
        conv.bias = nn.Parameter(conv.weight.new_zeros(conv.out_channels), conv.weight.requires_grad)
        with torch.no_grad():
            conv.weight.zero_()
            for branch, norm in zip(branches, norms, strict=True):
                weight, bias = fuse_conv_bn_weights(branch.conv.weight, None, norm.running_mean, norm.running_var,
                                                    norm.eps, norm.weight, norm.bias)
                conv.weight += F.pad(weight, 4 * [(conv.kernel_size[0] - weight.shape[-1]) // 2])
                conv.bias += bias
        self.branches = nn.ModuleList([conv])
