"""Atrous spatial pyramid pooling."""
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import nn


class ASPP(nn.Module):
    """Looks at a map through several dilations and through its mean, and joins what it sees.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of every branch and of the output.
        ratios: Dilation of each branch; 1 makes it a 1 x 1 convolution, any other a separable 3 x 3 one.
        dropout: Probability of dropping an element of the output.
        norm_cfg: Norm of every convolution.
        act_cfg: Activation of every convolution but the depthwise ones, which have none.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, H, W).

    Source: PaddleSeg ``ASPPModule`` with separable convolutions and image pooling: biases before the norms except in
    the branch of the mean, which comes last; a 1 x 1 convolution joins.

    Differs: the mean's branch is repeated over the map where the reference interpolates its one pixel: the same.
    """

    def __init__(self, in_channels: int, out_channels: int, ratios: Sequence[int], dropout: float, norm_cfg: dict,
                 act_cfg: dict):
        super().__init__()
        cfg: dict = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.branches = nn.ModuleList(
            ConvModule(in_channels, out_channels, 1, bias=True, **cfg) if ratio == 1 else
            separable(in_channels, out_channels, ratio, **cfg) for ratio in ratios)
        self.image_pool = ConvModule(in_channels, out_channels, 1, **cfg)
        self.project = ConvModule((len(ratios) + 1) * out_channels, out_channels, 1, bias=True, **cfg)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Runs the branches, joins and drops."""
        mean = self.image_pool(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.dropout(self.project(torch.cat([*(branch(x) for branch in self.branches), mean], 1)))


def separable(in_channels: int, out_channels: int, dilation: int = 1, *, norm_cfg: dict,
              act_cfg: dict) -> DepthwiseSeparableConvModule:
    """A depthwise 3 x 3 convolution without activation and a 1 x 1 one with it, both with bias and norm.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        dilation: Of the depthwise one; padding keeps the size.
        norm_cfg: Norm of both.
        act_cfg: Activation of the second.

    Source: PaddleSeg ``SeparableConvBNReLU``.
    """
    return DepthwiseSeparableConvModule(in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=True,
                                        norm_cfg=norm_cfg, act_cfg=act_cfg, dw_act_cfg=None)
