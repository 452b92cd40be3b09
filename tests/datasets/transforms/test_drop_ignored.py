import numpy as np
import torch
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from lcvision.datasets.transforms import DropIgnored


def sample(flags):
    count = len(flags)
    return {'gt_bboxes': HorizontalBoxes(torch.arange(4 * count).reshape(-1, 4).float()),
            'gt_bboxes_labels': np.arange(count), 'gt_ignore_flags': np.array(flags, bool),
            'gt_masks': BitmapMasks(np.zeros((count, 5, 5), np.uint8), 5, 5)}


def test_flagged_objects_leave_with_all_that_is_theirs():
    out = DropIgnored()(sample([0, 1, 0, 1]))
    assert out['gt_bboxes_labels'].tolist() == [0, 2]
    assert out['gt_bboxes'].tensor[:, 0].tolist() == [0, 8]
    assert not out['gt_ignore_flags'].any() and len(out['gt_ignore_flags']) == 2
    assert len(out['gt_masks']) == 2


def test_only_flagged_objects_leave_an_image_without_boxes():
    out = DropIgnored()(sample([1]))
    assert out['gt_bboxes'].tensor.shape == (0, 4)
    assert len(out['gt_bboxes_labels']) == 0


def test_nothing_flagged_nothing_done():
    results = sample([0, 0])
    boxes = results['gt_bboxes']
    assert DropIgnored()(results)['gt_bboxes'] is boxes
    assert DropIgnored()({'img': 1}) == {'img': 1}
