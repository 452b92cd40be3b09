"""TensorFlow's padding at every size, stride and dilation, and both ways to compute it."""
import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn.bricks import Conv2dAdaptivePadding

from lcvision.models.layers.blocks import SameConv2d


@pytest.mark.parametrize('size', [(8, 12), (9, 7), (8, 7), (1, 2)], ids=str)
@pytest.mark.parametrize('kernel, stride, dilation', [(1, 1, 1), *((kernel, *steps) for kernel in (3, 5) for steps in (
    (1, 1), (1, 2), (2, 1), (2, 2), (3, 1)))])
@pytest.mark.parametrize('groups', [1, 4])
def test_equals_mmcvs_with_and_without_gradients(kernel, groups, stride, dilation, size):
    conv = SameConv2d(4, 8, kernel, stride, dilation=dilation, groups=groups)
    other = Conv2dAdaptivePadding(4, 8, kernel, stride, dilation=dilation, groups=groups)
    other.load_state_dict(conv.state_dict())
    x = torch.randn(2, 4, *size)
    assert conv(x).shape[2:] == tuple(-(-side // stride) for side in size)
    torch.testing.assert_close(conv(x), other(x))
    with torch.no_grad():
        torch.testing.assert_close(conv(x), other(x))


def test_stride_and_dilation_are_read_at_every_call():
    conv, x = SameConv2d(4, 4, 3, 2, groups=4), torch.randn(1, 4, 10, 10)
    conv.stride, conv.dilation = (1, 1), (2, 2)
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, conv.bias, 1, 2, 2, 4))


@pytest.mark.parametrize('image_size, padded', [(224, (0, 1)), (203, (1, 1))])
@pytest.mark.parametrize('grad', [True, False])
def test_image_size_decides_for_every_map(image_size, padded, grad):
    conv = SameConv2d(4, 4, 3, 2, groups=4, image_size=image_size)
    for side in (10, 11):
        x = torch.randn(1, 4, side, side)
        with torch.set_grad_enabled(grad):
            expected = F.conv2d(F.pad(x, padded * 2), conv.weight, conv.bias, 2, groups=4)
            torch.testing.assert_close(conv(x), expected)


@torch.no_grad()
def test_map_is_not_copied_at_inference(monkeypatch):
    """A padded copy of a large map costs as much as the depthwise convolution."""
    conv, sizes, pad = SameConv2d(4, 4, 3, 2, groups=4), [], F.pad
    monkeypatch.setattr(F, 'pad', lambda x, amounts: (sizes.append(x.numel()), pad(x, amounts))[1])
    conv(torch.randn(1, 4, 50, 50))
    assert sizes == [conv.weight.numel()]


@pytest.mark.parametrize('kernel, stride', [(2, 1), (4, 2), (1, 2)])
def test_wrong_kernel_is_explained(kernel, stride):
    with pytest.raises(ValueError, match=f'SameConv2d: kernel_size={kernel} must be odd and at least stride={stride}'):
        SameConv2d(4, 4, kernel, stride)
