"""The training pipeline of Cityscapes does to an image and its labels what the reference's does."""
import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tests.datasets import street_like

CROP = (512, 1024)


@pytest.fixture
def cfg():
    init_default_scope('mmseg')
    return Config.fromfile('configs/_base_/datasets/cityscapes_1024x512.py')


def steps(cfg, *left_out):
    return Compose([step for step in cfg.train_pipeline if step['type'].rpartition('.')[2] not in left_out])


def sample(tmp_path, shape):
    """An image in which grey tells the label: label 0..18 is grey 10 * label."""
    labels = cv2.resize(np.random.default_rng(0).integers(0, 19, (6, 9), dtype=np.uint8), shape[::-1],
                        interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(tmp_path / 'i.png'), np.repeat(10 * labels[..., None], 3, 2))
    return dict(img_path=str(tmp_path / 'i.png'), seg_fields=[], label_map=None, reduce_zero_label=False,
                seg_map_path=str(street_like.mask(tmp_path / 'm.png', labels)))


@pytest.mark.parametrize('shape', [(1024, 2048), (360, 480), (600, 700)])
def test_image_and_labels_stay_together(cfg, tmp_path, shape):
    for seed in range(3):
        np.random.seed(seed)
        result = steps(cfg, 'PicoDistort', 'PackSegInputs')(sample(tmp_path, shape))
        image, labels = result['img'].astype(int), result['gt_seg_map']
        assert image.shape == (*CROP, 3) and labels.shape == CROP
        padded = labels == 255
        assert (image[padded] == 127).all()
        # Away from the borders of the patches, which the bilinear image blurs.
        kernel = np.ones((7, 7), np.uint8)
        inside = (cv2.dilate(labels, kernel) == cv2.erode(labels, kernel)) & ~padded
        assert (image[inside] == 10 * labels[inside][:, None]).all() and inside.any()


def test_small_images_are_padded_below_and_at_the_end(cfg, tmp_path):
    sizes = set()
    for seed in range(40):
        np.random.seed(seed)
        result = steps(cfg, 'PicoDistort', 'PackSegInputs', 'RandomFlip')(sample(tmp_path, (100, 200)))
        there = result['gt_seg_map'] != 255
        height, width = there.any(1).sum(), there.any(0).sum()
        assert there[:height, :width].all() and there.sum() == height * width
        sizes.add((int(height), int(width)))
    assert sizes == {(25 * k, 50 * k) for k in range(2, 9)}


def test_halves_are_flipped_and_colours_are_distorted(cfg, tmp_path):
    flips, changed = 0, 0
    for seed in range(60):
        np.random.seed(seed)
        before = steps(cfg, 'PicoDistort', 'PackSegInputs')(sample(tmp_path, (64, 64)))
        flips += before['flip']
        np.random.seed(seed)
        after = steps(cfg, 'PackSegInputs')(sample(tmp_path, (64, 64)))
        assert np.array_equal(before['gt_seg_map'], after['gt_seg_map']) and after['img'].dtype == np.uint8
        changed += not np.array_equal(before['img'], after['img'])
    assert 18 <= flips <= 42 and 30 <= changed < 60


def test_evaluation_leaves_images_as_they_are(cfg, tmp_path):
    result = Compose(cfg.test_pipeline)(sample(tmp_path, (37, 61)))
    assert result['inputs'].shape == (3, 37, 61) and result['data_samples'].gt_sem_seg.data.shape == (1, 37, 61)
