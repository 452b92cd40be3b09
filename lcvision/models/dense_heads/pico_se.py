"""The gate in front of PicoDet v2's predictors."""
import torch
from mmcv.cnn import ConvModule
from torch import nn


class PicoSE(nn.Module):
    """Scales every channel by a gate computed from all channels' global means, then mixes the channels.

    Args:
        channels: Channels of the input and output.
        norm_cfg: Norm of the mixing convolution.
        act_cfg: Activation of the mixing convolution.

    Shapes: (N, channels, H, W) -> (N, channels, H, W).

    Source: PaddleDetection ``PicoSE`` at 666f597f: one convolution and a true sigmoid, where PP-LCNet's
    squeeze-excite has two and a hard one.
    """

    def __init__(self, channels: int, norm_cfg: dict, act_cfg: dict):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)
        self.conv = ConvModule(channels, channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Gate, then convolution."""
        return self.conv(x * self.fc(x.mean((2, 3), keepdim=True)).sigmoid())
