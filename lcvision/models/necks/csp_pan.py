"""The neck of the October 2021 PicoDet."""
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.layers import DepthwiseSeparable
from lcvision.models.necks.pico_pyramid import PicoPyramid
from lcvision.registry import MODELS


@MODELS.register_module()
class CSPPAN(PicoPyramid):
    """A pyramid whose maps are fused by cross-stage-partial layers.

    Args:
        in_channels: Channels of the backbone's maps, finest first.
        out_channels: Channels of every output, an even number.
        kernel_size: Odd size of all depthwise kernels.
        num_outs: As many as ``in_channels``, or one more for a coarser level.
        num_csp_blocks: Bottlenecks a layer.
        norm_cfg: Norm of every convolution.
        act_cfg: Activation of every convolution.
        init_cfg: mmengine initialisation.

    Shapes: see :class:`PicoPyramid`.

    Raises:
        ValueError: If an argument does not fit.

    Source: PaddleDetection ``CSPPAN`` at 666f597f. Its norms decay like every other weight (see the configs).
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, kernel_size: int = 5, num_outs: int = 4,
                 num_csp_blocks: int = 1, norm_cfg: dict | None = None, act_cfg: dict | None = None,
                 init_cfg: dict | list | None = None):
        if out_channels < 2 or out_channels % 2:
            raise ValueError(f'CSPPAN: out_channels={out_channels} must be even, since each of the two branches of a '
                             'layer takes half, e.g. 96 or 128')
        if num_csp_blocks < 1:
            raise ValueError(f'CSPPAN: num_csp_blocks={num_csp_blocks} must be at least 1')
        self.num_csp_blocks = num_csp_blocks
        super().__init__(in_channels, out_channels, kernel_size, num_outs, norm_cfg, act_cfg, init_cfg)

    def make_fuse(self, in_channels: int, out_channels: int) -> nn.Module:
        """Returns a cross-stage-partial layer."""
        return _CSPLayer(in_channels, out_channels, self.kernel_size, self.num_csp_blocks, **self.layer_cfg)


class _CSPLayer(nn.Module):
    """Two halves of the output's width, one through bottlenecks without shortcut, joined by a 1 x 1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, num_blocks: int, norm_cfg: dict,
                 act_cfg: dict | None):
        super().__init__()
        half = out_channels // 2
        self.main = ConvModule(in_channels, half, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.short = ConvModule(in_channels, half, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.blocks = nn.Sequential(*(_Bottleneck(half, kernel_size, norm_cfg, act_cfg) for _ in range(num_blocks)))
        self.final = ConvModule(2 * half, out_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.final(torch.cat((self.blocks(self.main(x)), self.short(x)), 1))


class _Bottleneck(DepthwiseSeparable):
    """A 1 x 1 convolution before a depthwise-separable block."""

    def __init__(self, channels: int, kernel_size: int, norm_cfg: dict, act_cfg: dict | None):
        super().__init__(channels, channels, kernel_size, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.reduce = ConvModule(channels, channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(self.reduce(x))
