"""The rendered streets: reproducible, in Cityscapes layout, and with what a segmentor has to tell apart."""
import cv2
import numpy as np
import pytest

from lcvision.datasets.mask_check import check_masks
from lcvision.datasets.mask_coding import MaskCoding
from lcvision.datasets.sample import render_street_image, render_street_sample
from lcvision.datasets.sample.street import ROAD, SIZE, SKY


@pytest.fixture(scope='module')
def streets():
    """A dozen streets: images and labels."""
    return [render_street_image(np.random.default_rng([1, index])) for index in range(12)]


def files_of(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob('*') if path.is_file()}


def test_same_seed_same_bytes_and_a_sound_data_set(tmp_path):
    for name, seed in (('a', 3), ('b', 3), ('c', 4)):
        render_street_sample(tmp_path / name, train_images=2, val_images=1, seed=seed)
    first, again, other = (files_of(tmp_path / name) for name in 'abc')
    assert len(set(first.values())) == 6 and first == again
    assert first.keys() == other.keys() and all(first[name] != other[name] for name in first)
    for split, count in (('train', 2), ('val', 1)):
        images = sorted((tmp_path / 'a/leftImg8bit' / split).rglob('*_leftImg8bit.png'))
        masks = sorted((tmp_path / 'a/gtFine' / split).rglob('*_gtFine_labelTrainIds.png'))
        assert check_masks(list(zip(images, masks, strict=True)), MaskCoding(19), split).sizes == {SIZE[::-1]: count}


def test_many_classes_are_in_every_street(streets):
    counts = [len(np.unique(labels)) for _, labels in streets]
    assert min(counts) >= 7 and np.mean(counts) > 9
    assert all({ROAD, SKY} <= set(labels.ravel().tolist()) for _, labels in streets)
    shares = np.bincount(np.concatenate([labels.ravel() for _, labels in streets]), minlength=19) / 12 / np.prod(SIZE)
    assert shares.max() < 0.5 and (shares > 0).sum() == 15


def test_labels_lie_where_the_image_changes(streets):
    for image, labels in streets:
        assert image.dtype == np.uint8 and image.shape == (*SIZE, 3) and 40 < image.mean() < 220 and image.std() > 15
        gradient = cv2.magnitude(*(cv2.Sobel(image.mean(2), cv2.CV_64F, *d) for d in ((1, 0), (0, 1))))
        border = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        assert gradient[border].mean() > 1.3 * gradient[~border].mean()


def test_the_position_alone_does_not_tell(streets):
    stack = np.stack([labels for _, labels in streets])
    votes = np.stack([(stack == label).sum(0) for label in range(19)]).argmax(0)
    ious = [((votes == label) & (stack == label)).sum() / ((votes == label) | (stack == label)).sum()
            for label in np.unique(stack)]
    assert np.mean(ious) < 0.4
