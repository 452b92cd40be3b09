"""The path-aggregation neck of the PP-LCNet paper's PicoDet."""
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import nn
from torch.nn import functional as F

from lcvision.registry import MODELS


@MODELS.register_module()
class PicoPAN(BaseModule):
    """Lateral 1 x 1 convolutions, then bilinear adds down and up the pyramid; nothing else has weights.

    Args:
        in_channels, out_channels: Channels of the backbone's maps, finest first, and of every output.

    Shapes: maps of strides s, 2s, 4s ... in, the same sizes with ``out_channels`` out. Input sizes that are not
        multiples of the coarsest stride are resized to each neighbour's size.

    Source: PaddleDetection ``PAN`` at b1186bc822 (September 2021): laterals with bias and without norm or activation,
    Xavier-uniform with the input width as fan-out, i.e. within sqrt(3 / width), half-pixel bilinear resizing both ways.

    Differs: the halving resize is a 2 x 2 average pool, which is the same arithmetic for even sizes and faster; odd
    sizes, which the reference refuses, are resized bilinearly.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, init_cfg: dict | list | None = None):
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='linear',
                                          distribution='uniform'))
        self.laterals = nn.ModuleList(nn.Conv2d(channels, out_channels, 1) for channels in in_channels)

    def forward(self, feats: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        maps = [lateral(feat) for lateral, feat in zip(self.laterals, feats, strict=True)]
        for i in range(len(maps) - 1, 0, -1):
            maps[i - 1] = maps[i - 1] + _resize(maps[i], maps[i - 1])
        for i in range(len(maps) - 1):
            maps[i + 1] = maps[i + 1] + _resize(maps[i], maps[i + 1])
        return tuple(maps)


def _resize(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    height, width = like.shape[2:]
    if (2 * height, 2 * width) == tuple(x.shape[2:]):
        return F.avg_pool2d(x, 2)
    return F.interpolate(x, size=(height, width), mode='bilinear', align_corners=False)
