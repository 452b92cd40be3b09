"""ASPP by itself; its numbers against PaddleSeg are in test_deeplabv3plus_head."""
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lcvision.models.decode_heads.aspp import ASPP

CFG = dict(norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))


@pytest.mark.parametrize('ratio', [1, 2, 5])
def test_a_branch_looks_as_far_as_its_dilation(ratio):
    branch = ASPP(3, 4, (ratio,), 0., **CFG).eval().branches[0]
    x = torch.randn(1, 3, 17, 17, requires_grad=True)
    branch(x)[0, :, 8, 8].sum().backward()
    rows = {int(row) for row in x.grad.abs().sum((0, 1, 3)).nonzero()}
    assert rows == {8} if ratio == 1 else rows == {8 - ratio, 8, 8 + ratio}


@torch.no_grad()
def test_only_the_branch_of_the_mean_has_no_bias_and_depthwise_no_activation():
    aspp = ASPP(8, 4, (1, 6, 12), 0., **CFG)
    convs = {name: module for name, module in aspp.named_modules() if isinstance(module, nn.Conv2d)}
    assert [name for name, conv in convs.items() if conv.bias is None] == ['image_pool.conv']
    x = torch.randn(2, 8, 9, 7)
    depthwise = aspp.branches[1].depthwise_conv
    assert depthwise.eval()(x).min() < 0 and aspp.branches[1].eval()(x).min() == 0


@pytest.mark.parametrize('size', [(1, 1), (5, 8)], ids=str)
@torch.no_grad()
def test_the_mean_comes_last_and_is_spread_as_interpolation_would(size):
    aspp = ASPP(8, 4, (1, 3), 0., **CFG).eval()
    x = torch.randn(2, 8, *size)
    mean = F.interpolate(aspp.image_pool(F.adaptive_avg_pool2d(x, 1)), size, mode='bilinear', align_corners=False)
    expected = aspp.project(torch.cat((aspp.branches[0](x), aspp.branches[1](x), mean), 1))
    torch.testing.assert_close(aspp(x), expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_elements_not_channels_are_dropped():
    aspp = ASPP(8, 16, (1, 2), 0.25, **CFG).eval()
    nn.init.constant_(aspp.project.bn.bias, 5.)
    x = torch.randn(2, 8, 24, 24)
    whole = aspp(x)
    aspp.dropout.train()
    dropped = aspp(x)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], whole[kept] / 0.75)
    shares = kept.float().mean((2, 3))
    assert shares.min() > 0.6 and shares.max() < 0.9
