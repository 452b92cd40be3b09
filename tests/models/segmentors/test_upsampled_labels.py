import pytest
import torch
from torch.nn import functional as F

from lcvision.models.segmentors.axis_taps import axis_taps
from lcvision.models.segmentors.upsampled_labels import upsampled_labels


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
