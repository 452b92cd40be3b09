"""Seesaw-Net."""
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers.seesaw_block import SeesawBlock
from lcvision.registry import MODELS

_WIDTHS = (32, 16, 24, 32, 64, 96, 160, 320)
_WIDTHS_OF_TWELVE = (36, 12, 24, 36, 72, 96, 156, 312)
# Blocks of the seven rows.
_DEPTHS = {'1.0D': (1, 4, 6, 8, 6, 6, 1), '0.5D': (1, 2, 3, 4, 3, 3, 1)}
# Stem and seven rows; in a row the first block has the stride.
_STRIDES = {'imagenet': (2, 1, 2, 2, 2, 1, 2, 1), 'cifar': (1, 1, 1, 2, 2, 1, 1, 1)}


@dataclass(frozen=True)
class _Arch:
    """What the four networks differ in."""

    widths: tuple[int, ...]  # of stem and seven rows
    even_from: int  # blocks with this many input channels or more have two equal groups
    ratio: tuple[int, int]  # of the two groups in the other blocks
    mirror: bool  # the second 1 x 1 convolution of those has the larger group first
    permute: bool  # channels before the depthwise convolution


_ARCHS = {'shuffle': _Arch(_WIDTHS, 160, (1, 3), mirror=False, permute=True),
          'share_v0': _Arch(_WIDTHS_OF_TWELVE, 156, (1, 2), mirror=True, permute=False),
          'share_v1': _Arch(_WIDTHS, 160, (1, 3), mirror=True, permute=False),
          'share_v2': _Arch(_WIDTHS_OF_TWELVE, 156, (1, 2), mirror=True, permute=True)}


@MODELS.register_module()
class SeesawNet(Backbone):
    """Seesaw-Net: inverted residuals whose 1 x 1 convolutions have two groups of unequal size.

    Args:
        arch: 'shuffle' permutes channels between the groups; 'share_v0' and 'share_v1' let the groups of neighbouring
            convolutions overlap instead; 'share_v2' does both.
        depth: '1.0D' with 32 blocks, or '0.5D' with 17.
        strides: 'imagenet' (32 in all), 'cifar' (4 in all), or eight numbers 1 or 2: those of the stem and of the first
            block of each row. The paper's tables 6 and 7 have (1, 1, 1, 2, 2, 1, 2, 1), 8 in all.
        expand: Width of the depthwise convolutions in multiples of a block's input, 1 in the first block; the paper's
            table 7 has 3.
        kwargs: See :class:`Backbone`. Stages are the rows; the outputs are the last maps of rows 2, 3, 5 and 7, with
            'cifar' of strides 1, 2, 4, 4.

    Source: SeesawNet (arXiv 1905.03672), tables 2 to 7, and the authors' code for 'shuffle'. Every printed number of
    parameters and multiply-adds is reproduced. Blocks with 160 or more input channels are even, as in the code; table 2
    prints the whole row of 160 as uneven, which would need 370 million multiply-adds where table 5 has 361.

    The share networks were never published as code; what is certain and what is not:
        * 'share_v1' has unchanged widths divided 1:3: nothing else gives its counts (108 and 181 million). That the
          second 1 x 1 convolution of a block has the larger group first, so that the middle channels are in the large
          group of both, is how the author's later face recognition network does it.
        * 'share_v0' is divided 1:2. With unchanged widths (rounded down) its larger variant has 173 million
          multiply-adds where the paper has 175, so widths were changed, as its text says. Widths of multiples of
          twelve nearest to the original give all its counts (104 and 175 million); other widths do too.
        * 'share_v2', only in table 6, has widths of 'share_v0' and the permutation of 'shuffle': 57 million as printed.
        * Norms and activations stand where 'shuffle' has them. The counts do not depend on it.

    Differs: all blocks of 'share_v0' and 'share_v2' with 156 or more input channels are even, where 'shuffle' begins at
    160: it is the same row.
    """

    def __init__(self, arch: str = 'shuffle', depth: str = '1.0D', strides: str | Sequence[int] = 'imagenet',
                 expand: int = 6, **kwargs: Any):
        self.check_choice(arch=(arch, _ARCHS), depth=(depth, _DEPTHS))
        named = _STRIDES.get(strides, strides) if isinstance(strides, str) else strides
        steps = self.check_strides(named, len(_WIDTHS), "'imagenet', 'cifar' or ")
        if not isinstance(expand, int) or expand < 1:
            raise ValueError(f'SeesawNet: expand={expand!r} must be a whole number above 0, e.g. 6 or 3')
        super().__init__(init_mode='fan_out', **kwargs)
        rules = _ARCHS[arch]
        channels = rules.widths[0]
        self.stem = ConvModule(3, channels, 3, stride=steps[0], padding=1, norm_cfg=self.norm_cfg,
                               act_cfg=dict(type='ReLU6'))
        self.stages = nn.ModuleList()
        for row, (width, blocks, step) in enumerate(zip(rules.widths[1:], _DEPTHS[depth], steps[1:], strict=True)):
            stage = nn.Sequential()
            for block in range(blocks):
                even = channels >= rules.even_from
                stage.append(SeesawBlock(channels, width, step if block == 0 else 1, expand if row else 1,
                                         ratio=(1, 1) if even else rules.ratio, mirror=rules.mirror,
                                         permute=rules.permute, norm_cfg=self.norm_cfg))
                channels = width
            self.stages.append(stage)
        ends = (1, 2, 4, 6)
        self.declare(ends, rules.widths[1:], [math.prod(steps[:end + 2]) for end in ends])
