"""The rendered detection sample: reproducible, valid COCO, and with what a detector has to cope with."""
import json
from collections import Counter
from functools import partial

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from lcvision.datasets.sample import detection, ensure_detection_sample, render_detection_sample, rendered_folder
from lcvision.datasets.sample.coco import annotate, mask_to_polygons, mask_to_rle
from lcvision.datasets.sample.objects import CATEGORIES
from lcvision.datasets.sample.scene import MIN_VISIBLE, Scene, cast
from lcvision.datasets.sample.sprite import Sprite

COCO_IDS = {'traffic light': 10, 'stop sign': 13, 'umbrella': 28, 'sports ball': 37, 'kite': 38, 'banana': 52,
            'donut': 60, 'clock': 85}


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


def test_same_seed_same_bytes(tmp_path):
    for name, seed in (('a', 3), ('b', 3), ('c', 4)):
        render_detection_sample(tmp_path / name, train_images=6, val_images=2, seed=seed)
    first, again, other = (files_of(tmp_path / name) for name in 'abc')
    assert len(first) == 10
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first)


def test_splits_share_no_image_and_no_id(root):
    train, val = (COCO(str(root / 'annotations' / f'instances_{split}2017.json')) for split in ('train', 'val'))
    assert not set(train.imgs) & set(val.imgs)
    assert not set(train.anns) & set(val.anns)
    images = [content for name, content in files_of(root).items() if name.endswith('.jpg')]
    assert len(set(images)) == len(images) == 54


def test_images_are_there_in_the_sizes_stated(split):
    folder, coco = split
    assert sorted(path.name for path in folder.iterdir()) == sorted(image['file_name'] for image in coco.imgs.values())
    for image in coco.imgs.values():
        pixels = cv2.imread(str(folder / image['file_name']))
        assert pixels.shape == (image['height'], image['width'], 3)
        assert pixels.std() > 8
    assert len({(image['height'], image['width']) for image in coco.imgs.values()}) >= 4


def test_categories_are_those_of_coco(split):
    _, coco = split
    assert {category['name']: category['id'] for category in coco.loadCats(coco.getCatIds())} == COCO_IDS


def test_boxes_and_areas_fit_the_segmentation(split):
    _, coco = split
    for annotation in coco.anns.values():
        image = coco.imgs[annotation['image_id']]
        x, y, width, height = annotation['bbox']
        assert x >= 0 and y >= 0 and x + width <= image['width'] and y + height <= image['height']
        assert min(width, height) >= 8
        mask = coco.annToMask(annotation)
        assert mask.sum() == pytest.approx(annotation['area'], rel=0.06, abs=12)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        np.testing.assert_allclose([x, y, x + width, y + height], tight, atol=1)


def test_empty_images_and_a_crowd(split):
    _, coco = split
    counts = Counter(annotation['image_id'] for annotation in coco.anns.values() if not annotation['iscrowd'])
    empty = [image for image in coco.imgs if not coco.getAnnIds(imgIds=image)]
    assert 1 <= len(empty) <= len(coco.imgs) * 0.1
    assert max(counts.values()) <= 6 and 2.5 <= np.mean(list(counts.values())) <= 5
    crowds = coco.loadAnns(coco.getAnnIds(iscrowd=True))
    assert crowds
    for crowd in crowds:
        assert coco_mask.decode(coco.annToRLE(crowd)).sum() == crowd['area'] > 1000


def test_every_category_in_sizes_from_tiny_to_half_the_image(root):
    coco = COCO(str(root / 'annotations' / 'instances_train2017.json'))
    singles = [annotation for annotation in coco.anns.values() if not annotation['iscrowd']]
    assert {annotation['category_id'] for annotation in singles} == set(COCO_IDS.values())
    longest = np.array([max(annotation['bbox'][2:]) for annotation in singles])
    share = longest / [max(coco.imgs[a['image_id']][side] for side in ('height', 'width')) for a in singles]
    assert longest.min() < 34 and 0.38 < share.max() < 0.6
    assert np.mean((longest >= 40) & (longest <= 160)) > 0.7


@pytest.mark.parametrize('category', CATEGORIES, ids=lambda category: category.name)
@pytest.mark.parametrize('pixels', [28, 200])
def test_objects_fill_their_canvas_and_vary(category, pixels):
    sprites = []
    for seed in range(3):
        sprite = Sprite(pixels)
        category.draw(sprite, np.random.default_rng(seed))
        assert np.isfinite(sprite.rgb).all() and sprite.alpha.min() >= 0 and sprite.alpha.max() <= 1 + 1e-5
        solid = sprite.alpha > 0.5
        assert max(np.ptp(np.flatnonzero(solid.any(0))), np.ptp(np.flatnonzero(solid.any(1)))) > 0.85 * pixels
        sprites.append(sprite.rgb)
    assert not np.allclose(sprites[0], sprites[1]) or not np.allclose(sprites[0], sprites[2])


def disc(size):
    sprite = Sprite(64)
    sprite.paint(sprite.ellipse(0, 0, 1), (250, 0, 0))
    return cast(sprite, size)


def test_scene_records_what_stays_visible():
    scene = Scene(np.zeros((100, 200, 3), np.float32), surface=False)
    assert scene.try_add(disc(40), (50, 50), CATEGORIES[0], keep=0.4, inside=0.6)
    assert scene.instances[0].mask.sum() == pytest.approx(np.pi * 400, rel=0.03)
    assert scene.try_add(disc(40), (70, 50), CATEGORIES[1], keep=0.4, inside=0.6)
    hidden, front = scene.instances
    assert front.mask.sum() == pytest.approx(np.pi * 400, rel=0.03)
    assert hidden.mask.sum() == pytest.approx(np.pi * 400 * 0.609, rel=0.04)
    assert not (hidden.mask & front.mask).any()


@pytest.mark.parametrize('centre, keep', [((52, 50), 0.0), ((65, 50), 0.9), ((-12, 50), 0.4)],
                         ids=['hides the other', 'hides more than allowed', 'outside'])
def test_scene_refuses_to_hide_too_much(centre, keep):
    scene = Scene(np.zeros((100, 200, 3), np.float32), surface=True)
    assert scene.try_add(disc(40), (50, 50), CATEGORIES[0], keep=0.4, inside=0.6)
    before, mask = scene.image.copy(), scene.instances[0].mask.copy()
    assert not scene.try_add(disc(40), centre, CATEGORIES[1], keep=keep, inside=0.6)
    assert np.array_equal(scene.image, before)
    assert len(scene.instances) == 1 and np.array_equal(scene.instances[0].mask, mask)
    assert mask.sum() > MIN_VISIBLE * scene.instances[0].whole


def test_polygons_come_back_as_the_same_mask():
    mask = np.zeros((60, 80), np.uint8)
    cv2.ellipse(mask, (30, 28), (22, 14), 25, 0, 360, 1, -1)
    mask[40:58, 60:80] = 1
    polygons = mask_to_polygons(mask)
    assert len(polygons) == 2
    back = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, 60, 80)))
    assert (back & mask).sum() / (back | mask).sum() > 0.97


@pytest.mark.parametrize('corner', [0, 1])
def test_run_lengths_come_back_as_the_same_mask(corner):
    mask = np.random.default_rng(0).integers(0, 2, (13, 9))
    mask[0, 0] = corner
    rle = mask_to_rle(mask)
    assert np.array_equal(coco_mask.decode(coco_mask.frPyObjects(rle, *rle['size'])), mask)


def test_annotation_fills_holes_and_drops_specks():
    mask = np.zeros((50, 50), bool)
    mask[10:30, 5:25] = True
    mask[15:20, 10:20] = False
    mask[45, 45] = True
    entry = annotate(mask, 60, crowd=False)
    assert entry['bbox'] == [5, 10, 20, 20] and entry['area'] == 400
    assert annotate(mask, 60, crowd=True)['area'] == mask.sum()


def test_ensure_renders_once_and_says_so(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(rendered_folder, 'print_log', lambda message, **_: said.append(message))
    monkeypatch.setattr(detection, 'render_detection_sample',
                        partial(render_detection_sample, train_images=3, val_images=1))
    root = tmp_path / 'data' / 'sample'
    assert ensure_detection_sample(root) == root
    before = {path: path.stat().st_mtime_ns for path in root.rglob('*')}
    assert ensure_detection_sample(root) == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob('*')} == before
    assert said == [f'rendering the sample set into {root} ...']
    assert len(json.loads((root / 'annotations' / 'instances_train2017.json').read_text())['images']) == 3
