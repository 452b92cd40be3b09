"""The rendered sets: reproducible, in their layouts, balanced, and with what a model has to cope with."""
from collections import Counter

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from lcvision.datasets.image_folder import find
from lcvision.datasets.mask_check import check_masks
from lcvision.datasets.mask_coding import MaskCoding
from lcvision.datasets.mask_folder import pair_up, read_class_list
from lcvision.datasets.sample.sets import (
    RENDERERS,
    SEGMENTATION_SIZE,
    render_classification_sample,
    render_detection_sample,
    render_segmentation_sample,
)
from lcvision.datasets.sample.shapes import NAMES


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('sample')
    render_detection_sample(root, train_images=40, val_images=14)
    return root


@pytest.fixture(params=['train', 'val'])
def split(root, request):
    return root / f'{request.param}2017', COCO(str(root / 'annotations' / f'instances_{request.param}2017.json'))


def files_of(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob('*') if path.is_file()}


@pytest.mark.parametrize('task, count', [('detection', 3), ('segmentation', 6), ('classification', 24)])
def test_same_seed_same_bytes(tmp_path, task, count):
    for name, seed in (('a', 3), ('b', 3), ('c', 4)):
        (tmp_path / name).mkdir()
        RENDERERS[task](tmp_path / name, 2, 1, seed)
    first, again, other = (files_of(tmp_path / name) for name in 'abc')
    pictures = [content for name, content in first.items() if name.endswith(('.jpg', '.png'))]
    assert first == again and first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if not name.endswith(('val2017.json', 'classes.txt')))
    assert len(set(pictures)) == len(pictures) == count


def test_boxes_and_sizes_agree(split):
    folder, coco = split
    assert [category['name'] for category in coco.loadCats(coco.getCatIds())] == list(NAMES)
    assert len({(image['height'], image['width']) for image in coco.imgs.values()}) >= 4
    for image in coco.imgs.values():
        assert cv2.imread(str(folder / image['file_name'])).shape == (image['height'], image['width'], 3)
    for annotation in coco.anns.values():
        image = coco.imgs[annotation['image_id']]
        x, y, width, height = annotation['bbox']
        assert x >= 0 and y >= 0 and x + width <= image['width'] and y + height <= image['height']
        assert 0.15 * width * height < annotation['area'] <= width * height


def test_there_are_empty_images_crowds_and_every_shape(split):
    _, coco = split
    counts = Counter(annotation['image_id'] for annotation in coco.anns.values() if not annotation['iscrowd'])
    empty = [image for image in coco.imgs if not coco.getAnnIds(imgIds=image)]
    assert 1 <= len(empty) <= len(coco.imgs) * 0.1
    assert max(counts.values()) <= 6 and 2.5 <= np.mean(list(counts.values())) <= 5
    assert coco.getAnnIds(iscrowd=True)
    assert {annotation['category_id'] for annotation in coco.anns.values()} == set(range(1, 9))


def test_every_class_has_images_in_both_splits(tmp_path):
    render_classification_sample(tmp_path, 3, 1)
    train, val = (find(tmp_path, split) for split in ('train', 'val'))
    assert train.classes == val.classes == tuple(sorted(NAMES))
    assert (train.num_images, val.num_images) == (24, 8)
    shapes = {cv2.imread(str(path)).shape for path in tmp_path.rglob('*.jpg')}
    assert len(shapes) > 5


def test_masks_fit_their_images_and_the_position_alone_does_not_tell(tmp_path):
    render_segmentation_sample(tmp_path, 12, 2)
    assert read_class_list(tmp_path / 'classes.txt').names == ('ground', *NAMES)
    for split, count in (('train', 12), ('val', 2)):
        pairs = pair_up(tmp_path / 'images' / split, tmp_path / 'masks' / split)
        found = check_masks(pairs, MaskCoding(9), split)
        assert found.sizes == {SEGMENTATION_SIZE[::-1]: count}
    stack = np.stack([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (tmp_path / 'masks').rglob('*.png')])
    assert set(stack.ravel().tolist()) == set(range(9))
    votes = np.stack([(stack == label).sum(0) for label in range(9)]).argmax(0)
    ious = [((votes == label) & (stack == label)).sum() / ((votes == label) | (stack == label)).sum()
            for label in range(9)]
    assert np.mean(ious) < 0.4
