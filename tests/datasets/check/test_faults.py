"""Each fault is named with its files, whole data have none, and a repaired copy has none either."""
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from lcvision.datasets.check import faults
from lcvision.datasets.check.copy import write_copy
from lcvision.datasets.check.faults import find_faults, look_at, quick_faults
from lcvision.datasets.check.layouts import read_folder
from lcvision.datasets.sources import use_source
from tests.datasets import coco_like, image_tree, street_like
from tests.datasets.check import exports
from tests.mistakes import message


def check(root, out=None, **options):
    """All findings, an error with a capital; ``out`` gets a copy."""
    found = look_at(read_folder(root), **options)
    if out:
        write_copy(found, root, out)
    return [f'{one.level[0].upper() if one.level == "error" else one.level[0]} {one}'
            for one in find_faults(found)]


def spoil(root, change):
    path = root / 'annotations' / 'instances_train2017.json'
    content = json.loads(path.read_text())
    change(content)
    coco_like.write(path, content)


def files_of(root):
    return {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}


@pytest.fixture
def root(tmp_path):
    """Whole data: no image is in both splits."""
    root = coco_like.folder(tmp_path / 'set')
    for index, path in enumerate(sorted((root / 'val2017').iterdir())):
        cv2.imwrite(str(path), np.random.default_rng(50 + index).integers(0, 256, (32, 48, 3), np.uint8))
    return root


def box(*values, **more):
    return lambda content: content['annotations'].append(coco_like.annotation(90, 1, bbox=list(values), **more))


FAULTS = {
    'E train: 1 images are missing: 2.jpg': lambda root: (root / 'train2017/2.jpg').unlink(),
    'E train: 1 images cannot be read: 2.jpg (empty)': lambda root: (root / 'train2017/2.jpg').write_bytes(b''),
    'E train: 1 images cannot be read: 2.jpg (not an image that can be read)':
        lambda root: (root / 'train2017/2.jpg').write_bytes(b'text'),
    'E train: 1 images cannot be read: 2.jpg (a JPEG without its end-of-image marker)':
        lambda root: (root / 'train2017/2.jpg').write_bytes((root / 'train2017/2.jpg').read_bytes()[:-30]),
    'E train: 1 images have another size than annotated: 2.jpg (48x32, not 40x32)':
        lambda root: spoil(root, lambda content: content['images'][1].update(width=40)),
    "E train: 1 annotations cannot be read: 1.jpg {'annotation of unknown image': 4711}":
        lambda root: spoil(root, lambda content: content['annotations'].append(coco_like.annotation(90, 4711))),
    'w train: 1 of 3 boxes are less than a pixel wide or high, or outside their image: 1.jpg':
        lambda root: spoil(root, box(48, 3, 5, 5)),
    'w train: 1 of 3 boxes reach over the edge of their image: 1.jpg': lambda root: spoil(root, box(40, 3, 20, 5)),
    'w train: 1 of 3 boxes are there twice: 1.jpg': lambda root: spoil(root, box(4, 6, 20, 12, category_id=7)),
    'w train: 1 of 3 classes are in no image and cannot be learned: pan':
        lambda root: spoil(root, lambda content: content['categories'].append({'id': 8, 'name': 'pan'})),
    'w train: cup occurs 101 times, fork 1 times: so rare a class is hardly learned':
        lambda root: [spoil(root, box(1, 1, 5 + i / 9, 5)) for i in range(100)],
    'w train: 1 images are there twice: 1.jpg':
        lambda root: shutil.copy(root / 'train2017/1.jpg', root / 'train2017/2.jpg'),
    'E train and val: 1 images are in both, which makes the metric too good: 1.jpg':
        lambda root: shutil.copy(root / 'train2017/1.jpg', root / 'val2017/2.jpg')}
STAY = ('classes are in no image', 'hardly learned', 'there twice: 1.jpg')


def test_nothing_is_wrong_with_whole_data(root):
    assert check(root, decode=True) == []


@pytest.mark.parametrize('text', FAULTS)
def test_each_fault_is_found_and_mended_in_a_copy(root, tmp_path, text):
    FAULTS[text](root)
    before = files_of(root)
    found = check(root, tmp_path / 'out')
    assert text in found and (len(found) == 1 or 'pan' in text or 'of unknown image' in text or 'missing' in text
                              or 'cannot be read' in text)
    assert files_of(root) == before
    assert not [one for one in check(tmp_path / 'out') if one[0] == 'E']
    if not any(words in text for words in STAY[:2]) and 'images are there twice' not in text:
        assert text not in check(tmp_path / 'out')


def test_a_spoilt_middle_is_found_by_decoding(root):
    path = root / 'val2017/1.png'
    cv2.imwrite(str(path), np.random.default_rng(7).integers(0, 256, (32, 48, 3), np.uint8))
    content = bytearray(path.read_bytes())
    content[200:900] = bytes(700)
    (root / 'val2017/1.jpg').write_bytes(content)
    path.unlink()
    assert not check(root)
    assert [one for one in check(root, decode=True) if 'cannot be read' in one]


def test_boxes_are_cut_at_the_edge_and_areas_stay(root, tmp_path):
    spoil(root, box(40, -3, 20, 5, iscrowd=1))
    check(root, tmp_path / 'out')
    content = json.loads((tmp_path / 'out/annotations/instances_train.json').read_text())
    found = [(one['bbox'], one['area'], one['iscrowd'], one['category_id']) for one in content['annotations']]
    assert found == [([4, 6, 20, 12], 240, 0, 2), ([40, 0, 8, 2], 16, 1, 1), ([4, 6, 20, 12], 240, 0, 1)]
    assert {one['id'] for one in content['annotations']} == {1, 2, 3}


@pytest.mark.parametrize('write', [exports.yolo, exports.voc, exports.label_studio, exports.roboflow_coco])
def test_a_copy_of_an_export_is_what_training_takes(tmp_path, write):
    before = read_folder(write(tmp_path / 'set'))
    check(tmp_path / 'set', tmp_path / 'out')
    after = read_folder(tmp_path / 'out')
    assert after.native and [part.counts for part in after.parts] == [part.counts for part in before.parts]


def test_masks(tmp_path):
    root = street_like.pairs(tmp_path / 'set', count=4)
    for index in range(4):
        street_like.image(root / f'images/val/{index}.jpg', seed=9 + index)
    street_like.mask(root / 'masks/train/0.png', 9)
    (root / 'masks/train/1.png').unlink()
    street_like.mask(root / 'masks/val/3.png', np.zeros((5, 5), np.uint8))
    text = ' '.join(check(root, tmp_path / 'out'))
    assert 'E train: 2 masks are missing or wrong: 0.jpg (Mask file ' in text and 'label value 9' in text
    assert '1.jpg (missing)' in text and 'val: 1 masks are missing or wrong: 3.jpg (its image has another size' in text
    kept = sorted(str(path.relative_to(tmp_path / 'out')) for path in (tmp_path / 'out').rglob('*.png'))
    assert [path.partition('/')[0] for path in kept] == ['masks'] * len(kept)
    assert not [one for one in check(tmp_path / 'out') if one[0] == 'E']


def test_a_large_set_of_masks_is_sampled(tmp_path, monkeypatch):
    monkeypatch.setattr(faults, 'PIXELS', 2 * 24 * 40)
    found = look_at(read_folder(street_like.pairs(tmp_path, count=4)))
    assert [len(seen.labels) for seen in found.parts[0].seen] == [4, 0, 4, 0]


def test_classes(tmp_path):
    root = image_tree.tree(tmp_path / 'set')
    shutil.copy(root / 'train/ant/0.jpg', root / 'val/bee/9.jpg')
    (root / 'train/cow/x/0.jpg').parent.mkdir()
    (root / 'train/cow/x/0.jpg').write_bytes((root / 'val/cow/1.jpg').read_bytes()[:100])
    assert any('E train: 1 images cannot be read' in one for one in check(root, tmp_path / 'out'))
    assert not [one for one in check(tmp_path / 'out') if one[0] == 'E']
    # The others are in val as well.
    assert sorted(path.name for path in (tmp_path / 'out/train/cow').iterdir()) == ['2.jpg', '3.jpg']


def test_npz(tmp_path):
    content = image_tree.arrays()
    root = image_tree.npz(tmp_path / 'set.npz')
    assert any('images are in both' in one for one in check(root, tmp_path / 'out'))
    found = read_folder(tmp_path / 'out')
    assert found.parts[1].counts['ant'] == 1 and Path(found.parts[1].images[0]).read_bytes() == (
        content['test_data'][:content['test_offsets'][1]].tobytes())


def test_sizes_against_the_input(root):
    found = look_at(read_folder(root))
    texts = [str(one) for one in find_faults(found, (16, 24))]
    assert texts == ['train: 100% of the boxes are less than 8 pixels wide or high at the input 24x16: a larger input '
                     'finds more of them']
    assert 'most images are about 48x32, and would be enlarged to 100x100' in str(
        next(find_faults(found, (100, 100))))


@pytest.mark.parametrize('out', ['set', 'set/inside', 'full', 'file'])
def test_a_copy_never_replaces_anything(root, tmp_path, out):
    (tmp_path / 'full/x').mkdir(parents=True)
    (tmp_path / 'file').touch()
    assert f'--fix {tmp_path / out}: give a new or empty folder outside' in message(
        write_copy, read_folder(root), root, tmp_path / out)


def test_a_copy_that_fails_leaves_nothing(root, tmp_path, monkeypatch):
    monkeypatch.setattr('lcvision.datasets.check.copy._coco', lambda *_: (_ for _ in ()).throw(OSError(28, 'No space')))
    assert 'No space' in message(write_copy, look_at(read_folder(root)), root, tmp_path / 'out')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['set']


def test_a_quick_look_at_built_data_sets(root, monkeypatch):
    from mmdet.datasets import CocoDataset
    shutil.copy(root / 'train2017/1.jpg', root / 'val2017/2.jpg')
    spoil(root, lambda content: [content['categories'].append({'id': 8, 'name': 'pan'}), content['annotations'].extend(
        coco_like.annotation(90 + i, 1, category_id=7, bbox=[40, 3, 20, 5]) for i in range(2))])
    datasets = {split: CocoDataset(ann_file=str(root / f'annotations/instances_{split}2017.json'),
                                   data_prefix=dict(img=str(root / f'{split}2017')),
                                   metainfo=dict(classes=(*coco_like.CLASSES, 'pan'))) for split in ('train', 'val')}
    assert sorted(map(str, quick_faults(datasets))) == [
        'train and val: 1 images are in both, which makes the metric too good: 1.jpg',
        'train: 1 of 3 classes are in no image and cannot be learned: pan',
        'train: 1 of 4 boxes are there twice: 1.jpg', 'train: 2 of 4 boxes reach over the edge of their image: 1.jpg',
        'val: 1 of 3 classes are in no image and do not count in the metric: pan']
    monkeypatch.setattr(faults, '_QUICK', 1)
    assert not [*quick_faults(datasets)]


def test_a_copy_of_masks_is_what_training_takes(tmp_path):
    root = street_like.cityscapes(tmp_path / 'set')
    for index in range(2):  # else train and val would be the same
        street_like.image(next((root / 'leftImg8bit/val/town').glob(f'*_{index}_*')), seed=7 + index)
    check(root, tmp_path / 'out')
    cfg = Config.fromfile('configs/segmentation/deeplabv3plus_pplcnet_0_5x.py')
    split = use_source(cfg, str(tmp_path / 'out'), train=True)
    assert split.num_images == 2 and len(split.classes) == 19
    init_default_scope('mmseg')
    cfg.val_dataloader.update(num_workers=0, persistent_workers=False)
    batch = next(iter(Runner.build_dataloader(cfg.val_dataloader, seed=0)))
    assert batch['data_samples'][0].gt_sem_seg.data.unique().tolist() == [0, 7, 255]
