"""The inverted residual of Seesaw-Net, its pointwise convolution in uneven groups, and its form for inference."""
import torch
from mmcv.cnn import ConvModule, build_norm_layer
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

# From this many channels on the zeros of a dense weight cost more time than slices and concatenation.
_WIDE = 64


class UnevenPointwise(nn.Module):
    """A 1 x 1 convolution without bias in two unequal groups: the first channels see each other, and so do the rest.

    Args:
        in_channels, out_channels: Channels of input and output, multiples of the ratio's sum.
        ratio: Share of the first and of the second group in input and output alike, e.g. (1, 3).

    Shapes: (N, in_channels, H, W) -> (N, out_channels, H, W).

    Source: SeesawNet (arXiv 1905.03672), section 4.1, and the authors' code: two convolutions, so that their weights
    keep their shapes.
    """

    def __init__(self, in_channels: int, out_channels: int, ratio: tuple[int, int]):
        super().__init__()
        _check(in_channels, out_channels, ratio)
        parts = sum(ratio)
        self.sizes = [in_channels * share // parts for share in ratio]
        self.first, self.second = (nn.Conv2d(size, out_channels * share // parts, 1, bias=False)
                                   for size, share in zip(self.sizes, ratio, strict=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = x.split(self.sizes, 1)
        return torch.cat((self.first(first), self.second(second)), 1)

    def dense(self) -> nn.Conv2d:
        """One convolution that computes the same, with zeros where the groups do not see each other."""
        first, second = self.first.weight, self.second.weight
        conv = nn.Conv2d(sum(self.sizes), len(first) + len(second), 1, bias=False).to(first)
        with torch.no_grad():
            conv.weight.copy_(torch.block_diag(first.flatten(1), second.flatten(1))[..., None, None])
        return conv.requires_grad_(first.requires_grad).train(self.training)

    def fold(self, norm: _BatchNorm) -> None:
        """Takes the norm that follows, with its running statistics, into both convolutions, in place."""
        sizes = [len(self.first.weight), len(self.second.weight)]
        tensors = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        parts = zip(*((None, None) if t is None else t.split(sizes) for t in tensors), strict=True)
        for conv, (mean, var, weight, bias) in zip((self.first, self.second), parts, strict=True):
            conv.weight, conv.bias = fuse_conv_bn_weights(conv.weight, None, mean, var, norm.eps, weight, bias)


def grouped_pointwise(in_channels: int, out_channels: int, ratio: tuple[int, int]) -> nn.Module:
    """A 1 x 1 convolution without bias in two groups: torch's own for the ratio (1, 1), else an uneven one."""
    if tuple(ratio) != (1, 1):
        return UnevenPointwise(in_channels, out_channels, ratio)
    _check(in_channels, out_channels, ratio)
    return nn.Conv2d(in_channels, out_channels, 1, groups=2, bias=False)


def _check(in_channels: int, out_channels: int, ratio: tuple[int, int]) -> None:
    if len(ratio) != 2 or min(ratio) < 1:
        raise ValueError(f'1 x 1 convolution in two groups: ratio={ratio} must be two whole numbers above 0, '
                         'e.g. (1, 3)')
    parts = sum(ratio)
    for name, channels in (('in_channels', in_channels), ('out_channels', out_channels)):
        if channels < 1 or channels % parts:
            raise ValueError(f'1 x 1 convolution in two groups: {name}={channels} cannot be divided '
                             f'{ratio[0]}:{ratio[1]}; it must be a multiple of {parts}')


class SeesawBlock(nn.Module):
    """Two grouped 1 x 1 convolutions around a depthwise 3 x 3 one, with a shortcut where shapes agree.

    Only the depthwise convolution has an activation, ReLU6.

    Args:
        in_channels, out_channels: Channels of input and output, multiples of the ratio's sum.
        stride, expand_ratio: Of the depthwise convolution, whose width is in multiples of ``in_channels``.
        ratio: Share of the two groups of both 1 x 1 convolutions, e.g. (1, 3); (1, 1) makes the block even.
        mirror: Whether the second 1 x 1 convolution has its groups in the opposite order, so that they overlap.
        permute: Whether the channels of the two halves alternate before the depthwise convolution.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

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
        out = self.dw(self.shuffle(self.expand_norm(self.expand(x))))
        out = self.project_norm(self.project(out))
        return x + out if self.shortcut else out

    def switch_to_deploy(self) -> None:
        """Becomes a block that computes the same faster; for inference, in eval mode: training would fill its zeros.

        No channel is permuted any more: the depthwise convolution and the second 1 x 1 convolution take them in the
        order in which the first one yields them. In thin blocks that one is dense, with zeros, and yields them
        permuted. In wide ones it stays in two, and the second is dense instead. In even ones, where half of a dense
        weight would be zeros, it sees its input twice and has four groups, whose outputs fall on the right side by
        themselves. Norms behind two convolutions are folded into them, as :func:`lcvision.deploy.fuse.fuse_network`
        does behind one. The order of the block's own input and output stays.

        Source: measured on one thread at 224 x 224 against slices everywhere, dense convolutions everywhere, products
        of matrices on strided slices, and two depthwise convolutions without a concatenation: this mixture is the
        fastest or within a few per cent of it in eager PyTorch, ONNX Runtime and OpenVINO alike.
        """
        wide = self.dw.in_channels >= _WIDE * self.expand_ratio
        # A group norm belongs to neighbours: their order must stay.
        permuted = isinstance(self.shuffle, nn.ChannelShuffle)
        foldable = permuted and all(isinstance(norm, _BatchNorm) for norm in (self.expand_norm, self.dw.norm))
        for name, keep in (('expand', wide), ('project', wide and not foldable)):
            conv = getattr(self, name)
            if isinstance(conv, UnevenPointwise) and not keep:
                setattr(self, name, conv.dense())
        if foldable:
            _fold_shuffle(self)
        for name in ('expand', 'project'):
            conv, norm = getattr(self, name), getattr(self, f'{name}_norm')
            if isinstance(conv, UnevenPointwise) and isinstance(norm, _BatchNorm) and norm.running_mean is not None:
                conv.fold(norm)
                setattr(self, f'{name}_norm', nn.Identity())


def _fold_shuffle(block: SeesawBlock) -> None:
    order = block.shuffle(torch.arange(block.dw.in_channels).view(1, -1, 1, 1)).flatten()
    block.shuffle = nn.Identity()
    expand, project = block.expand, block.project
    assert isinstance(project, nn.Conv2d)
    if isinstance(expand, UnevenPointwise):
        places = torch.arange(len(order))
    elif project.groups == 1:
        places = order
    else:
        places = torch.arange(len(order)).view(2, 2, -1).transpose(0, 1).flatten()
    if isinstance(expand, nn.Conv2d):
        _reorder(places, expand, block.expand_norm)
        if project.groups == 2:
            expand.groups, expand.in_channels = 4, 2 * expand.in_channels
            block.expand = nn.Sequential(_Twice(), expand)
    # Behind the permutation a channel stood elsewhere.
    moved = order.argsort()[places]
    _reorder(moved, block.dw.conv, block.dw.norm)
    with torch.no_grad():
        for group, weight in enumerate(project.weight.chunk(project.groups)):
            width = weight.shape[1]
            weight.copy_(weight[:, moved[group * width:(group + 1) * width] - group * width])


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
