"""MobileNetV1."""
from typing import Any

from lcvision.models.backbones.pplcnet import PPLCNet
from lcvision.registry import MODELS


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
