"""The inverted residual's shortcut, expansion and padding."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lcvision.models.layers import InvertedResidual

SAME = dict(type='lcvision.SameConv2d')
CFG = dict(norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))


@pytest.mark.parametrize('out_channels, stride, shortcut', [(8, 1, True), (16, 1, False), (8, 2, False)])
@torch.no_grad()
def test_shortcut_stands_where_shapes_agree(out_channels, stride, shortcut):
    block = InvertedResidual(8, 24, out_channels, 3, stride, se_channels=6, **CFG).eval()
    nn.init.zeros_(block.project.bn.weight)
    x = torch.randn(2, 8, 10, 7)
    out = block(x)
    assert out.shape == (2, out_channels, -(-10 // stride), -(-7 // stride))
    assert torch.equal(out, x) if shortcut else not out.any()


@pytest.mark.parametrize('size', [(8, 12), (9, 7), (8, 7), (1, 2)], ids=str)
@pytest.mark.parametrize('kernel', [3, 5])
@torch.no_grad()
def test_same_padding_is_tensorflows(kernel, size):
    block = InvertedResidual(4, 4, 4, kernel, 2, expand=False, strided_cfg=SAME, **CFG).eval()
    x = torch.randn(1, 4, *size)
    # Written out: as many pixels as the last window needs, the smaller half of them before the image.
    pads = [(max((-(-side // 2) - 1) * 2 + kernel - side, 0)) for side in size]
    (top, bottom), (left, right) = ((pad // 2, pad - pad // 2) for pad in pads)
    expected = F.conv2d(F.pad(x, (left, right, top, bottom)), block.dw.conv.weight, stride=2, groups=4)
    torch.testing.assert_close(block.dw.conv(x), expected)
    usual = F.conv2d(x, block.dw.conv.weight, stride=2, padding=kernel // 2, groups=4)
    assert torch.allclose(usual, expected) == all(side % 2 for side in size)


def test_stride_1_keeps_the_plain_convolution():
    block = InvertedResidual(4, 4, 4, 5, 1, strided_cfg=SAME, **CFG)
    assert type(block.dw.conv) is nn.Conv2d


def test_dropping_stands_beside_the_shortcut_alone():
    drop = dict(type='DropPath', drop_prob=0.5)
    assert isinstance(InvertedResidual(8, 24, 8, 3, 2, drop_cfg=drop, **CFG).drop, nn.Identity)
    block, x = InvertedResidual(8, 24, 8, 3, drop_cfg=drop, **CFG).train(), torch.randn(64, 8, 4, 4)
    nn.init.constant_(block.project.bn.bias, 3.)
    left_alone = (block(x) == x).flatten(1).all(1)
    assert 10 < left_alone.sum() < 54
    assert not (block.eval()(x) == x).flatten(1).all(1).any()


def test_without_expansion_widths_agree():
    assert isinstance(InvertedResidual(8, 8, 4, 3, expand=False, **CFG).expand, nn.Identity)
    with pytest.raises(ValueError, match='mid_channels=24 must be in_channels=8'):
        InvertedResidual(8, 24, 4, 3, expand=False, **CFG)
