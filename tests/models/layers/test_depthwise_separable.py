import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lcvision.models.layers import DepthwiseSeparable

BN, HSWISH = dict(type='BN'), dict(type='HSwish')


@pytest.mark.parametrize('kernel', [3, 5])
@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('size', [(8, 8), (7, 10), (1, 3)], ids=str)
@torch.no_grad()
def test_size_is_that_of_the_stride(kernel, stride, size):
    block = DepthwiseSeparable(8, 12, kernel, stride, norm_cfg=BN, act_cfg=HSWISH).eval()
    assert block(torch.randn(2, 8, *size)).shape == (2, 12, *(-(-side // stride) for side in size))


@torch.no_grad()
def test_steps_stand_in_the_order_of_the_paper():
    """Depthwise, norm, activation; gate; pointwise, norm, activation; no shortcut."""
    block = DepthwiseSeparable(8, 8, 5, se=True, norm_cfg=BN, act_cfg=HSWISH).eval()
    for norm in (block.dw.bn, block.pw.bn):
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias)
    x = torch.randn(2, 8, 6, 6)

    def norm(y, bn):
        return F.batch_norm(y, bn.running_mean, bn.running_var, bn.weight, bn.bias)

    y = F.hardswish(norm(F.conv2d(x, block.dw.conv.weight, padding=2, groups=8), block.dw.bn))
    y = F.hardswish(norm(F.conv2d(block.se(y), block.pw.conv.weight), block.pw.bn))
    torch.testing.assert_close(block(x), y)


def test_parameters():
    plain = DepthwiseSeparable(8, 12, 5, norm_cfg=BN, act_cfg=HSWISH)
    assert sum(p.numel() for p in plain.parameters()) == 8 * 25 + 2 * 8 + 8 * 12 + 2 * 12
    gated = DepthwiseSeparable(8, 12, 5, se=True, norm_cfg=BN, act_cfg=HSWISH)
    assert sum(p.numel() for p in gated.se.parameters()) == 8 * 2 + 2 + 2 * 8 + 8


def test_activation_can_be_left_out():
    block = DepthwiseSeparable(8, 8, 3, norm_cfg=BN, act_cfg=None)
    assert not any(isinstance(m, nn.Hardswish | nn.ReLU) for m in block.modules())
    x = torch.randn(2, 8, 6, 6)
    block.eval()
    torch.testing.assert_close(block(2 * x), 2 * block(x))


@pytest.mark.parametrize('kernel', [2, 4, 0])
def test_even_kernel_is_explained(kernel):
    with pytest.raises(ValueError, match=f'kernel_size={kernel} must be odd'):
        DepthwiseSeparable(8, 8, kernel, norm_cfg=BN, act_cfg=HSWISH)
