"""MobileNetV1: the widths and counts of PaddleClas."""
import pytest
import torch
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.models import MobileNetV1


# Millions of parameters (running statistics included) and widths in PaddleClas.
@pytest.mark.parametrize('scale, millions', [(0.25, 0.48), (0.5, 1.34), (0.75, 2.60), (1, 4.25)])
def test_widths_and_parameters_are_paddleclas(scale, millions):
    with torch.device('meta'):
        backbone = MobileNetV1(scale)
    assert backbone.out_channels == tuple(int(width * scale) for width in (128, 256, 512, 1024))
    assert backbone.stem.out_channels == int(32 * scale)
    counts = count_complexity(nn.Sequential(backbone), torch.empty(1, 3, 32, 32, device='meta'))
    whole = counts.params + counts.buffers + (backbone.out_channels[-1] + 1) * 1000
    assert round(whole / 1e6, 2) == millions


def test_blocks_are_depthwise_separable_alone():
    modules = list(MobileNetV1(0.25).modules())
    kernels = [m.kernel_size[0] for m in modules if isinstance(m, nn.Conv2d)]
    assert kernels == [3] + 13 * [3, 1]
    assert sum(isinstance(m, nn.ReLU) for m in modules) == 27
    assert not any(isinstance(m, nn.Hardswish | nn.Hardsigmoid) or getattr(m, 'bias', None) is not None
                   for m in modules if isinstance(m, nn.Conv2d | nn.Hardswish | nn.Hardsigmoid))


@pytest.mark.parametrize('wrong', [0.35, 0, -0.25, float('inf'), float('nan'), 'large'])
def test_wrong_scale_is_explained(wrong):
    with pytest.raises(ValueError, match=f'MobileNetV1: scale={wrong} must be a multiple of 0.25'):
        MobileNetV1(wrong)
