"""PP-LCNet."""
import math
from collections.abc import Sequence

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers import DepthwiseSeparable, make_divisible
from lcvision.registry import MODELS

_STEM_WIDTH = 16
# One tuple a stage: (output width, blocks), widths at scale 1.
_STAGES = (
    (32, 1),   # 112 x 112 at an input of 224
    (64, 2),   # 56 x 56
    (128, 2),  # 28 x 28
    (256, 6),  # 14 x 14
    (512, 2),  # 7 x 7
)
_BLOCKS = sum(blocks for _, blocks in _STAGES)


@MODELS.register_module()
class PPLCNet(Backbone):
    """PP-LCNet: depthwise-separable blocks with hard-swish, late 5 x 5 kernels and late squeeze-excite.

    Args:
        scale: Width multiplier, above 0; the paper's are 0.25, 0.35, 0.5, 0.75, 1, 1.5, 2 and 2.5.
        se_mask: One '0' or '1' for each of the 13 blocks: where a squeeze-excite stands. --cfg-options makes a number
            of such digits; it means the same.
        kernel_mask: One '0' or '1' for each of the 13 blocks: '1' for a 5 x 5 kernel, '0' for 3 x 3; or a
            number, as with ``se_mask``.
        act_cfg: Activation of stem and blocks; the squeeze-excite keeps its own.
        out_indices: Outputs to return; 0..3 have strides 4, 8, 16, 32 unless ``strides`` says otherwise.
        frozen_stages: Stages to freeze with the stem, see :class:`Backbone`.
        norm_cfg: Norm of every convolution.
        norm_eval: Whether norms use running statistics in training.
        init_cfg: mmengine initialisation.
        output_stride: Stride of the deepest map: 8, 16 or 32, see :class:`Backbone`.
        strides: 1 or 2 for the stem and for the first block of each of the last four stages. (1, 1, 2, 2, 2) suits
            images of 32 x 32; the outputs then have strides 1, 2, 4, 8.

    Shapes: (N, 3, H, W) -> tuple of (N, C_i, ceil(H / s_i), ceil(W / s_i)).

    Raises:
        ValueError: If a mask is not 13 characters of '0' and '1', ``scale`` is not above 0, or ``strides`` are not
            five numbers 1 or 2.

    Source: PP-LCNet (arXiv 2109.15099), table 1, and PaddleClas ``PPLCNet``; all eight rows of table 2 (parameters and
    FLOPs) are reproduced exactly. The 1280-wide 1 x 1 convolution belongs to the classification head.

    Differs: BN's running variance follows torch's unbiased batch variance where Paddle uses the biased one; nothing
    changes at inference, and torch's fused BN kernels stay usable.
    """

    def __init__(self, scale: float = 1.0, se_mask: str | int = '0000000000011',
                 kernel_mask: str | int = '0000001111111', act_cfg: dict | None = None,
                 out_indices: Sequence[int] = (0, 1, 2, 3), frozen_stages: int = -1, norm_cfg: dict | None = None,
                 norm_eval: bool = False, init_cfg: dict | list | None = None, output_stride: int = 32,
                 strides: Sequence[int] = (2, 2, 2, 2, 2)):
        if not isinstance(scale, int | float) or not 0 < scale < math.inf:
            raise ValueError(f'PPLCNet: scale={scale} must be above 0, e.g. 0.25, 0.5, 1.0 or 2.5')
        digits = _digits('se_mask', se_mask), _digits('kernel_mask', kernel_mask)
        steps = tuple(strides) if isinstance(strides, Sequence) else ()
        if len(steps) != len(_STAGES) or set(steps) - {1, 2}:
            raise ValueError(f'PPLCNet: strides={strides} must be {len(_STAGES)} numbers 1 or 2, those of the stem and '
                             f'of the last {len(_STAGES) - 1} stages, e.g. (2, 2, 2, 2, 2)')
        super().__init__(out_indices, frozen_stages, norm_eval, init_cfg or [
            dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'),
            dict(type='Constant', layer='_BatchNorm', val=1),
        ], output_stride)
        cfg = dict(norm_cfg=norm_cfg or dict(type='BN'), act_cfg=act_cfg or dict(type='HSwish'))
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
        self.declare(ends=(1, 2, 3, 4), channels=widths[1:],
                     strides=[math.prod(steps[:count]) for count in (2, 3, 4, 5)])


def _digits(name: str, mask: str | int) -> str:
    text = str(mask).zfill(_BLOCKS) if type(mask) is int else mask
    if not isinstance(text, str) or len(text) != _BLOCKS or set(text) - {'0', '1'}:
        raise ValueError(f"PPLCNet: {name}={mask!r} must be {_BLOCKS} characters of '0' and '1', one for each block, "
                         "e.g. '0000001111111'")
    return text
