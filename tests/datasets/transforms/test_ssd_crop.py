import numpy as np
import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from lcvision.datasets.transforms import DropIgnored, SSDCrop

BOXES = np.array([[10, 12, 60, 70], [50, 40, 150, 100], [140, 10, 178, 30], [0, 90, 30, 118]], np.float32)


def sample(boxes=BOXES, shape=(120, 180)):
    """Pixel values are their own coordinates, so that a crop shows where it came from."""
    rows, columns = np.mgrid[:shape[0], :shape[1]]
    img = np.stack((rows, columns, rows * 0), -1).astype(np.int16)
    return {'img': img, 'img_shape': shape, 'gt_bboxes': HorizontalBoxes(torch.tensor(boxes).reshape(-1, 4)),
            'gt_bboxes_labels': np.arange(len(boxes)), 'gt_ignore_flags': np.zeros(len(boxes), bool)}


def window_of(results):
    height, width = results['img'].shape[:2]
    top, left = results['img'][0, 0, :2]
    return int(left), int(top), int(left) + width, int(top) + height


def expected(window, boxes=BOXES):
    """The rule for one window, box by box: best IoU, labels kept, their boxes."""
    left, top, right, bottom = window
    best, labels, kept = 0.0, [], []
    for label, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
        overlap = max(min(x2, right) - max(x1, left), 0) * max(min(y2, bottom) - max(y1, top), 0)
        union = (x2 - x1) * (y2 - y1) + (right - left) * (bottom - top) - overlap
        best = max(best, overlap / union)
        if left <= (x1 + x2) / 2 < right and top <= (y1 + y2) / 2 < bottom:
            labels.append(label)
            kept.append([max(x1, left) - left, max(y1, top) - top, min(x2, right) - left, min(y2, bottom) - top])
    return best, labels, kept


@pytest.mark.parametrize('threshold', [0.0, 0.1, 0.3, 0.5])
def test_rule_of_one_threshold_holds_for_every_seed(threshold):
    crop = SSDCrop(thresholds=[threshold], allow_no_crop=False)
    cropped = 0
    for seed in range(300):
        np.random.seed(seed)
        out = crop(sample())
        window = window_of(out)
        best, labels, boxes = expected(window)
        assert out['img_shape'] == out['img'].shape[:2]
        if out['img_shape'] == (120, 180):
            continue
        cropped += 1
        assert best >= threshold - 1e-6
        assert labels == out['gt_bboxes_labels'].tolist() != []
        assert out['gt_bboxes'].tensor.tolist() == boxes
        assert out['gt_bboxes'].tensor.dtype == torch.float32 and len(out['gt_ignore_flags']) == len(labels)
    assert cropped > 250


def test_size_and_ratio_of_the_windows():
    np.random.seed(0)
    crop, img = SSDCrop(thresholds=[0.0], allow_no_crop=False), np.zeros((400, 600, 3), np.uint8)
    shapes = np.array([crop({'img': img, 'gt_bboxes': BOXES})['img_shape'] for _ in range(600)]) / (400, 600)
    scale, ratio = np.sqrt(shapes.prod(1)), shapes[:, 1] / shapes[:, 0]
    assert 0.29 < scale.min() < 0.35 and 0.9 < scale.max() <= 1
    assert 0.48 < ratio.min() < 0.55 and 1.85 < ratio.max() < 2.05
    assert (np.abs(np.log(ratio)) <= -2 * np.log(scale) + 0.02).all()


def test_first_choice_is_uniform_over_thresholds_and_no_crop():
    np.random.seed(0)
    whole = np.array([[0, 0, 180, 120]], np.float32)
    # Only a whole-image box and an unreachable threshold: an image stays whole unless threshold 0 comes before no crop.
    crop = SSDCrop(thresholds=[0.0, 1.0])
    uncropped = np.mean([crop(sample(whole))['img_shape'] == (120, 180) for _ in range(2000)])
    assert abs(uncropped - 0.5) < 0.04


def test_matches_the_sequential_rule_in_distribution():
    """The share of whole images and the mean window area equal those of a try-by-try version."""
    crop = SSDCrop()
    np.random.seed(0)
    ours = np.array([np.prod(crop(sample())['img_shape']) for _ in range(1500)]) / (120 * 180)
    naive = np.array([sequential_area() for _ in range(1500)]) / (120 * 180)
    assert abs(np.mean(ours == 1) - np.mean(naive == 1)) < 0.05
    assert abs(ours.mean() - naive.mean()) < 0.03
    assert abs(ours.std() - naive.std()) < 0.03


def sequential_area(height=120, width=180):
    choices = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, None]
    np.random.shuffle(choices)
    for threshold in choices:
        if threshold is None:
            break
        for _ in range(50):
            scale = np.random.uniform(0.3, 1)
            ratio = np.random.uniform(max(0.5, scale**2), min(2, scale**-2))
            h, w = int(height * scale / ratio**0.5), int(width * scale * ratio**0.5)
            top, left = np.random.randint(height - h), np.random.randint(width - w)
            best, labels, _ = expected((left, top, left + w, top + h))
            if best >= threshold and labels:
                return h * w
    return height * width


def test_image_without_boxes_is_returned_as_it_is():
    empty = sample(np.zeros((0, 4), np.float32))
    assert SSDCrop()(empty)['img'].shape == (120, 180, 3)
    assert SSDCrop()({'img': empty['img']})['img'].shape == (120, 180, 3)


@pytest.mark.parametrize('shape', [(1, 1), (1, 50), (2, 3)])
def test_tiny_images_survive(shape):
    np.random.seed(0)
    for _ in range(50):
        out = SSDCrop()(sample(np.array([[0, 0, shape[1], shape[0]]], np.float32), shape))
        assert out['img'].size > 0 and len(out['gt_bboxes']) == 1


def test_masks_and_label_map_follow():
    np.random.seed(1)
    results = sample()
    masks = np.zeros((4, 120, 180), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, BOXES.astype(int), strict=True):
        mask[y1:y2, x1:x2] = 1
    results |= {'gt_masks': BitmapMasks(masks, 120, 180), 'gt_seg_map': results['img'][..., 0]}
    out = SSDCrop(thresholds=[0.3], allow_no_crop=False)(results)
    assert out['img_shape'] != (120, 180)
    assert np.array_equal(out['gt_seg_map'], out['img'][..., 0])
    assert out['gt_masks'].masks.shape[1:] == out['img_shape']
    areas = (out['gt_bboxes'].tensor[:, 2:] - out['gt_bboxes'].tensor[:, :2]).prod(1)
    assert out['gt_masks'].masks.sum((1, 2)).tolist() == areas.tolist()


@pytest.mark.parametrize('wrong', [{'thresholds': [1.5]}, {'aspect_ratio': (1.5, 2)}, {'scaling': (0, 1)},
                                   {'scaling': (0.3, 1.2)}, {'attempts': 0}])
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match='SSDCrop'):
        SSDCrop(**wrong)


def flagged(flags):
    count = len(flags)
    return {'gt_bboxes': HorizontalBoxes(torch.arange(4 * count).reshape(-1, 4).float()),
            'gt_bboxes_labels': np.arange(count), 'gt_ignore_flags': np.array(flags, bool),
            'gt_masks': BitmapMasks(np.zeros((count, 5, 5), np.uint8), 5, 5)}


def test_flagged_objects_leave_with_all_that_is_theirs():
    out = DropIgnored()(flagged([0, 1, 0, 1]))
    assert out['gt_bboxes_labels'].tolist() == [0, 2]
    assert out['gt_bboxes'].tensor[:, 0].tolist() == [0, 8]
    assert not out['gt_ignore_flags'].any() and len(out['gt_ignore_flags']) == 2
    assert len(out['gt_masks']) == 2


def test_only_flagged_objects_leave_an_image_without_boxes():
    out = DropIgnored()(flagged([1]))
    assert out['gt_bboxes'].tensor.shape == (0, 4)
    assert len(out['gt_bboxes_labels']) == 0


def test_nothing_flagged_nothing_done():
    results = flagged([0, 0])
    boxes = results['gt_bboxes']
    assert DropIgnored()(results)['gt_bboxes'] is boxes
    assert DropIgnored()({'img': 1}) == {'img': 1}
