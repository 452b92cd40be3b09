"""MobileNetV2 in the two flavours that published weights come in."""
import math
from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers.blocks import InvertedResidual, make_divisible
from lcvision.registry import MODELS

_STEM_WIDTH = 32
# One tuple a stage: (expansion, output width, blocks, which of ``strides`` its first block has), widths at scale 1.
_STAGES = (
    (1, 16, 1, None),  # 112 x 112 at an input of 224
    (6, 24, 2, 1),     # 56 x 56
    (6, 32, 3, 2),     # 28 x 28
    (6, 64, 4, 3),     # 14 x 14
    (6, 96, 3, None),
    (6, 160, 3, 4),    # 7 x 7
    (6, 320, 1, None),
)


@MODELS.register_module()
class MobileNetV2(Backbone):
    """MobileNetV2: inverted residuals with ReLU6 and linear bottlenecks.

    Args:
        scale: Width multiplier, above 0; the PP-LCNet paper's are 0.25, 0.5 and 1.
        style: Whose network it is: 'paddle' or 'torchvision', which mmpretrain and mmdet agree with. Weights of one
            are wrong in the other.
        strides: 1 or 2 for the stem and the stages of widths 24, 32, 64 and 160; (1, 1, 2, 2, 2) suits 32 x 32 pixels.
        kwargs: See :class:`Backbone`; the outputs are the last maps of widths 24, 32, 96 and 320.

    Source: MobileNetV2 (arXiv 1801.04381), table 2. 'paddle' (PaddleClas) cuts widths to whole numbers, so that 0.25x
    has 4 and 6 channels at first, and expands in the first block too, to the same width; 'torchvision' rounds to
    multiples of 8 and leaves that expansion out. All three rows of the PP-LCNet paper's table 3 are those of 'paddle'.
    mmpretrain's class has neither the cut widths nor that expansion. The 1280-wide convolution belongs to the
    classification head.
    """

    def __init__(self, scale: float = 1.0, style: str = 'paddle', strides: Sequence[int] = (2, 2, 2, 2, 2),
                 **kwargs: Any):
        self.check_choice(style=(style, ('paddle', 'torchvision')))
        if not isinstance(scale, int | float) or not 1 / 16 <= scale < math.inf:
            raise ValueError(f'MobileNetV2: scale={scale} must be at least 0.0625, which leaves the narrowest layer '
                             'one channel, e.g. 0.25, 0.5 or 1.0')
        steps, paddle = self.check_strides(strides, 5), style == 'paddle'
        super().__init__(init_mode='fan_in' if paddle else 'fan_out', **kwargs)
        cfg: dict = dict(norm_cfg=self.norm_cfg, act_cfg=dict(type='ReLU6'))
        width = int if paddle else make_divisible
        channels = width(_STEM_WIDTH * scale)
        self.stem = ConvModule(3, channels, 3, stride=steps[0], padding=1, **cfg)
        self.stages = nn.ModuleList()
        widths = []
        for expansion, base_width, num_blocks, place in _STAGES:
            stage = nn.Sequential()
            for block in range(num_blocks):
                stage.append(InvertedResidual(
                    channels, channels * expansion, width(base_width * scale), 3,
                    steps[place] if place and block == 0 else 1, expand=paddle or expansion > 1, **cfg))
                channels = width(base_width * scale)
            self.stages.append(stage)
            widths.append(channels)
        self.declare((1, 2, 4, 6), widths, [math.prod(steps[:count]) for count in (2, 3, 4, 5)])
