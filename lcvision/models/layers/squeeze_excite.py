"""Squeeze-and-excitation."""
import torch
from mmcv.cnn import build_activation_layer
from torch import nn


class SqueezeExcite(nn.Module):
    """Scales every channel by a gate computed from all channels' global means.

    Args:
        channels: Channels of the input and output.
        mid_channels: Width of the bottleneck.
        gate_cfg: Config of the gate's activation, None for the hard-sigmoid relu6(x + 3) / 6.
        act_cfg: Config of the activation in the bottleneck, None for ReLU.

    Shapes: (N, C, H, W) -> (N, C, H, W).

    Source: PaddleClas PP-LCNet: ReLU inside, hard-sigmoid as gate, both convolutions with bias.
    """

    def __init__(self, channels: int, mid_channels: int, gate_cfg: dict | None = None,
                 act_cfg: dict | None = None):
        super().__init__()
        self.reduce = nn.Conv2d(channels, mid_channels, 1)
        self.act = build_activation_layer(act_cfg) if act_cfg else nn.ReLU(inplace=True)
        self.expand = nn.Conv2d(mid_channels, channels, 1)
        self.gate = build_activation_layer(gate_cfg) if gate_cfg else nn.Hardsigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns ``x`` times its gate."""
        scale = x.mean((2, 3), keepdim=True)
        return x * self.gate(self.expand(self.act(self.reduce(scale))))
