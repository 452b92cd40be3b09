"""Expand, depthwise, squeeze-excite, project."""
import torch
from mmcv.cnn import ConvModule
from mmcv.cnn.bricks.drop import build_dropout
from torch import nn

from lcvision.models.layers.squeeze_excite import SqueezeExcite


class InvertedResidual(nn.Module):
    """A 1 x 1 convolution to more channels, a depthwise one, a gate and a linear 1 x 1 convolution, with a shortcut.

    The shortcut stands where stride 1 and equal widths allow it.

    Args:
        in_channels: Channels of the input.
        mid_channels: Channels of the depthwise convolution.
        out_channels: Channels of the output.
        kernel_size: Odd size of the depthwise kernel.
        stride: Stride of the depthwise convolution.
        expand: Whether the first 1 x 1 convolution is there; without it ``mid_channels`` equals ``in_channels``.
        se_channels: Width of the squeeze-excite's bottleneck, None for no squeeze-excite.
        gate_cfg: Activation of the squeeze-excite's gate, see :class:`SqueezeExcite`.
        se_act_cfg: Activation in its bottleneck, see :class:`SqueezeExcite`.
        strided_cfg: Config of a strided depthwise convolution, e.g. of :class:`SameConv2d`; None for torch's, which
            pads by ``kernel_size // 2`` on every side.
        drop_cfg: Config of what drops the branch beside the shortcut for some images in training; None for nothing.
        norm_cfg: Norm of the three convolutions.
        act_cfg: Activation after the first two.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    Raises:
        ValueError: If the widths differ where the first 1 x 1 convolution is left out.

    Source: MobileNetV2 (arXiv 1801.04381), figure 3, and MobileNetV3 (arXiv 1905.02244), figure 4. EfficientNet's
    MBConv is this block with its own squeeze-excite.
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int, kernel_size: int, stride: int = 1, *,
                 expand: bool = True, se_channels: int | None = None, gate_cfg: dict | None = None,
                 se_act_cfg: dict | None = None, strided_cfg: dict | None = None, drop_cfg: dict | None = None,
                 norm_cfg: dict, act_cfg: dict):
        super().__init__()
        if not expand and in_channels != mid_channels:
            raise ValueError(f'InvertedResidual: mid_channels={mid_channels} must be in_channels={in_channels} '
                             'without the expanding convolution; set expand=True')
        cfg = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.expand = ConvModule(in_channels, mid_channels, 1, **cfg) if expand else nn.Identity()
        # At stride 1 all paddings that keep the size are the same.
        self.dw = ConvModule(mid_channels, mid_channels, kernel_size, stride, kernel_size // 2, groups=mid_channels,
                             conv_cfg=strided_cfg if stride > 1 else None, **cfg)
        self.se = SqueezeExcite(mid_channels, se_channels, gate_cfg, se_act_cfg) if se_channels else nn.Identity()
        self.project = ConvModule(mid_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        self.shortcut = stride == 1 and in_channels == out_channels
        self.drop = build_dropout(drop_cfg) if drop_cfg and self.shortcut else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Expand, depthwise, gate, project, and the input added where it fits."""
        out = self.project(self.se(self.dw(self.expand(x))))
        return x + self.drop(out) if self.shortcut else out
