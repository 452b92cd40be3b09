"""The paper's neck by itself; its numbers against PaddleDetection are in tests/models/dense_heads."""
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lcvision.models import PicoPAN

CHANNELS = (4, 8, 12)


def maps(height, width):
    """Maps of a backbone whose strides double, of an input that no stride needs to divide."""
    sizes = [(height, width)]
    for _ in CHANNELS[1:]:
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    return [torch.randn(2, channels, *size) for channels, size in zip(CHANNELS, sizes, strict=True)]


@pytest.fixture
def neck():
    neck = PicoPAN(CHANNELS, 6)
    neck.init_weights()
    return neck


def reference(neck, feats):
    """The reference's own steps: interpolation up by two and down by a half, nothing else."""
    low, middle, high = (F.conv2d(x, lateral.weight, lateral.bias)
                         for x, lateral in zip(feats, neck.laterals, strict=True))
    middle = middle + F.interpolate(high, scale_factor=2, mode='bilinear', align_corners=False)
    low = low + F.interpolate(middle, scale_factor=2, mode='bilinear', align_corners=False)
    middle = middle + F.interpolate(low, scale_factor=0.5, mode='bilinear', align_corners=False)
    high = high + F.interpolate(middle, scale_factor=0.5, mode='bilinear', align_corners=False)
    return low, middle, high


@pytest.mark.parametrize('size', [(4, 4), (8, 20), (12, 8)], ids=str)
@torch.no_grad()
def test_equals_interpolation_at_even_sizes(neck, size):
    feats = maps(*size)
    for actual, expected in zip(neck(feats), reference(neck, feats), strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('size', [(5, 5), (7, 9), (13, 4), (6, 6), (1, 3), (1, 1)], ids=str)
@torch.no_grad()
def test_odd_sizes_are_resized_to_the_neighbour(neck, size):
    feats = maps(*size)
    out = neck(feats)
    assert [m.shape for m in out] == [(2, 6, *m.shape[2:]) for m in feats]

    def resize(x, like):
        return F.interpolate(x, size=like.shape[2:], mode='bilinear', align_corners=False)

    low, middle, high = (lateral(x) for x, lateral in zip(feats, neck.laterals, strict=True))
    middle = middle + resize(high, middle)
    low = low + resize(middle, low)
    middle = middle + resize(low, middle)
    high = high + resize(middle, high)
    for actual, expected in zip(out, (low, middle, high), strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('size', [(8, 8), (7, 5)], ids=str)
def test_information_goes_both_ways(neck, size):
    """Every output depends on every input, and every lateral gets a gradient from every output."""
    for level in range(3):
        feats = [m.requires_grad_() for m in maps(*size)]
        neck.zero_grad()
        neck(feats)[level].square().sum().backward()
        assert all(m.grad.abs().max() > 0 for m in feats)
        assert all(p.grad.abs().max() > 0 for p in neck.parameters())


def test_inputs_are_left_alone(neck):
    feats = maps(8, 8)
    before = [m.clone() for m in feats]
    neck(feats)
    assert all(torch.equal(a, b) for a, b in zip(feats, before, strict=True))


@torch.no_grad()
def test_channels_last_gives_the_same_maps(neck):
    feats = maps(8, 12)
    expected = neck(feats)
    actual = neck.to(memory_format=torch.channels_last)(
        [m.contiguous(memory_format=torch.channels_last) for m in feats])
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('count', [1, 2, 4])
@torch.no_grad()
def test_any_number_of_levels(count):
    neck = PicoPAN([4] * count, 6)
    out = neck([torch.randn(1, 4, 16 >> i, 16 >> i) for i in range(count)])
    assert [m.shape for m in out] == [(1, 6, 16 >> i, 16 >> i) for i in range(count)]


def test_a_wrong_number_of_maps_is_refused(neck):
    with pytest.raises(ValueError, match='zip'):
        neck(maps(8, 8)[:2])


def test_initialisation_equals_reference():
    """Xavier-uniform whose fan-out is the input's width: the bound is sqrt(6 / (in + in))."""
    neck = PicoPAN((64, 256), 96)
    nn.init.constant_(neck.laterals[0].bias, 3.)
    neck.init_weights()
    for lateral in neck.laterals:
        bound = (3 / lateral.in_channels) ** 0.5
        assert 0.99 * bound < lateral.weight.abs().max() <= bound
        assert lateral.weight.std().item() == pytest.approx(bound / 3 ** 0.5, rel=0.03)
        assert not lateral.bias.any()


def test_own_initialisation_wins():
    neck = PicoPAN(CHANNELS, 6, init_cfg=dict(type='Constant', layer='Conv2d', val=0.5, bias=0.25))
    neck.init_weights()
    assert all((lateral.weight == 0.5).all() and (lateral.bias == 0.25).all() for lateral in neck.laterals)
