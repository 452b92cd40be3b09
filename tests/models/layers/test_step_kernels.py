import copy

import pytest
import torch
from torch import nn

from lcvision.models.layers.step_kernels import split_gradients, whole_gradients


def gradients(conv, x, bfloat16):
    x = x.clone(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
        y = conv(x)
    y.float().backward(torch.randn(y.shape, generator=torch.Generator().manual_seed(1)))
    return y, x.grad, conv.weight.grad


@pytest.mark.parametrize('bfloat16', [False, True])
@pytest.mark.parametrize(('kernel', 'stride', 'padding', 'size'), [
    (5, 1, 2, (9, 12)), (5, 2, 2, (9, 12)), (5, 2, 2, (12, 9)), (7, 1, 3, (10, 10)), (7, 3, 0, (11, 17)),
    ((3, 5), (2, 1), (1, 2), (8, 8)), (5, 1, 2, (4, 4)), (3, 2, 1, (9, 8)), (4, 2, 1, (8, 10))])
def test_gradients_are_torchs(kernel, stride, padding, size, bfloat16):
    torch.manual_seed(0)
    conv = nn.Conv2d(24, 24, kernel, stride, padding, groups=24, bias=False)
    split, x = copy.deepcopy(conv), torch.randn(2, 24, *size)
    split_gradients(split)
    assert '_conv_forward' in vars(split)
    expected, found = gradients(conv, x, bfloat16), gradients(split, x, bfloat16)
    assert torch.equal(expected[0], found[0])
    for one, other in zip(expected[1:], found[1:]):
        assert other.dtype == one.dtype == torch.float32
        assert (one - other).norm() < (1e-2 if bfloat16 else 1e-6) * one.norm()
    assert all(map(torch.equal, found, gradients(copy.deepcopy(split), x, bfloat16)[:2]))


@pytest.mark.parametrize('conv', [
    nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.Conv2d(8, 8, 5, padding=2, bias=False),
    nn.Conv2d(8, 16, 5, padding=2, groups=8, bias=False), nn.Conv2d(8, 8, 5, padding=2, groups=8),
    nn.Conv2d(8, 8, 5, padding='same', groups=8, bias=False), nn.Conv2d(8, 8, 5, dilation=2, groups=8, bias=False)])
def test_other_convolutions_stay_as_they_are(conv):
    split_gradients(conv)
    assert '_conv_forward' not in vars(conv)


@pytest.mark.parametrize('shape', [(8, 6, 4, 4), (3, 6, 5, 7), (1, 6, 1, 1)])
@pytest.mark.parametrize('bias', [False, True])
def test_pointwise_convolutions_of_few_images_are_torchs(shape, bias, monkeypatch):
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 1)
    conv = nn.Conv2d(6, 10, 1, bias=bias)
    split, x = copy.deepcopy(conv), torch.randn(shape)
    split_gradients(split)
    seen = []
    with monkeypatch.context() as patch:
        patch.setattr(nn.functional, 'conv2d', lambda x, *rest: seen.append(len(x)) or torch.conv2d(x, *rest))
        found = gradients(split, x, False)
    assert seen == [{128: 16, 105: 21, 1: 1}[shape[0] * shape[2] * shape[3]]]
    assert found[0].is_contiguous(memory_format=torch.channels_last)
    for one, other in zip(gradients(conv, x, False), found):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize('images, threads, bfloat16', [(16, 1, False), (2, 2, False), (2, 1, True)])
def test_what_onednn_takes_anyway_stays_whole(images, threads, bfloat16, monkeypatch):
    monkeypatch.setattr(torch, 'get_num_threads', lambda: threads)
    conv, seen = nn.Conv2d(6, 10, 1), []
    split_gradients(conv)
    monkeypatch.setattr(nn.functional, 'conv2d', lambda x, *rest: seen.append(x.shape) or torch.conv2d(x, *rest))
    with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
        conv(torch.randn(images, 6, 4, 4).contiguous(memory_format=torch.channels_last))
    assert seen == [(images, 6, 4, 4)]


def test_weights_alone_and_maps_alone():
    conv = nn.Conv2d(8, 8, 5, 2, 2, groups=8, bias=False)
    split_gradients(conv)
    conv(torch.randn(1, 8, 9, 9)).sum().backward()
    assert conv.weight.grad.abs().sum() > 0
    x = torch.randn(1, 8, 9, 9, requires_grad=True)
    conv.weight.requires_grad_(False)
    conv(x).sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize('act', [nn.Hardswish, nn.SiLU])
def test_activations_leave_their_input_and_all_can_be_taken_back(act):
    model = nn.Sequential(nn.Conv2d(8, 8, 5, groups=8, bias=False), act(inplace=True))
    names, x = list(model.state_dict()), torch.randn(2, 8)
    expected = act()(x)
    split_gradients(model)
    assert list(model.state_dict()) == names and torch.equal(model[1](x), expected) and not torch.equal(x, expected)
    whole_gradients(model)
    assert not any({'forward', '_conv_forward'} & set(vars(module)) for module in model)
    assert torch.equal(model[1](x), expected) and torch.equal(x, expected)
