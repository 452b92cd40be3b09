"""The rendered shapes: reproducible, valid COCO, balanced classes, and with what a detector has to cope with."""
from collections import Counter

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from lcvision.datasets.image_folder import find
from lcvision.datasets.sample import render_classification_sample, render_detection_image, render_detection_sample
from lcvision.datasets.sample.shapes import NAMES, outline


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


@pytest.mark.parametrize('render, count', [(render_detection_sample, 3), (render_classification_sample, 24)])
def test_same_seed_same_bytes(tmp_path, render, count):
    for name, seed in (('a', 3), ('b', 3), ('c', 4)):
        render(tmp_path / name, 2, 1, seed)
    first, again, other = (files_of(tmp_path / name) for name in 'abc')
    pictures = [content for name, content in first.items() if name.endswith('.jpg')]
    assert first == again and first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if 'val2017.json' not in name)
    assert len(set(pictures)) == len(pictures) == count


def test_outlines_differ_and_fill_the_unit_circle():
    filled = []
    for label in range(len(NAMES)):
        points = outline(label)
        assert np.linalg.norm(points, axis=1).max() == pytest.approx(1)
        canvas = np.zeros((64, 64), np.uint8)
        cv2.fillPoly(canvas, [np.round(32 + 30 * points).astype(np.int32)], 1)
        filled.append(canvas > 0)
    overlaps = [(a & b).sum() / (a | b).sum() for i, a in enumerate(filled) for b in filled[:i]]
    assert max(overlaps) < 0.9


def test_boxes_masks_and_sizes_agree(split):
    folder, coco = split
    assert [category['name'] for category in coco.loadCats(coco.getCatIds())] == list(NAMES)
    assert len({(image['height'], image['width']) for image in coco.imgs.values()}) >= 4
    for image in coco.imgs.values():
        assert cv2.imread(str(folder / image['file_name'])).shape == (image['height'], image['width'], 3)
    for annotation in coco.anns.values():
        image = coco.imgs[annotation['image_id']]
        x, y, width, height = annotation['bbox']
        assert x >= 0 and y >= 0 and x + width <= image['width'] and y + height <= image['height']
        mask = coco.annToMask(annotation)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        np.testing.assert_allclose([x, y, x + width, y + height], tight, atol=0)
        assert mask.sum() == annotation['area']


def test_there_are_empty_images_crowds_and_every_shape(split):
    _, coco = split
    counts = Counter(annotation['image_id'] for annotation in coco.anns.values() if not annotation['iscrowd'])
    empty = [image for image in coco.imgs if not coco.getAnnIds(imgIds=image)]
    assert 1 <= len(empty) <= len(coco.imgs) * 0.1
    assert max(counts.values()) <= 6 and 2.5 <= np.mean(list(counts.values())) <= 5
    assert coco.getAnnIds(iscrowd=True)
    assert {annotation['category_id'] for annotation in coco.anns.values()} == set(range(1, 9))


def test_a_shape_in_front_is_cut_out_of_the_one_behind():
    hidden = 0
    for seed in range(8):
        image, instances = render_detection_image(np.random.default_rng(seed))
        seen = sum(one.mask.astype(int) for one in instances)
        assert seen.max() <= 1 and image.dtype == np.uint8 and image.std() > 8
        hidden += sum(bool((outline_of(one) & ~one.mask).sum() > 200) for one in instances)
    assert hidden


def outline_of(instance):
    points = np.argwhere(instance.mask)[:, ::-1].astype(np.int32)
    hull = np.zeros(instance.mask.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull > 0


def test_every_class_has_images_in_both_splits(tmp_path):
    render_classification_sample(tmp_path, 3, 1)
    train, val = (find(tmp_path, split) for split in ('train', 'val'))
    assert train.classes == val.classes == tuple(sorted(NAMES))
    assert (train.num_images, val.num_images) == (24, 8)
    shapes = {cv2.imread(str(path)).shape for path in tmp_path.rglob('*.jpg')}
    assert len(shapes) > 5
