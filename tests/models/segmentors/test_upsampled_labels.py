"""The labels of upsampled logits, and what resizing does along an axis."""
import pytest
import torch
from torch.nn import functional as F

from lcvision.models.segmentors.upsampled_labels import axis_taps, upsampled_labels


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


def test_a_million_pixels_take_memory_in_proportion():
    found = axis_taps(250_000, 1_000_000, (0, 0), 1_000_000)
    torch.testing.assert_close(found.weights.sum(1), torch.ones(1_000_000))
    assert found.taps == 2 and found.start[[0, 6, 500_000, -1]].tolist() == [0, 1, 124_999, 249_998]


def scene(classes=19, height=32, width=64):
    """Logits of large regions with ragged boundaries."""
    coarse = F.interpolate(4 * torch.randn(1, classes, 4, 8), (height, width), mode='bicubic')
    return (coarse + 0.2 * torch.randn_like(coarse))[0]


def taps(logits, size):
    return [axis_taps(before, after, (0, 0), after) for before, after in zip(logits.shape[1:], size, strict=True)]


def upsampled(logits, size):
    return F.interpolate(logits[None].float().contiguous(), size, mode='bilinear', align_corners=False)[0]


@pytest.mark.parametrize('channels_last', [False, True])
@pytest.mark.parametrize('make', [scene, torch.randn])
@pytest.mark.parametrize('shape, size', [
    ((19, 32, 64), (128, 256)), ((19, 33, 61), (129, 241)), ((7, 31, 17), (124, 68)), ((5, 9, 9), (100, 37)),
    ((2, 1, 1), (4, 4)), ((3, 1, 8), (3, 29)), ((300, 8, 8), (32, 32)), ((4, 40, 40), (15, 22))])
def test_labels_are_those_of_the_upsampled_logits(shape, size, make, channels_last):
    logits = make(*shape)
    given = logits[None].to(memory_format=torch.channels_last)[0] if channels_last else logits
    labels = upsampled_labels(given, *taps(logits, size))
    assert labels.dtype == (torch.int16 if shape[0] > 255 else torch.uint8)
    assert torch.equal(labels.long(), upsampled(logits, size).argmax(0))


def test_two_best_classes_give_the_first():
    logits = torch.zeros(6, 8, 8)
    logits[2:5] = 1.
    assert (upsampled_labels(logits, *taps(logits, (32, 32))) == 2).all()


def test_a_class_that_wins_nowhere_on_the_map_can_win_in_between():
    logits = torch.tensor([[[3., 0.]], [[0., 3.]], [[2., 2.]]])
    assert upsampled_labels(logits, *taps(logits, (1, 8))).unique().tolist() == [0, 1, 2]


def test_half_precision_is_compared_in_single():
    logits = scene().bfloat16()
    assert torch.equal(upsampled_labels(logits, *taps(logits, (128, 256))).long(),
                       upsampled(logits, (128, 256)).argmax(0))


def test_coarse_labels_are_those_of_the_nearest_logits():
    logits = scene()
    expected = logits.argmax(0).repeat_interleave(4, 0).repeat_interleave(4, 1)
    assert torch.equal(upsampled_labels(logits, *taps(logits, (128, 256)), coarse=True).long(), expected)


def test_gradients_are_not_followed():
    logits = scene().requires_grad_()
    assert not upsampled_labels(logits, *taps(logits, (64, 128))).requires_grad
