"""ShuffleNetV2."""
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.registry import MODELS

_STEM_WIDTH = 24
_BLOCKS = (4, 8, 4)
# By scale, the widths at strides 8, 16 and 32.
_WIDTHS = {
    0.25: (24, 48, 96),
    0.33: (32, 64, 128),
    0.5: (48, 96, 192),
    1.0: (116, 232, 464),
    1.5: (176, 352, 704),
    2.0: (244, 488, 976),
}


@MODELS.register_module()
class ShuffleNetV2(Backbone):
    """ShuffleNetV2: half of the channels pass a block untouched, and every block ends with a shuffle of the halves.

    Args:
        scale: 0.25, 0.33, 0.5, 1, 1.5 or 2: the widths are a table, no multiple.
        out_indices: Outputs to return; 0..3 have strides 4, 8, 16, 32. Output 0 is the max-pooling's.
        frozen_stages: Stages to freeze with the stem, see :class:`Backbone`; the first one is the max-pooling, which
            has nothing to freeze.
        norm_cfg: Norm of every convolution.
        norm_eval: Whether norms use running statistics in training.
        init_cfg: mmengine initialisation.
        output_stride: Stride of the deepest map: 8, 16 or 32, see :class:`Backbone`.

    Shapes: (N, 3, H, W) -> tuple of (N, C_i, ceil(H / s_i), ceil(W / s_i)).

    Raises:
        ValueError: If ``scale`` is not one of these.

    Source: ShuffleNet V2 (arXiv 1807.11164), table 5, and PaddleClas, whose are 0.25 and 0.33; all three rows of the
    PP-LCNet paper's table 3 are reproduced. The last convolution, 1024 wide, belongs to the classification head.
    """

    def __init__(self, scale: float = 1.0, out_indices: Sequence[int] = (0, 1, 2, 3), frozen_stages: int = -1,
                 norm_cfg: dict | None = None, norm_eval: bool = False, init_cfg: dict | list | None = None,
                 output_stride: int = 32):
        if scale not in _WIDTHS:
            raise ValueError(f'ShuffleNetV2: scale={scale} must be one of {", ".join(map(str, _WIDTHS))}')
        super().__init__(out_indices, frozen_stages, norm_eval, init_cfg or [
            dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu'),
            dict(type='Constant', layer='_BatchNorm', val=1),
        ], output_stride)
        cfg = dict(norm_cfg=norm_cfg or dict(type='BN'), act_cfg=dict(type='ReLU'))
        self.stem = ConvModule(3, _STEM_WIDTH, 3, stride=2, padding=1, **cfg)
        self.stages = nn.ModuleList([nn.MaxPool2d(3, stride=2, padding=1)])
        channels = _STEM_WIDTH
        for width, num_blocks in zip(_WIDTHS[scale], _BLOCKS, strict=True):
            stage = nn.Sequential()
            for block in range(num_blocks):
                stage.append(_ShuffleBlock(channels, width, 2 if block == 0 else 1, **cfg))
                channels = width
            self.stages.append(stage)
        self.declare(ends=(0, 1, 2, 3), channels=(_STEM_WIDTH, *_WIDTHS[scale]), strides=(4, 8, 16, 32))


class _ShuffleBlock(nn.Module):
    """Half of the channels through three convolutions, the other half past them; at stride 2 all through both ways."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm_cfg: dict, act_cfg: dict):
        super().__init__()
        half = out_channels // 2
        entering = in_channels if stride > 1 else half

        def depthwise(channels: int) -> ConvModule:
            return ConvModule(channels, channels, 3, stride, 1, groups=channels, norm_cfg=norm_cfg, act_cfg=None)

        def pointwise(channels: int) -> ConvModule:
            return ConvModule(channels, half, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)

        if stride > 1:
            self.branch1 = nn.Sequential(depthwise(in_channels), pointwise(in_channels))
        self.branch2 = nn.Sequential(pointwise(entering), depthwise(half), pointwise(half))
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Both ways, and a shuffle of the halves."""
        past, through = (self.branch1(x), x) if hasattr(self, 'branch1') else x.chunk(2, dim=1)
        return self.shuffle(torch.cat((past, self.branch2(through)), dim=1))
