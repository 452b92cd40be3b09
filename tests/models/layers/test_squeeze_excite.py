import pytest
import torch
from torch.nn import functional as F

from lcvision.models.layers import SqueezeExcite


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


def test_gradients_reach_every_parameter():
    layer = SqueezeExcite(8, 4)
    torch.nn.init.constant_(layer.reduce.bias, 1.)
    x = torch.randn(2, 8, 5, 5, requires_grad=True)
    layer(x).square().sum().backward()
    assert x.grad.abs().max() > 0 and all(p.grad.abs().max() > 0 for p in layer.parameters())
