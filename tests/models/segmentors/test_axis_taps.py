import pytest
import torch
from torch.nn import functional as F

from lcvision.models.segmentors.axis_taps import axis_taps


def resized(signal, padded, crop, original, align_corners):
    out = F.interpolate(signal[None, None], padded, mode='linear', align_corners=align_corners)
    out = out[..., crop[0]:padded - crop[1]]
    return F.interpolate(out, original, mode='linear', align_corners=align_corners)[0, 0]


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size, padded, crop, original, taps', [
    (16, 64, (0, 0), 64, 2),
    (13, 51, (0, 0), 51, 2),
    (16, 64, (0, 5), 59, 2),
    (16, 64, (3, 5), 100, 3),
    (16, 64, (0, 0), 24, 3),
    (1, 4, (0, 0), 4, 1),
    (2, 7, (0, 0), 9, 2),
    (40, 10, (0, 0), 10, 2),
])
def test_taps_resize_a_signal(size, padded, crop, original, taps, align_corners):
    found = axis_taps(size, padded, crop, original, align_corners)
    signal = torch.randn(size)
    neighbours = signal[found.start[:, None] + torch.arange(found.taps)]
    torch.testing.assert_close((neighbours * found.weights).sum(1),
                               resized(signal, padded, crop, original, align_corners))
    assert found.taps <= taps and found.weights.min() >= 0
    torch.testing.assert_close(found.weights.sum(1), torch.ones(original))


def test_groups_hold_every_pixel_once():
    found = axis_taps(13, 51, (2, 3), 70)
    members = [list(range(first, first + count))
               for first, count in zip(found.first.tolist(), found.count.tolist(), strict=True)]
    assert [pixel for pixels in members for pixel in pixels] == list(range(70))
    assert all(found.start[pixel] == group for group, pixels in enumerate(members) for pixel in pixels)


def test_nearest_is_the_neighbour_of_the_largest_weight():
    assert axis_taps(3, 12, (0, 0), 12).nearest.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_a_million_pixels_take_memory_in_proportion():
    found = axis_taps(250_000, 1_000_000, (0, 0), 1_000_000)
    torch.testing.assert_close(found.weights.sum(1), torch.ones(1_000_000))
    assert found.taps == 2 and found.start[[0, 6, 500_000, -1]].tolist() == [0, 1, 124_999, 249_998]
