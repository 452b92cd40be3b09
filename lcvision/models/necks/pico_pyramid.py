"""The necks of PicoDet: the paper's PAN, October 2021's CSP-PAN and version 2's LC-PAN, which have one graph."""
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, ModuleList, Sequential
from torch import nn
from torch.nn import functional as F

from lcvision.models.layers.blocks import DepthwiseSeparable
from lcvision.registry import MODELS


class PicoPyramid(BaseModule):
    """Lateral convolutions, a path down and a path up that concatenate and fuse, and one coarser level.

    A subclass says in :meth:`make_fuse` what fuses two maps.

    Args:
        in_channels, out_channels: Channels of the backbone's maps, finest first, and of every output.
        kernel_size: Odd size of all depthwise kernels.
        num_outs: As many as ``in_channels``, or one more for the coarser level.

    Shapes: maps of strides s, 2s, 4s ... -> the same sizes with ``out_channels``, and half the last one rounded up.

    Source: PaddleDetection ``CSPPAN`` and ``LCPAN`` at 666f597f: nearest upsampling, 5 x 5 depthwise-separable
    halving, Kaiming-uniform convolutions.

    Differs: upsampling goes to the neighbour's size, which is doubling for even sizes; odd ones work too.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, kernel_size: int = 5, num_outs: int = 4,
                 norm_cfg: dict | None = None, act_cfg: dict | None = None, init_cfg: dict | list | None = None):
        name, levels = type(self).__name__, len(in_channels)
        if num_outs not in (levels, levels + 1):
            raise ValueError(f'{name}: num_outs={num_outs} must be {levels}, the number of in_channels, or {levels + 1}'
                             ' for a coarser level')
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f'{name}: kernel_size={kernel_size} must be odd, e.g. 5')
        super().__init__(init_cfg=init_cfg or [
            dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu', distribution='uniform'),
            dict(type='Constant', layer='_BatchNorm', val=1)])
        self.out_channels, self.kernel_size = out_channels, kernel_size
        self.layer_cfg: dict[str, Any] = dict(norm_cfg=norm_cfg or dict(type='BN'),
                                              act_cfg=act_cfg or dict(type='HSwish'))
        self.laterals = nn.ModuleList(
            ConvModule(channels, out_channels, 1, **self.layer_cfg) for channels in in_channels)
        # Coarse to fine and fine to coarse: index 0 is the first that runs.
        self.top_down = ModuleList(self.make_fuse(2 * out_channels, out_channels) for _ in in_channels[1:])
        self.downsamples = nn.ModuleList(self._halve() for _ in in_channels[1:])
        self.bottom_up = ModuleList(self.make_fuse(2 * out_channels, out_channels) for _ in in_channels[1:])
        self.extra = num_outs > levels
        if self.extra:
            self.first_top = self._halve()
            self.second_top = self._halve()

    @abstractmethod
    def make_fuse(self, in_channels: int, out_channels: int) -> nn.Module:
        """Returns what turns two concatenated maps into one of the same size.

        It is called while the pyramid is built; ``layer_cfg`` and ``kernel_size`` are set. ``in_channels`` are those of
        both maps together. A block with an ``init_cfg`` of its own initialises itself, any other gets the pyramid's.
        """

    def forward(self, feats: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        laterals = [lateral(feat) for lateral, feat in zip(self.laterals, feats, strict=True)]
        inner = [laterals[-1]]
        for fuse, finer in zip(self.top_down, reversed(laterals[:-1]), strict=True):
            coarse = F.interpolate(inner[0], size=finer.shape[2:], mode='nearest')
            inner.insert(0, fuse(torch.cat((coarse, finer), 1)))
        outs = [inner[0]]
        for halve, fuse, coarser in zip(self.downsamples, self.bottom_up, inner[1:], strict=True):
            outs.append(fuse(torch.cat((halve(outs[-1]), coarser), 1)))
        if self.extra:
            outs.append(self.first_top(laterals[-1]) + self.second_top(outs[-1]))
        return tuple(outs)

    def _halve(self) -> DepthwiseSeparable:
        return DepthwiseSeparable(self.out_channels, self.out_channels, self.kernel_size, 2, **self.layer_cfg)


@MODELS.register_module()
class CSPPAN(PicoPyramid):
    """A pyramid whose maps are fused by cross-stage-partial layers of ``num_csp_blocks`` bottlenecks.

    The number of ``out_channels`` is even; for the other arguments see :class:`PicoPyramid`.

    Source: PaddleDetection ``CSPPAN`` at 666f597f. Its norms decay like every other weight (see the configs).
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, *, num_csp_blocks: int = 1, **kwargs: Any):
        if out_channels < 2 or out_channels % 2:
            raise ValueError(f'CSPPAN: out_channels={out_channels} must be even, since each of the two branches of a '
                             'layer takes half, e.g. 96 or 128')
        if num_csp_blocks < 1:
            raise ValueError(f'CSPPAN: num_csp_blocks={num_csp_blocks} must be at least 1')
        self.num_csp_blocks = num_csp_blocks
        super().__init__(in_channels, out_channels, **kwargs)

    def make_fuse(self, in_channels: int, out_channels: int) -> nn.Module:
        return _CSPLayer(in_channels, out_channels, self.kernel_size, self.num_csp_blocks, self.layer_cfg)


class _CSPLayer(nn.Module):
    """Two halves of the output's width, one through bottlenecks without shortcut, joined by a 1 x 1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, num_blocks: int, cfg: dict):
        super().__init__()
        half = out_channels // 2
        self.main = ConvModule(in_channels, half, 1, **cfg)
        self.short = ConvModule(in_channels, half, 1, **cfg)
        self.blocks = nn.Sequential(*(_Bottleneck(half, half, kernel_size, **cfg) for _ in range(num_blocks)))
        self.final = ConvModule(2 * half, out_channels, 1, **cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.final(torch.cat((self.blocks(self.main(x)), self.short(x)), 1))


class _Bottleneck(DepthwiseSeparable):
    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, **cfg: Any):
        super().__init__(in_channels, out_channels, kernel_size, **cfg)
        self.reduce = ConvModule(in_channels, in_channels, 1, **cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(self.reduce(x))


@MODELS.register_module()
class LCPAN(PicoPyramid):
    """A pyramid whose maps are fused by two of PP-LCNet's depthwise-separable blocks; see :class:`PicoPyramid`.

    Source: PaddleDetection ``LCPAN`` at 666f597f. The fusing blocks are LCNet's, with its Kaiming-normal
    initialisation and its norms that do not decay; the other norms of this neck do (see the configs).
    """

    def make_fuse(self, in_channels: int, out_channels: int) -> nn.Module:
        return Sequential(
            DepthwiseSeparable(in_channels, in_channels, self.kernel_size, **self.layer_cfg),
            DepthwiseSeparable(in_channels, out_channels, self.kernel_size, **self.layer_cfg),
            init_cfg=dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'))


@MODELS.register_module()
class PicoPAN(BaseModule):
    """Lateral 1 x 1 convolutions, then bilinear adds down and up the pyramid; nothing else has weights.

    Its arguments are those of :class:`PicoPyramid`.

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
