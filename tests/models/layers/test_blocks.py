"""Blocks that several networks share, and what they are made of."""
import warnings

import pytest
import torch
from mmcv.cnn import build_activation_layer
from torch import nn
from torch.nn import functional as F

from lcvision.models.layers.blocks import (
    DepthwiseSeparable,
    DropConnect,
    HardSigmoid,
    InvertedResidual,
    SqueezeExcite,
    make_divisible,
)

BN, HSWISH = dict(type='BN'), dict(type='HSwish')
SAME = dict(type='lcvision.SameConv2d')
CFG = dict(norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))


@pytest.mark.parametrize('width, expected', [
    (4, 8), (8, 8), (11.9, 16), (12, 16), (11.2, 16), (22.4, 24), (20, 24), (89.6, 88), (179.2, 176), (0.1, 8),
    (1280, 1280), (44.8, 48), (19.9, 24), (18, 24), (17.7, 16)])
def test_rounds_to_eighths_without_losing_a_tenth(width, expected):
    assert make_divisible(width) == expected


@pytest.mark.parametrize('divisor', [1, 2, 4, 8, 16])
def test_never_loses_more_than_a_tenth(divisor):
    for tenths in range(1, 6000, 7):
        width = tenths / 10
        result = make_divisible(width, divisor)
        assert isinstance(result, int) and result % divisor == 0 and result >= divisor
        assert 0.9 * width <= result < width + 1.5 * divisor


@pytest.mark.parametrize('slope', [0.2, 1 / 6, 0.5])
def test_hard_sigmoid_is_a_clipped_line(slope):
    x = torch.linspace(-7, 7, 281, dtype=torch.float64, requires_grad=True)
    y = HardSigmoid(slope)(x)
    torch.testing.assert_close(y, (slope * x + 0.5).clamp(0, 1))
    y.sum().backward()
    inside = (slope * x.detach() + 0.5 - 0.5).abs() < 0.5 - 1e-9
    outside = (slope * x.detach()).abs() > 0.5 + 1e-9
    torch.testing.assert_close(x.grad[inside], torch.full_like(x.grad[inside], slope))
    assert not x.grad[outside].any()


def test_hard_sigmoid_builds_from_a_config_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        layer = build_activation_layer(dict(type='lcvision.HardSigmoid', slope=0.25))
    assert layer(torch.tensor([-2., 0., 1., 2.])).tolist() == [0, 0.5, 0.75, 1]
    assert str(layer) == 'HardSigmoid(slope=0.25)'


def test_slope_is_positive():
    with pytest.raises(ValueError, match='slope=0 must be above 0'):
        HardSigmoid(0)


def test_training_drops_whole_images_without_scaling():
    kept = DropConnect(0.3).train()(torch.ones(2000, 2, 3, 1)).flatten(1)
    assert ((kept == 0).all(1) | (kept == 1).all(1)).all()
    assert kept.mean().item() == pytest.approx(0.7, abs=0.05)


def test_inference_scales_to_the_same_mean():
    x = torch.randn(3, 2, 4, 4)
    torch.testing.assert_close(DropConnect(0.3).eval()(x), 0.7 * x)


def test_nothing_dropped_is_nothing_changed():
    x = torch.randn(3, 2, 4, 4)
    assert torch.equal(DropConnect(0).train()(x), x) and torch.equal(DropConnect(0).eval()(x), x)


@pytest.mark.parametrize('wrong', [-0.1, 1, 2.0])
def test_wrong_share_is_explained(wrong):
    with pytest.raises(ValueError, match=rf'DropConnect: drop_prob={wrong} must lie in 0\.\.1'):
        DropConnect(wrong)


@pytest.mark.parametrize('size', [(6, 6), (5, 9), (1, 1)], ids=str)
def test_scales_channels_by_their_gate(size):
    layer, x = SqueezeExcite(8, 2), 3 * torch.randn(2, 8, *size)
    mean = x.mean((2, 3))
    hidden = (mean @ layer.reduce.weight[:, :, 0, 0].T + layer.reduce.bias).clamp(min=0)
    gate = hidden @ layer.expand.weight[:, :, 0, 0].T + layer.expand.bias
    gate = (gate + 3).clamp(0, 6) / 6
    torch.testing.assert_close(layer(x), x * gate[:, :, None, None])


def test_gate_saturates_at_zero_and_one():
    layer, x = SqueezeExcite(4, 1), torch.randn(2, 4, 3, 3)
    for bias, factor in ((-3.5, 0.), (3.5, 1.)):
        layer.expand.weight.data.zero_()
        layer.expand.bias.data.fill_(bias)
        assert torch.equal(layer(x), x * factor)


@pytest.mark.parametrize('act_cfg, act', [(None, F.relu), (dict(type='SiLU'), F.silu)])
def test_both_activations_are_arguments(act_cfg, act):
    layer, x = SqueezeExcite(4, 2, gate_cfg=dict(type='Sigmoid'), act_cfg=act_cfg), torch.randn(2, 4, 3, 3)
    hidden = act(layer.reduce(x.mean((2, 3), keepdim=True)))
    torch.testing.assert_close(layer(x), x * torch.sigmoid(layer.expand(hidden)))


def test_gradients_reach_the_gate():
    layer = SqueezeExcite(8, 4)
    torch.nn.init.constant_(layer.reduce.bias, 1.)
    x = torch.randn(2, 8, 5, 5, requires_grad=True)
    layer(x).square().sum().backward()
    assert x.grad.abs().max() > 0 and all(p.grad.abs().max() > 0 for p in layer.parameters())


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


def test_parameters_of_depthwise_separable():
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
