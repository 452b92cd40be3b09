"""What mmdet's own transforms must give for the reference's evaluation resize and flip; we add no code there."""
import cv2
import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import RandomFlip, Resize
from mmdet.structures.bbox import HorizontalBoxes


def sample(height=97, width=130):
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return {'img': cv2.GaussianBlur(noise, (5, 5), 2), 'img_shape': (height, width),
            'gt_bboxes': HorizontalBoxes(torch.tensor([[10, 20, 70, 50], [100, 0, 140, 97.0]]))}


@pytest.mark.parametrize('side', [320, 416, 64])
def test_evaluation_resize_is_cv2_cubic_on_uint8(side):
    before = sample()
    out = Resize(scale=(side, side), keep_ratio=False, interpolation='bicubic')(sample())
    # The reference passes ratios instead of a size; both give the same pixels.
    by_ratio = cv2.resize(before['img'], None, None, fx=side / 130, fy=side / 97, interpolation=cv2.INTER_CUBIC)
    assert out['img'].dtype == np.uint8 and np.array_equal(out['img'], by_ratio)
    assert out['scale_factor'] == pytest.approx((side / 130, side / 97)) and out['img_shape'] == (side, side)
    scale = torch.tensor([side / 130, side / 97] * 2)
    assert torch.allclose(out['gt_bboxes'].tensor, (sample()['gt_bboxes'].tensor * scale).clamp(max=side))


def test_flip_mirrors_at_the_width():
    out = RandomFlip(prob=1.0)(sample())
    assert np.array_equal(out['img'], sample()['img'][:, ::-1])
    assert out['gt_bboxes'].tensor.tolist() == [[60, 20, 120, 50], [-10, 0, 30, 97]]
