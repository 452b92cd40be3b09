"""PP-LCNet, and MobileNetV1, which has the same blocks."""
import math
from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers.blocks import DepthwiseSeparable, make_divisible
from lcvision.registry import MODELS

_STEM_WIDTH = 16
# One tuple a stage: (output width, blocks), widths at scale 1; the first keeps the stem's stride.
_STAGES = ((32, 1), (64, 2), (128, 2), (256, 6), (512, 2))
_BLOCKS = sum(blocks for _, blocks in _STAGES)


@MODELS.register_module()
class PPLCNet(Backbone):
    """PP-LCNet: depthwise-separable blocks with hard-swish, late 5 x 5 kernels and late squeeze-excite.

    Args:
        scale: Width multiplier, above 0; the paper's are 0.25, 0.35, 0.5, 0.75, 1, 1.5, 2 and 2.5.
        se_mask: One '0' or '1' for each of the 13 blocks: where a squeeze-excite stands. A number counts as its digits,
            since --cfg-options turns such a string into one.
        kernel_mask: The same for kernels: '1' for 5 x 5, '0' for 3 x 3.
        act_cfg: Activation of stem and blocks; the squeeze-excite keeps its own.
        strides: 1 or 2 for the stem and each of the last four stages. (1, 1, 2, 2, 2) suits images of 32 x 32 pixels;
            the outputs then have strides 1, 2, 4, 8.
        kwargs: See :class:`Backbone`.

    Source: PP-LCNet (arXiv 2109.15099), table 1, and PaddleClas ``PPLCNet``; all eight rows of table 2 (parameters and
    FLOPs) are reproduced exactly. The 1280-wide 1 x 1 convolution belongs to the classification head.

    Differs: BN's running variance follows torch's unbiased batch variance where Paddle uses the biased one; nothing
    changes at inference, and torch's fused BN kernels stay usable.
    """

    def __init__(self, scale: float = 1.0, se_mask: str | int = '0000000000011',
                 kernel_mask: str | int = '0000001111111', act_cfg: dict | None = None,
                 strides: Sequence[int] = (2, 2, 2, 2, 2), **kwargs: Any):
        if not isinstance(scale, int | float) or not 0 < scale < math.inf:
            raise ValueError(f'PPLCNet: scale={scale} must be above 0, e.g. 0.25, 0.5, 1.0 or 2.5')
        digits = _digits('se_mask', se_mask), _digits('kernel_mask', kernel_mask)
        steps = self.check_strides(strides, len(_STAGES))
        super().__init__(**kwargs)
        cfg = dict(norm_cfg=self.norm_cfg, act_cfg=act_cfg or dict(type='HSwish'))
        channels = make_divisible(_STEM_WIDTH * scale)
        self.stem = ConvModule(3, channels, 3, stride=steps[0], padding=1, **cfg)
        masks = iter(zip(*digits, strict=True))
        self.stages = nn.ModuleList()
        widths = []
        for (base_width, num_blocks), stride in zip(_STAGES, (1, *steps[1:]), strict=True):
            width = make_divisible(base_width * scale)
            stage = nn.Sequential()
            for block in range(num_blocks):
                se, large = next(masks)
                stage.append(DepthwiseSeparable(channels, width, 5 if large == '1' else 3, stride if block == 0 else 1,
                                                se=se == '1', **cfg))
                channels = width
            self.stages.append(stage)
            widths.append(width)
        self.declare((1, 2, 3, 4), widths, [math.prod(steps[:count]) for count in (2, 3, 4, 5)])


@MODELS.register_module()
class MobileNetV1(PPLCNet):
    """MobileNetV1: thirteen depthwise-separable blocks with 3 x 3 kernels and ReLU.

    It is PP-LCNet of twice the scale without its three changes, block by block: no squeeze-excite, no 5 x 5 kernel,
    ReLU. Therefore it has no code of its own.

    Args:
        scale: Width multiplier, a multiple of 0.25; published are 0.25, 0.5, 0.75 and 1.
        kwargs: ``strides`` of :class:`PPLCNet`, and see :class:`Backbone`.

    Source: MobileNets (arXiv 1704.04861), table 1, and PaddleClas ``MobileNetV1``; row MobileNetV1-1x of the PP-LCNet
    paper's table 3 is reproduced.

    Differs: PaddleClas cuts widths to whole numbers, PP-LCNet rounds them to multiples of 8. At the multiples of 0.25
    both give the same widths, and others are refused.
    """

    def __init__(self, scale: float = 1.0, **kwargs: Any):
        if not isinstance(scale, int | float) or not scale > 0 or scale % 0.25:
            raise ValueError(f'MobileNetV1: scale={scale} must be a multiple of 0.25 above 0, e.g. 0.25, 0.5, 0.75 '
                             'or 1.0')
        super().__init__(2 * scale, se_mask='0' * 13, kernel_mask='0' * 13, act_cfg=dict(type='ReLU'), **kwargs)


def _digits(name: str, mask: str | int) -> str:
    text = str(mask).zfill(_BLOCKS) if type(mask) is int else mask
    if not isinstance(text, str) or len(text) != _BLOCKS or set(text) - {'0', '1'}:
        raise ValueError(f"PPLCNet: {name}={mask!r} must be {_BLOCKS} characters of '0' and '1', one for each block, "
                         "e.g. '0000001111111'")
    return text
