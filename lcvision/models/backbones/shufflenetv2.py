"""ShuffleNetV2."""
from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.registry import MODELS

_STEM_WIDTH = 24
_BLOCKS = (4, 8, 4)
# By scale, the widths at strides 8, 16 and 32.
_WIDTHS = {0.25: (24, 48, 96), 0.33: (32, 64, 128), 0.5: (48, 96, 192),
           1.0: (116, 232, 464), 1.5: (176, 352, 704), 2.0: (244, 488, 976)}


@MODELS.register_module()
class ShuffleNetV2(Backbone):
    """ShuffleNetV2: half of the channels pass a block untouched, and every block ends with a shuffle of the halves.

    Args:
        scale: 0.25, 0.33, 0.5, 1, 1.5 or 2: the widths are a table, no multiple.
        kwargs: See :class:`Backbone`. The first stage and output 0 are the max-pooling's, which has nothing to freeze.

    Source: ShuffleNet V2 (arXiv 1807.11164), table 5, and PaddleClas, whose are 0.25 and 0.33; all three rows of the
    PP-LCNet paper's table 3 are reproduced. The last convolution, 1024 wide, belongs to the classification head.
    """

    def __init__(self, scale: float = 1.0, **kwargs: Any):
        self.check_choice(scale=(scale, _WIDTHS))
        super().__init__(**kwargs)
        cfg = dict(norm_cfg=self.norm_cfg, act_cfg=dict(type='ReLU'))
        self.stem = ConvModule(3, _STEM_WIDTH, 3, stride=2, padding=1, **cfg)
        self.stages = nn.ModuleList([nn.MaxPool2d(3, stride=2, padding=1)])
        channels = _STEM_WIDTH
        for width, num_blocks in zip(_WIDTHS[scale], _BLOCKS, strict=True):
            others = (_ShuffleBlock(width, width, 1, **cfg) for _ in range(num_blocks - 1))
            self.stages.append(nn.Sequential(_ShuffleBlock(channels, width, 2, **cfg), *others))
            channels = width
        self.declare((0, 1, 2, 3), (_STEM_WIDTH, *_WIDTHS[scale]))


class _ShuffleBlock(nn.Module):
    """Half of the channels through three convolutions, the other half past them; at stride 2 all through both ways."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm_cfg: dict, act_cfg: dict):
        super().__init__()
        half = out_channels // 2
        entering = in_channels if stride > 1 else half

        def depthwise(channels: int) -> ConvModule:
            return ConvModule(channels, channels, 3, stride, 1, groups=channels, norm_cfg=norm_cfg, act_cfg=None)

        def pointwise(channels: int) -> ConvModule:
            return ConvModule(channels, half, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)

        if stride > 1:
            self.branch1 = nn.Sequential(depthwise(in_channels), pointwise(in_channels))
        self.branch2 = nn.Sequential(pointwise(entering), depthwise(half), pointwise(half))
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        past, through = (self.branch1(x), x) if hasattr(self, 'branch1') else x.chunk(2, dim=1)
        return self.shuffle(torch.cat((past, self.branch2(through)), dim=1))
