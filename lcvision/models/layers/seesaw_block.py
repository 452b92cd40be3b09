"""The inverted residual of Seesaw-Net."""
import torch
from mmcv.cnn import ConvModule, build_norm_layer
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lcvision.models.layers.uneven_pointwise import UnevenPointwise, grouped_pointwise


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
        """Becomes a block that computes the same quicker, for inference: no slices, no permutation.

        Uneven convolutions become dense ones with zeros, and what was permuted comes out of the first convolution in
        its new order. In an even block, where half of a dense weight would be zeros, the first convolution sees its
        input twice and has four groups, so that its outputs fall on the right side by themselves. The order of the
        block's own input and output stays. Training a block after this would fill the zeros.
        """
        if isinstance(self.shuffle, nn.ChannelShuffle) and isinstance(self.expand_norm, _BatchNorm):
            self._fold_shuffle(self.expand_norm)
        for name in ('expand', 'project'):
            conv = getattr(self, name)
            if isinstance(conv, UnevenPointwise):
                setattr(self, name, conv.dense())

    def _fold_shuffle(self, norm: _BatchNorm) -> None:
        order = self.shuffle(torch.arange(norm.num_features).view(1, -1, 1, 1)).flatten()
        self.shuffle = nn.Identity()
        conv = self.expand
        if isinstance(conv, UnevenPointwise):
            self.expand = conv.dense()
            _reorder(order, self.expand, norm)
            return
        assert isinstance(conv, nn.Conv2d) and isinstance(self.project, nn.Conv2d)
        quarters = torch.arange(len(order)).view(2, 2, -1).transpose(0, 1).flatten()
        _reorder(quarters, conv, norm)
        conv.groups, conv.in_channels = 4, 2 * conv.in_channels
        self.expand = nn.Sequential(_Twice(), conv)
        # Behind the permutation a channel stood elsewhere within its half.
        moved = order.argsort()[quarters]
        _reorder(moved, self.dw.conv, self.dw.norm)
        half = len(order) // 2
        with torch.no_grad():
            for weight, places in zip(self.project.weight.chunk(2), (moved[:half], moved[half:] - half), strict=True):
                weight.copy_(weight[:, places])


class _Twice(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat((x, x), 1)


def _reorder(order: torch.Tensor, *modules: nn.Module) -> None:
    """Reorders the output channels of convolutions and norms, in place."""
    with torch.no_grad():
        for module in modules:
            for tensor in (*module.parameters(), *module.buffers()):
                if tensor.ndim:
                    tensor.copy_(tensor[order])
