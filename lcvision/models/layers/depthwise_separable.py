"""Depthwise convolution followed by a pointwise one."""
import torch
from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.layers.squeeze_excite import SqueezeExcite


class DepthwiseSeparable(nn.Module):
    """A depthwise k x k and a 1 x 1 convolution, each with norm and activation, no shortcut.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Odd size of the depthwise kernel; padding keeps the size at stride 1.
        stride: Stride of the depthwise convolution.
        se: Whether a squeeze-excite of a quarter of the input width stands between the two.
        norm_cfg: Norm of both convolutions.
        act_cfg: Activation after both norms; None for none.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    Raises:
        ValueError: If ``kernel_size`` is even.

    Source: PP-LCNet, figure 2; PaddleDetection's LCNet, PicoFeat and DPModule are this same block.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, *, se: bool = False,
                 norm_cfg: dict, act_cfg: dict | None):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f'DepthwiseSeparable: kernel_size={kernel_size} must be odd, e.g. 3 or 5')
        self.dw = ConvModule(in_channels, in_channels, kernel_size, stride, kernel_size // 2, groups=in_channels,
                             norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.se = SqueezeExcite(in_channels, in_channels // 4) if se else nn.Identity()
        self.pw = ConvModule(in_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Depthwise, gate, pointwise."""
        return self.pw(self.se(self.dw(x)))
