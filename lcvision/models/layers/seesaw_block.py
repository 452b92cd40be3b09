"""The inverted residual of Seesaw-Net."""
import torch
from mmcv.cnn import ConvModule, build_norm_layer
from torch import nn

from lcvision.models.layers.seesaw_deploy import deploy_seesaw_block
from lcvision.models.layers.uneven_pointwise import grouped_pointwise


class SeesawBlock(nn.Module):
    """Two grouped 1 x 1 convolutions around a depthwise 3 x 3 one, with a shortcut where shapes agree.

    Only the depthwise convolution has an activation, ReLU6.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Stride of the depthwise convolution.
        expand_ratio: Width of the depthwise convolution in multiples of ``in_channels``.
        ratio: Share of the two groups of both 1 x 1 convolutions, e.g. (1, 3); (1, 1) makes the block even.
        mirror: Whether the second 1 x 1 convolution has its groups in the opposite order, so that they overlap.
        permute: Whether the channels of the two halves alternate before the depthwise convolution.
        norm_cfg: Norm of the three convolutions.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    Raises:
        ValueError: If the channels cannot be divided in this ratio.

    Source: SeesawNet (arXiv 1905.03672), table 1, and the authors' code: one norm over both groups, the permutation
    after it, of two halves also where the groups are uneven, and none after the second 1 x 1 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, expand_ratio: int = 6, *,
                 ratio: tuple[int, int] = (1, 3), mirror: bool = False, permute: bool = True,
                 norm_cfg: dict | None = None):
        super().__init__()
        norm_cfg = norm_cfg or dict(type='BN')
        self.expand_ratio = expand_ratio
        mid = in_channels * expand_ratio
        self.expand = grouped_pointwise(in_channels, mid, ratio)
        self.expand_norm = build_norm_layer(norm_cfg, mid)[1]
        self.shuffle = nn.ChannelShuffle(2) if permute else nn.Identity()
        self.dw = ConvModule(mid, mid, 3, stride, 1, groups=mid, norm_cfg=norm_cfg, act_cfg=dict(type='ReLU6'))
        self.project = grouped_pointwise(mid, out_channels, ratio[::-1] if mirror else ratio)
        self.project_norm = build_norm_layer(norm_cfg, out_channels)[1]
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Expand, permute, depthwise, project, and the input added where it fits."""
        out = self.dw(self.shuffle(self.expand_norm(self.expand(x))))
        out = self.project_norm(self.project(out))
        return x + out if self.shortcut else out

    def switch_to_deploy(self) -> None:
        """Becomes a block that computes the same quicker; for inference, in eval mode: training fills its zeros."""
        deploy_seesaw_block(self)
