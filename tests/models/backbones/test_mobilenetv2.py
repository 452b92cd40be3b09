"""MobileNetV2 against torchvision, PaddleClas' widths, and small strides."""
import pytest
import torch
import torchvision
from torch import nn

from lcvision.models import MobileNetV2
from tests.fixture import assert_close


@pytest.mark.parametrize('scale', [0.35, 1.0])
@torch.no_grad()
def test_forward_equals_torchvision(scale):
    reference = torchvision.models.mobilenet_v2(width_mult=scale).features[:-1].eval()
    for norm in (m for m in reference.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    model = MobileNetV2(scale, 'torchvision').eval()
    model.load_state_dict(dict(zip(model.state_dict(), reference.state_dict().values(), strict=True)))
    maps, x, image = [], torch.randn(2, 3, 65, 96), None
    image = x
    for index, layer in enumerate(reference):
        x = layer(x)
        if index in (3, 6, 13, 17):
            maps.append(x)
    for ours, theirs in zip(model(image), maps, strict=True):
        assert_close(ours, theirs, 1e-5)


@pytest.mark.parametrize('scale, widths', [
    (0.25, (8, 4, 6, 8, 16, 24, 40, 80)), (0.5, (16, 8, 12, 16, 32, 48, 80, 160)),
    (1.0, (32, 16, 24, 32, 64, 96, 160, 320))])
def test_paddle_cuts_widths(scale, widths):
    model = MobileNetV2(scale)
    assert (model.stem.out_channels, *(stage[-1].project.out_channels for stage in model.stages)) == widths
    assert model.out_channels == (widths[2], widths[3], widths[5], widths[7])


def test_paddle_expands_in_the_first_block_too():
    ours, theirs = MobileNetV2(1.0), MobileNetV2(1.0, 'torchvision')
    assert ours.stages[0][0].expand.out_channels == ours.stages[0][0].expand.in_channels == 32
    assert isinstance(theirs.stages[0][0].expand, nn.Identity)
    count = sum(p.numel() for p in ours.parameters()) - sum(p.numel() for p in theirs.parameters())
    assert count == 32 * 32 + 2 * 32


@pytest.mark.parametrize('strides, out_strides', [((1, 1, 2, 2, 2), (1, 2, 4, 8)), ((2, 1, 2, 2, 2), (2, 4, 8, 16)),
                                                  ((1, 1, 1, 1, 1), (1, 1, 1, 1))])
@torch.no_grad()
def test_strides_are_chosen(strides, out_strides):
    model, usual = MobileNetV2(0.25, strides=strides).eval(), MobileNetV2(0.25)
    assert model.out_strides == out_strides and model.out_channels == usual.out_channels
    model.load_state_dict(usual.state_dict())
    assert [m.shape[-1] for m in model(torch.randn(1, 3, 32, 32))] == [32 // stride for stride in out_strides]


@torch.no_grad()
def test_output_stride_counts_the_strides_that_are_there():
    model = MobileNetV2(0.25, strides=(1, 2, 2, 2, 2), output_stride=8).eval()
    assert model.out_strides == (2, 4, 8, 8)
    assert [m.shape[-1] for m in model(torch.randn(1, 3, 32, 32))] == [16, 8, 4, 4]
    assert model.stages[5][0].dw.conv.stride == (1, 1) and model.stages[5][1].dw.conv.dilation == (2, 2)


@pytest.mark.parametrize('wrong, text', [
    (dict(style='mm'), "style='mm' must be one of 'paddle', 'torchvision'"),
    (dict(scale=0.01), 'scale=0.01 must be at least 0.0625'),
    (dict(scale=float('nan')), 'scale=nan must be at least 0.0625'),
    (dict(strides=(2, 2, 2)), r'strides=\(2, 2, 2\) must be 5 numbers 1 or 2'),
    (dict(strides=(3, 2, 2, 2, 2)), 'must be 5 numbers 1 or 2'),
])
def test_wrong_arguments_are_explained(wrong, text):
    with pytest.raises(ValueError, match=f'MobileNetV2: .*{text}|MobileNetV2: {text}'):
        MobileNetV2(**wrong)
