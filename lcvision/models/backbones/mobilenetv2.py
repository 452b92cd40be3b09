"""MobileNetV2 in the two flavours that published weights come in."""
import math
from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers import InvertedResidual, make_divisible
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
_STYLES = ('paddle', 'torchvision')


@MODELS.register_module()
class MobileNetV2(Backbone):
    """MobileNetV2: inverted residuals with ReLU6 and linear bottlenecks.

    Args:
        scale: Width multiplier, above 0; the PP-LCNet paper's are 0.25, 0.5 and 1.
        style: Whose network it is: 'paddle' or 'torchvision', which mmpretrain and mmdet agree with. Weights of one
            are wrong in the other.
        strides: Strides of the stem and of the stages of widths 24, 32, 64 and 160, each 1 or 2. For images of
            32 x 32 pixels (1, 1, 2, 2, 2).
        out_indices: Outputs to return, the last maps of widths 24, 32, 96 and 320; with the usual ``strides`` 0..3
            have strides 4, 8, 16, 32.
        frozen_stages: Stages to freeze with the stem, see :class:`Backbone`.
        norm_cfg: Norm of every convolution.
        norm_eval: Whether norms use running statistics in training.
        init_cfg: mmengine initialisation.
        output_stride: Stride of the deepest map: 8, 16 or 32, see :class:`Backbone`.

    Shapes: (N, 3, H, W) -> tuple of (N, C_i, ceil(H / s_i), ceil(W / s_i)).

    Raises:
        ValueError: If ``style`` is unknown, ``strides`` are not five of 1 and 2, or ``scale`` leaves a layer without
            channels.

    Source: MobileNetV2 (arXiv 1801.04381), table 2. 'paddle' (PaddleClas) cuts widths to whole numbers, so that 0.25x
    has 4 and 6 channels at first, and expands in the first block too, to the same width; 'torchvision' rounds to
    multiples of 8 and leaves that expansion out. All three rows of the PP-LCNet paper's table 3 are those of 'paddle'.
    mmpretrain's class has neither the cut widths nor that expansion. The 1280-wide convolution belongs to the
    classification head.
    """

    def __init__(self, scale: float = 1.0, style: str = 'paddle', strides: Sequence[int] = (2, 2, 2, 2, 2),
                 out_indices: Sequence[int] = (0, 1, 2, 3), frozen_stages: int = -1, norm_cfg: dict | None = None,
                 norm_eval: bool = False, init_cfg: dict | list | None = None, output_stride: int = 32):
        if style not in _STYLES:
            raise ValueError(f'MobileNetV2: style={style!r} must be one of {", ".join(map(repr, _STYLES))}')
        if not isinstance(scale, int | float) or not 1 / 16 <= scale < math.inf:
            raise ValueError(f'MobileNetV2: scale={scale} must be at least 0.0625, which leaves the narrowest layer '
                             'one channel, e.g. 0.25, 0.5 or 1.0')
        if len(strides) != 5 or not set(strides) <= {1, 2}:
            raise ValueError(f'MobileNetV2: strides={strides} must be five of 1 and 2, e.g. (1, 1, 2, 2, 2)')
        super().__init__(out_indices, frozen_stages, norm_eval, init_cfg or [
            dict(type='Kaiming', layer='Conv2d', mode='fan_in' if style == 'paddle' else 'fan_out',
                 nonlinearity='relu'),
            dict(type='Constant', layer='_BatchNorm', val=1),
        ], output_stride)
        cfg: dict[str, Any] = dict(norm_cfg=norm_cfg or dict(type='BN'), act_cfg=dict(type='ReLU6'))
        width = int if style == 'paddle' else make_divisible
        channels = width(_STEM_WIDTH * scale)
        self.stem = ConvModule(3, channels, 3, stride=strides[0], padding=1, **cfg)
        self.stages = nn.ModuleList()
        widths = []
        for expansion, base_width, num_blocks, place in _STAGES:
            stage = nn.Sequential()
            for block in range(num_blocks):
                stage.append(InvertedResidual(
                    channels, channels * expansion, width(base_width * scale), 3,
                    strides[place] if place and block == 0 else 1, expand=style == 'paddle' or expansion > 1, **cfg))
                channels = width(base_width * scale)
            self.stages.append(stage)
            widths.append(channels)
        ends = (1, 2, 4, 6)
        self.declare(ends, [widths[end] for end in ends],
                     [math.prod(strides[:count]) for count in range(2, 6)])
