"""HGNetV2."""
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.registry import MODELS

# By size: the stem's two widths, the layers of a block, and of the four stages the blocks, inner and output widths. The
# last two stages are light.
_ARCHS = {
    'b0': ((16, 16), 3, (1, 1, 2, 1), (16, 32, 64, 128), (64, 256, 512, 1024)),
    'b1': ((24, 32), 3, (1, 1, 2, 1), (32, 48, 96, 192), (64, 256, 512, 1024)),
    'b2': ((24, 32), 4, (1, 1, 3, 1), (32, 64, 128, 256), (96, 384, 768, 1536)),
}


@MODELS.register_module()
class HGNetV2(Backbone):
    """HGNetV2: blocks that concatenate what all their layers yield, with dense 3 x 3 and late depthwise 5 x 5 kernels.

    Args:
        arch: 'b0', 'b1' or 'b2'.
        kwargs: See :class:`Backbone`. The stem is its first convolution and the first stage the rest of it, which ends
            stride 4 below output 0.

    Source: PaddleClas ``PPHGNetV2_B0`` to ``B2``, and timm ``hgnetv2_b0`` to ``b2``, whose maps are reproduced. The
    2048-wide 1 x 1 convolution belongs to the classification head, which is PP-LCNet's with :class:`AffineReLU`.
    """

    def __init__(self, arch: str = 'b0', **kwargs: Any):
        self.check_choice(arch=(arch, _ARCHS))
        init_cfg = kwargs.pop('init_cfg', None) or [
            dict(type='Kaiming', layer='Conv2d', mode=kwargs.get('init_mode', 'fan_in'), nonlinearity='relu'),
            dict(type='Constant', layer=['_BatchNorm', 'AffineReLU'], val=1)]
        super().__init__(init_cfg=init_cfg, **kwargs)
        (first, channels), layers, depths, mids, widths = _ARCHS[arch]
        cfg: dict = dict(norm_cfg=self.norm_cfg, act_cfg=dict(type='lcvision.AffineReLU'))
        self.stem = ConvModule(3, first, 3, 2, 1, **cfg)
        self.stages = nn.ModuleList([_StemBranches(first, channels, cfg)])
        for index, (depth, mid, (entering, width)) in enumerate(
                zip(depths, mids, pairwise((channels, *widths)), strict=True)):
            down = ConvModule(entering, entering, 3, 2, 1, groups=entering, norm_cfg=self.norm_cfg, act_cfg=None)
            blocks = (_Block(entering if place == 0 else width, mid, width, layers, index > 1, place > 0, cfg)
                      for place in range(depth))
            self.stages.append(nn.Sequential(*([down] if index else []), *blocks))
        self.declare((1, 2, 3, 4), (channels, *widths))


class _StemBranches(nn.Module):
    """Two 2 x 2 convolutions beside a max-pooling, all of which keep the size, then 3 x 3 at stride 2 and 1 x 1."""

    def __init__(self, mid_channels: int, out_channels: int, cfg: dict):
        super().__init__()
        self.first = ConvModule(mid_channels, mid_channels // 2, 2, **cfg)
        self.second = ConvModule(mid_channels // 2, mid_channels, 2, **cfg)
        self.pool = nn.MaxPool2d(2, 1)
        self.down = ConvModule(2 * mid_channels, mid_channels, 3, 2, 1, **cfg)
        self.project = ConvModule(mid_channels, out_channels, 1, **cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.pad(x, (0, 1, 0, 1))
        out = self.second(F.pad(self.first(x), (0, 1, 0, 1)))
        return self.project(self.down(torch.cat((self.pool(x), out), 1)))


class _Block(nn.Module):
    """Layers in a row, whose outputs and the block's input are concatenated and taken through two 1 x 1 convolutions.

    A light layer is a 1 x 1 convolution without activation and a depthwise 5 x 5 one, another a dense 3 x 3 one.
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int, layers: int, light: bool,
                 shortcut: bool, cfg: dict):
        super().__init__()

        def layer(entering: int) -> nn.Module:
            if not light:
                return ConvModule(entering, mid_channels, 3, padding=1, **cfg)
            return nn.Sequential(ConvModule(entering, mid_channels, 1, **{**cfg, 'act_cfg': None}),
                                 ConvModule(mid_channels, mid_channels, 5, padding=2, groups=mid_channels, **cfg))

        self.layers = nn.ModuleList(layer(mid_channels if index else in_channels) for index in range(layers))
        self.squeeze = ConvModule(in_channels + layers * mid_channels, out_channels // 2, 1, **cfg)
        self.excite = ConvModule(out_channels // 2, out_channels, 1, **cfg)
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = [x]
        for layer in self.layers:
            maps.append(layer(maps[-1]))
        out = self.excite(self.squeeze(torch.cat(maps, 1)))
        return x + out if self.shortcut else out
