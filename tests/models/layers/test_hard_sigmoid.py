"""The hard-sigmoid and its slope."""
import warnings

import pytest
import torch
from mmcv.cnn import build_activation_layer

from lcvision.models.layers import HardSigmoid


@pytest.mark.parametrize('slope', [0.2, 1 / 6, 0.5])
def test_values_and_gradients(slope):
    x = torch.linspace(-7, 7, 281, dtype=torch.float64, requires_grad=True)
    y = HardSigmoid(slope)(x)
    torch.testing.assert_close(y, (slope * x + 0.5).clamp(0, 1))
    y.sum().backward()
    inside = (slope * x.detach() + 0.5 - 0.5).abs() < 0.5 - 1e-9
    outside = (slope * x.detach()).abs() > 0.5 + 1e-9
    torch.testing.assert_close(x.grad[inside], torch.full_like(x.grad[inside], slope))
    assert not x.grad[outside].any()


def test_builds_from_a_config_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        layer = build_activation_layer(dict(type='lcvision.HardSigmoid', slope=0.25))
    assert layer(torch.tensor([-2., 0., 1., 2.])).tolist() == [0, 0.5, 0.75, 1]
    assert str(layer) == 'HardSigmoid(slope=0.25)'


def test_slope_is_positive():
    with pytest.raises(ValueError, match='slope=0 must be above 0'):
        HardSigmoid(0)
