"""MobileNetV3 in the three flavours that published weights come in."""
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers.blocks import InvertedResidual, make_divisible
from lcvision.registry import MODELS

_STEM_WIDTH = 16
# One tuple a block: (kernel, expanded width, output width, squeeze-excite, activation, stride), widths at scale 1;
# the comments give the size of a block's input where it changes.
_ARCHS = {
    'large': (
        (3, 16, 16, False, 'ReLU', 1),     # 112 x 112 at an input of 224
        (3, 64, 24, False, 'ReLU', 2),
        (3, 72, 24, False, 'ReLU', 1),     # 56 x 56
        (5, 72, 40, True, 'ReLU', 2),
        (5, 120, 40, True, 'ReLU', 1),     # 28 x 28
        (5, 120, 40, True, 'ReLU', 1),
        (3, 240, 80, False, 'HSwish', 2),
        (3, 200, 80, False, 'HSwish', 1),  # 14 x 14
        (3, 184, 80, False, 'HSwish', 1),
        (3, 184, 80, False, 'HSwish', 1),
        (3, 480, 112, True, 'HSwish', 1),
        (3, 672, 112, True, 'HSwish', 1),
        (5, 672, 160, True, 'HSwish', 2),
        (5, 960, 160, True, 'HSwish', 1),  # 7 x 7
        (5, 960, 160, True, 'HSwish', 1),
    ),
    'small': (
        (3, 16, 16, True, 'ReLU', 2),      # 112 x 112 at an input of 224
        (3, 72, 24, False, 'ReLU', 2),     # 56 x 56
        (3, 88, 24, False, 'ReLU', 1),     # 28 x 28
        (5, 96, 40, True, 'HSwish', 2),
        (5, 240, 40, True, 'HSwish', 1),   # 14 x 14
        (5, 240, 40, True, 'HSwish', 1),
        (5, 120, 48, True, 'HSwish', 1),
        (5, 144, 48, True, 'HSwish', 1),
        (5, 288, 96, True, 'HSwish', 2),
        (5, 576, 96, True, 'HSwish', 1),   # 7 x 7
        (5, 576, 96, True, 'HSwish', 1),
    ),
}


@dataclass(frozen=True)
class _Style:
    """What the published networks differ in besides the table."""

    se_divisor: int  # of the squeeze-excite's bottleneck, a quarter of the expanded width
    gate_cfg: dict | None  # None is torch's hard-sigmoid, clip(x / 6 + 0.5, 0, 1); Paddle's has the slope 0.2
    always_expand: bool  # to the input's own width as well
    hswish_only: bool  # in place of the table's ReLU
    strided_cfg: dict | None  # of padding as TensorFlow's
    norm_cfg: dict
    init_mode: str


_STYLES = {
    'paddle': _Style(1, dict(type='lcvision.HardSigmoid', slope=0.2), always_expand=True, hswish_only=False,
                     strided_cfg=None, norm_cfg=dict(type='BN'), init_mode='fan_in'),
    'paddleseg2021': _Style(1, None, always_expand=True, hswish_only=True,
                            strided_cfg=dict(type='lcvision.SameConv2d'), norm_cfg=dict(type='BN'), init_mode='fan_in'),
    'torchvision': _Style(8, None, always_expand=False, hswish_only=False, strided_cfg=None,
                          norm_cfg=dict(type='BN', eps=1e-3, momentum=0.01), init_mode='fan_out'),
}


@MODELS.register_module()
class MobileNetV3(Backbone):
    """MobileNetV3: inverted residuals with squeeze-excite and hard-swish in the rows that a search chose.

    Args:
        arch: 'large' with 15 blocks or 'small' with 11.
        scale: Width multiplier, above 0, of the stem and of the expanded and output widths.
        style: Whose network it is: 'paddle' (PaddleClas, PaddleDetection and PaddleSeg today), 'paddleseg2021'
            (PaddleSeg in September 2021) or 'torchvision'. Weights of one are wrong in another.
        strides: Of the stem and of the four blocks that halve the map, 1 or 2 each.
        norm_cfg: Norm of every convolution, in place of the style's own.
        kwargs: See :class:`Backbone`, whose stages are the blocks here.

    Source: MobileNetV3 (arXiv 1905.02244), tables 1 and 2, and for the styles the three code bases. The 960-wide
    (small: 576) and 1280-wide convolutions belong to the classification head.

    Differs: the output of stride s is that of the last block at that stride, as PaddleDetection and PaddleSeg take it;
    torchvision's detectors take the expansion of the next block.
    """

    def __init__(self, arch: str = 'large', scale: float = 1.0, style: str = 'paddle',
                 strides: Sequence[int] = (2, 2, 2, 2, 2), norm_cfg: dict | None = None, **kwargs: Any):
        self.check_choice(arch=(arch, _ARCHS), style=(style, _STYLES))
        if not isinstance(scale, int | float) or not 0 < scale < math.inf:
            raise ValueError(f'MobileNetV3: scale={scale} must be above 0, e.g. 0.35, 0.5, 0.75, 1.0 or 1.25')
        rules = _STYLES[style]
        norm_cfg = norm_cfg or rules.norm_cfg
        steps = self.check_strides(strides, 5)
        super().__init__(norm_cfg=norm_cfg, init_mode=rules.init_mode, **kwargs)
        channels = make_divisible(_STEM_WIDTH * scale)
        self.stem = ConvModule(3, channels, 3, stride=steps[0], padding=1, norm_cfg=norm_cfg,
                               act_cfg=dict(type='HSwish'))
        self.blocks = nn.ModuleList()
        widths: list[int] = []
        halving = iter(steps[1:])
        for kernel, mid, width, se, act, stride in _ARCHS[arch]:
            stride = next(halving) if stride == 2 else 1
            mid, width = make_divisible(mid * scale), make_divisible(width * scale)
            self.blocks.append(InvertedResidual(
                channels, mid, width, kernel, stride, expand=rules.always_expand or mid != channels,
                se_channels=make_divisible(mid // 4, rules.se_divisor) if se else None, gate_cfg=rules.gate_cfg,
                strided_cfg=rules.strided_cfg, norm_cfg=norm_cfg,
                act_cfg=dict(type='HSwish' if rules.hswish_only else act)))
            channels = width
            widths.append(width)
        # A map is the last before the next block of stride 2; the first of these ends stride 2.
        ends = [index - 1 for index, block in enumerate(_ARCHS[arch]) if block[-1] == 2]
        self.declare([*ends[1:], len(widths) - 1], widths, [math.prod(steps[:count]) for count in (2, 3, 4, 5)])

    @property
    def stages(self) -> nn.ModuleList:  # type: ignore[override]
        """The blocks, one stage each: in one list, as published weights number them."""
        return self.blocks
