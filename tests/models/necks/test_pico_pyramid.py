"""The graph of the later necks: which map meets which, sizes, wrong arguments."""
import pytest
import torch
from torch import nn

from lcvision.models.necks.pico_pyramid import PicoPyramid


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
