"""The later necks: parity with the reference, which map meets which, sizes, initialisation, wrong arguments."""
import pytest
import torch
from torch import nn

from lcvision.models import CSPPAN, LCPAN, PPLCNet
from lcvision.models.necks.pico_pyramid import PicoPyramid
from lcvision.weights.from_paddle import rename
from tests.fixture import Fixture, assert_close


class Sum(nn.Module):
    """Adds the two concatenated maps."""

    def forward(self, x):
        first, second = x.chunk(2, 1)
        return first + 10 * second


class Pyramid(PicoPyramid):
    def make_fuse(self, in_channels, out_channels):
        assert in_channels == 2 * out_channels
        return Sum()


def plain(levels=3, **arguments):
    """A pyramid whose laterals pass through and whose halvings take every other cell."""
    pyramid = Pyramid([1] * levels, 1, **arguments)
    pyramid.laterals = nn.ModuleList(nn.Identity() for _ in range(levels))
    pyramid.downsamples = nn.ModuleList(nn.AvgPool2d(1, 2) for _ in range(levels - 1))
    if pyramid.extra:
        pyramid.first_top = pyramid.second_top = nn.AvgPool2d(1, 2)
    return pyramid


def test_path_down_then_up():
    feats = [torch.full((1, 1, size, size), value) for size, value in ((8, 1.), (4, 2.), (2, 3.))]
    outs = plain()(feats)
    p4 = 3 + 10 * 2.
    p3 = p4 + 10 * 1.
    n4 = p3 + 10 * p4
    n5 = n4 + 10 * 3.
    assert [m.unique().tolist() for m in outs] == [[p3], [n4], [n5], [3 + n5]]
    assert [m.shape[-1] for m in outs] == [8, 4, 2, 1]


def test_upsampling_is_nearest():
    feats = [torch.zeros(1, 1, 4, 4), torch.tensor([[[[1., 2.], [3., 4.]]]])]
    finest = plain(2, num_outs=2)(feats)[0]
    assert torch.equal(finest[0, 0], torch.tensor([[1., 2.], [3., 4.]]).repeat_interleave(2, 0).repeat_interleave(2, 1))


@pytest.mark.parametrize('num_outs', [3, 4])
def test_odd_sizes(num_outs):
    feats = [torch.randn(1, 1, *size) for size in ((13, 10), (7, 5), (4, 3))]
    outs = Pyramid([1, 1, 1], 1, num_outs=num_outs)(feats)
    assert [tuple(m.shape[2:]) for m in outs] == [(13, 10), (7, 5), (4, 3), (2, 2)][:num_outs]


@pytest.mark.parametrize(('arguments', 'words'), [
    (dict(num_outs=5), 'num_outs=5 must be 3'), (dict(num_outs=2), 'num_outs=2 must be 3'),
    (dict(kernel_size=4), 'kernel_size=4 must be odd')])
def test_wrong_argument_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        Pyramid([8, 8, 8], 8, **arguments)


@pytest.mark.parametrize('kind, generation', [(CSPPAN, 'legacy'), (LCPAN, 'v2')])
@torch.no_grad()
def test_maps_equal_reference(kind, generation):
    fixture = Fixture(f'det_{generation}_pplcnet_x0_25')
    parts = dict(backbone=PPLCNet(scale=0.25, out_indices=(1, 2, 3)), neck=kind([32, 64, 128], 32))
    for prefix, part in parts.items():
        state = {rename(name).removeprefix(f'{prefix}.'): torch.from_numpy(array)
                 for name, array in fixture.params.items() if name.startswith(f'{prefix}.')}
        missing, unexpected = part.load_state_dict(state, strict=False)
        assert not unexpected and all(name.endswith('num_batches_tracked') for name in missing)
        part.eval()
    feats = parts['backbone'](fixture['infer/input'])
    maps = parts['neck'](feats)
    assert len(maps) == 4
    if generation == 'v2':
        assert_close(feats[0][:, :, ::2, ::2], fixture['infer/backbone/0__sub2'])
    assert_close(maps[0][:, :, ::2, ::2], fixture['infer/neck/0__sub2'])
    for level in range(1, 4):
        assert_close(maps[level], fixture[f'infer/neck/{level}'])


def test_csp_pan_has_sizes_and_gradients():
    neck = CSPPAN([4, 6, 8], 16, kernel_size=3, num_outs=3, num_csp_blocks=2)
    feats = [torch.randn(2, c, *size) for c, size in ((4, (13, 10)), (6, (7, 5)), (8, (4, 3)))]
    maps = neck(feats)
    assert [tuple(m.shape) for m in maps] == [(2, 16, 13, 10), (2, 16, 7, 5), (2, 16, 4, 3)]
    sum(m.square().sum() for m in maps).backward()
    assert all(p.grad is not None for p in neck.parameters())
    assert CSPPAN([4, 6, 8], 16)(feats)[3].shape == (2, 16, 2, 2)


def test_csp_pan_initialises_as_reference():
    neck = CSPPAN([64, 128], 64, num_outs=3)
    neck.init_weights()
    for conv in (m for m in neck.modules() if isinstance(m, torch.nn.Conv2d)):
        bound = (6 / conv.weight[0].numel()) ** 0.5
        assert 0.95 * bound < conv.weight.abs().max() <= bound


@pytest.mark.parametrize(('arguments', 'words'), [
    (dict(out_channels=33), 'out_channels=33'), (dict(num_csp_blocks=0), 'num_csp_blocks=0'),
    (dict(num_outs=5), 'num_outs=5'), (dict(kernel_size=4), 'kernel_size=4')])
def test_wrong_argument_of_csp_pan_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        CSPPAN(**{**dict(in_channels=[32, 64, 128], out_channels=32), **arguments})


def test_everything_of_lc_pan_learns():
    neck = LCPAN([4, 6, 8], 16, num_outs=3)
    feats = [torch.randn(2, channels, size, size) for channels, size in ((4, 12), (6, 6), (8, 3))]
    maps = neck(feats)
    assert [tuple(m.shape) for m in maps] == [(2, 16, 12, 12), (2, 16, 6, 6), (2, 16, 3, 3)]
    sum(m.square().sum() for m in maps).backward()
    assert all(p.grad is not None for p in neck.parameters())


def test_lc_pan_initialises_as_reference():
    """The fusing blocks are LCNet's, normal; the rest is uniform. Both have variance 2 / fan_in."""
    neck = LCPAN([64, 128, 256], 64)
    neck.init_weights()
    for name, conv in neck.named_modules():
        if not isinstance(conv, torch.nn.Conv2d):
            continue
        fan_in = conv.weight[0].numel()
        bound, weight = (6 / fan_in) ** 0.5, conv.weight
        assert 0.9 < weight.std() / (2 / fan_in) ** 0.5 < 1.1, name
        assert (weight.abs().max() > 1.2 * bound) == name.startswith(('top_down', 'bottom_up')), name
        if not name.startswith(('top_down', 'bottom_up')):
            assert weight.abs().max() <= bound, name
