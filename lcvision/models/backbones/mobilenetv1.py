"""MobileNetV1."""
from collections.abc import Sequence

from lcvision.models.backbones.pplcnet import PPLCNet
from lcvision.registry import MODELS

_NOWHERE = '0' * 13


@MODELS.register_module()
class MobileNetV1(PPLCNet):
    """MobileNetV1: thirteen depthwise-separable blocks with 3 x 3 kernels and ReLU.

    It is PP-LCNet of twice the scale without its three changes, block by block: no squeeze-excite, no 5 x 5 kernel,
    ReLU. Therefore it has no code of its own.

    Args:
        scale: Width multiplier, a multiple of 0.25; published are 0.25, 0.5, 0.75 and 1.
        out_indices: Outputs to return; 0..3 have strides 4, 8, 16, 32.
        frozen_stages: Stages to freeze with the stem, see :class:`Backbone`.
        norm_cfg: Norm of every convolution.
        norm_eval: Whether norms use running statistics in training.
        init_cfg: mmengine initialisation.
        output_stride: Stride of the deepest map: 8, 16 or 32, see :class:`Backbone`.

    Shapes: (N, 3, H, W) -> tuple of (N, C_i, ceil(H / s_i), ceil(W / s_i)).

    Raises:
        ValueError: If ``scale`` is no multiple of 0.25 above 0.

    Source: MobileNets (arXiv 1704.04861), table 1, and PaddleClas ``MobileNetV1``; row MobileNetV1-1x of the PP-LCNet
    paper's table 3 is reproduced.

    Differs: PaddleClas cuts widths to whole numbers, PP-LCNet rounds them to multiples of 8. At the multiples of 0.25
    both give the same widths, and others are refused.
    """

    def __init__(self, scale: float = 1.0, out_indices: Sequence[int] = (0, 1, 2, 3), frozen_stages: int = -1,
                 norm_cfg: dict | None = None, norm_eval: bool = False, init_cfg: dict | list | None = None,
                 output_stride: int = 32):
        if not isinstance(scale, int | float) or not scale > 0 or scale % 0.25:
            raise ValueError(f'MobileNetV1: scale={scale} must be a multiple of 0.25 above 0, e.g. 0.25, 0.5, 0.75 '
                             'or 1.0')
        super().__init__(2 * scale, se_mask=_NOWHERE, kernel_mask=_NOWHERE, act_cfg=dict(type='ReLU'),
                         out_indices=out_indices, frozen_stages=frozen_stages, norm_cfg=norm_cfg, norm_eval=norm_eval,
                         init_cfg=init_cfg, output_stride=output_stride)
